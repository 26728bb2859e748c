/** Series of all inputs of merges that run side by side. PERF: a merge's memory grows with them, some 100 MB a million. */
const SERIES_AT_ONCE = 400_000;

/** Lets merges run side by side as long as they are small; a large one has the machine to itself. */
export class MergeTurns {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #series = 0;

  /** At most `max` at once. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Runs `merge`, which reads `series` series, when there is room for it. */
  async run<T>(series: number, merge: () => Promise<T>): Promise<T> {
    while (!this.#fits(series)) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    this.#running++;
    this.#series += series;
    try {
      return await merge();
    } finally {
      this.#running--;
      this.#series -= series;
      for (const resume of this.#waiting.splice(0)) resume();
    }
  }

  #fits(series: number): boolean {
    if (this.#running === 0) return true;
    return this.#running < this.#max && this.#series + series <= SERIES_AT_ONCE;
  }
}
