/** Something that holds for a while; `until` is ms since the epoch, Infinity where it holds for good. */
export type Lasting<T> = {readonly value: T; readonly until: number};

/** Fetches a value when it is asked for and again when it no longer holds: once for all who ask at the same time. */
export class Renewed<T> {
  readonly #fetch: () => Promise<Lasting<T>>;
  #held: Lasting<T> | undefined;
  #coming: Promise<Lasting<T>> | undefined;

  constructor(fetch: () => Promise<Lasting<T>>) {
    this.#fetch = fetch;
  }

  /** The fetch goes on for the others when `signal` aborts. */
  async get(signal: AbortSignal): Promise<T> {
    if (this.#held !== undefined && Date.now() < this.#held.until) return this.#held.value;
    this.#coming ??= this.#renew();
    return (await unlessAborted(this.#coming, signal)).value;
  }

  async #renew(): Promise<Lasting<T>> {
    try {
      this.#held = await this.#fetch();
      return this.#held;
    } finally {
      this.#coming = undefined;
    }
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, {once: true});
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
