/** Limits of one request; 0 is none. */
export type RequestLimits = {
  readonly sizeBytes: number;
  readonly series: number;
  readonly samples: number;
};

export const NO_REQUEST_LIMITS: RequestLimits = {sizeBytes: 0, series: 0, samples: 0};

/** What decides over requests before they are written. */
export type RequestLimiter = {
  /** Waits for the request's turn; the result ends it. */
  start(signal: AbortSignal): Promise<() => void>;
  request(tenant: string): RequestLimits;
  /** Whether the tenant may have more series, as far as is known. */
  isUnderHeadLimit(tenant: string): boolean;
  /** Told how much too much of something a request brought. */
  hit(tenant: string, limit: "body_size" | "series" | "samples", excess: number): void;
};

/** Lets everything through. */
export const NO_LIMITER: RequestLimiter = {
  start: async () => () => {},
  request: () => NO_REQUEST_LIMITS,
  isUnderHeadLimit: () => true,
  hit: () => {},
};
