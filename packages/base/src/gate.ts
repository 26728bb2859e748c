/** Lets so many pieces of work run at once; the others wait their turn, first come first served. */
export class Gate {
  readonly #max: number;
  readonly #turns: (() => void)[] = [];
  #running = 0;

  /** `max` 0 lets all through. */
  constructor(max: number) {
    this.#max = max;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#turns.length;
  }

  /** Waits for a turn; `leave` must be called when it is over. Rejects with the signal's reason when that aborts first. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#max > 0 && this.#running >= this.#max) await this.#wait(signal);
    else this.#running++;
  }

  leave(): void {
    const next = this.#turns.shift();
    // The place is handed on, so that nobody who comes later gets it first.
    if (next === undefined) this.#running--;
    else next();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener("abort", left);
        resolve();
      };
      const left = (): void => {
        this.#turns.splice(this.#turns.indexOf(turn), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", left, {once: true});
      this.#turns.push(turn);
    });
  }
}
