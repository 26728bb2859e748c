/** Lets so many in at once; the others wait in order. */
export class WriteGate {
  #free: number;
  readonly #waiting: {readonly enter: () => void; readonly signal: AbortSignal}[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Waits for a place; the result gives it back, once. Rejects with the signal's reason. */
  async start(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#leave();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = {
        signal,
        enter: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, {once: true});
      this.#waiting.push(entry);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.enter();
  }
}
