/** When calls to something that fails are given up for a while. */
export type BreakerOptions = {
  /** So many failures one after the other open it. */
  readonly consecutiveFailures: number;
  /** Or this share of at least `minRequests` calls since it closed last; 0 looks at rows of failures only. */
  readonly failureRatio: number;
  readonly minRequests: number;
  /** How long all calls are refused once it is open, ms. */
  readonly openMs: number;
  /** Then so many calls are let through to see whether all is well again. */
  readonly halfOpenRequests: number;
};

/** Lets calls through while they succeed. Ask `allow` before a call and say how it ended. */
export class Breaker {
  readonly #o: BreakerOptions;
  readonly #now: () => number;
  #openUntil = 0;
  #trials = 0;
  #row = 0;
  #calls = 0;
  #failures = 0;

  constructor(options: BreakerOptions, now: () => number = Date.now) {
    this.#o = options;
    this.#now = now;
  }

  allow(): boolean {
    if (this.#openUntil === 0) return true;
    if (this.#now() < this.#openUntil || this.#trials >= this.#o.halfOpenRequests) return false;
    this.#trials++;
    return true;
  }

  succeeded(): void {
    this.#row = 0;
    this.#calls++;
    if (this.#openUntil !== 0) this.#close();
  }

  failed(): void {
    this.#row++;
    this.#calls++;
    this.#failures++;
    const {consecutiveFailures, failureRatio, minRequests} = this.#o;
    const many = failureRatio > 0 && this.#calls >= minRequests && this.#failures / this.#calls >= failureRatio;
    if (this.#openUntil !== 0 || this.#row >= consecutiveFailures || many) this.#open();
  }

  #open(): void {
    this.#openUntil = this.#now() + this.#o.openMs;
    this.#trials = 0;
    this.#calls = 0;
    this.#failures = 0;
  }

  #close(): void {
    this.#openUntil = 0;
    this.#trials = 0;
    this.#calls = 0;
    this.#failures = 0;
  }
}
