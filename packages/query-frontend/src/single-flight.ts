type Flight<T> = {readonly result: Promise<T>; readonly abort: AbortController; waiting: number; isOver: boolean};

/** Equal work that is asked for at the same time runs once. It is given up when nobody waits for it any more. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  async run(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting++;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener("abort", leave, {once: true});
    });
    try {
      return await Promise.race([flight.result, left]);
    } finally {
      if (leave !== undefined) signal.removeEventListener("abort", leave);
      if (--flight.waiting === 0) {
        // Whoever comes now must not be given what is being cancelled.
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        if (!flight.isOver) flight.abort.abort();
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const result = work(abort.signal);
    // Its failure is told to those who wait; there may be none left.
    result.catch(() => {});
    const flight = {result, abort, waiting: 0, isOver: false};
    this.#flights.set(key, flight);
    const done = (): void => {
      flight.isOver = true;
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    result.then(done, done);
    return flight;
  }
}
