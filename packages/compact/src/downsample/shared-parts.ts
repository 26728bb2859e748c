/*
 * The series of a block in parts of some hundred thousand samples. The thread that writes goes through all parts in
 * order and downsamples the even ones; a second thread downsamples odd ones ahead of it. An odd part that the second
 * thread has not begun when the writer gets there is the writer's: it never waits for a thread that is only starting.
 */

/** Samples of a part. PERF: a few milliseconds of work, so that neither thread waits for long, and some megabytes read. */
const PART_SAMPLES = 500_000;

/** How many series a part has, where the block has `samples` in `series` altogether. */
export const seriesOfPart = (series: number, samples: number): number =>
  Math.min(1024, Math.max(1, Math.floor((PART_SAMPLES * series) / Math.max(1, samples))));

/** Who does which part, in memory that both threads see. */
export class PartClaims {
  readonly memory: SharedArrayBuffer;
  readonly #claims: Int32Array;

  constructor(parts: number | SharedArrayBuffer) {
    this.memory = typeof parts === "number" ? new SharedArrayBuffer(4 * parts) : parts;
    this.#claims = new Int32Array(this.memory);
  }

  get parts(): number {
    return this.#claims.length;
  }

  /** True for the thread that asks first. */
  claim(part: number): boolean {
    return Atomics.compareExchange(this.#claims, part, 0, 1) === 0;
  }
}
