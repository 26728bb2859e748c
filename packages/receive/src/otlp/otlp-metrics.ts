/** A value of an attribute, as text, with what it was where that matters. */
export type Attribute = {readonly key: string; readonly value: string};

export type Exemplar = {
  readonly attributes: readonly Attribute[];
  /** ms. */
  readonly t: number;
  readonly value: number;
  /** Hexadecimal; "" for none. */
  readonly traceId: string;
  readonly spanId: string;
};

/** What all data points have. Times in ms; `ns` is the exact time for the order of points. */
type Point = {
  readonly attributes: readonly Attribute[];
  readonly t: number;
  readonly start: number;
  /** Nothing was recorded: the series ends here. */
  readonly stale: boolean;
  readonly exemplars: readonly Exemplar[];
};

export type NumberPoint = Point & {readonly value: number};

export type HistogramPoint = Point & {
  readonly count: number;
  readonly sum: number | undefined;
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
};

export type Buckets = {readonly offset: number; readonly counts: readonly number[]};

export type ExponentialPoint = Point & {
  readonly count: number;
  readonly sum: number | undefined;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
};

export type SummaryPoint = Point & {
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
};

export const TEMPORALITY = {unspecified: 0, delta: 1, cumulative: 2} as const;

/** What a metric holds. */
export type MetricData =
  | {readonly kind: "empty"}
  | {readonly kind: "gauge"; readonly points: readonly NumberPoint[]}
  | {
      readonly kind: "sum";
      readonly points: readonly NumberPoint[];
      readonly temporality: number;
      readonly monotonic: boolean;
    }
  | {readonly kind: "histogram"; readonly points: readonly HistogramPoint[]; readonly temporality: number}
  | {readonly kind: "exponential"; readonly points: readonly ExponentialPoint[]; readonly temporality: number}
  | {readonly kind: "summary"; readonly points: readonly SummaryPoint[]};

export type Metric = {readonly name: string; readonly unit: string; readonly data: MetricData};

export type Scope = {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: readonly Attribute[];
  readonly metrics: readonly Metric[];
};

export type Resource = {readonly attributes: readonly Attribute[]; readonly scopes: readonly Scope[]};
