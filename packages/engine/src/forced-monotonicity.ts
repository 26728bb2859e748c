import type {Monotonicity} from "./annotations.ts";
import type {Mended} from "./classic-quantile.ts";

/**
 * Gathers for one call what had to be mended in classic buckets, step by step.
 *
 * Compat: the number of samples is Prometheus'. There the remarks of a call are one object that is merged into itself at
 * every step after the first one with a remark, so that the number doubles each time, modulo 2^64.
 */
export class ForcedMonotonicity {
  readonly #steps: readonly number[];
  readonly #start: number;
  readonly #step: number;
  #found: Omit<Monotonicity, "count"> | undefined;

  constructor(start: number, step: number, count: number) {
    this.#steps = new Array<number>(count).fill(0);
    this.#start = start;
    this.#step = step;
  }

  add(i: number, {min, max, diff}: Mended): void {
    (this.#steps as number[])[i]!++;
    const t = this.#start + i * this.#step;
    const f = this.#found;
    if (f === undefined) {
      this.#found = {min, max, diff, from: t, to: t};
      return;
    }
    f.min = Math.min(f.min, min);
    f.max = Math.max(f.max, max);
    f.diff = Math.max(f.diff, diff);
    f.from = Math.min(f.from, t);
    f.to = Math.max(f.to, t);
  }

  /** What to say of it all; undefined when nothing had to be mended. */
  finish(): Monotonicity | undefined {
    if (this.#found === undefined) return undefined;
    let count = 0n;
    for (const n of this.#steps) {
      if (count === 0n) count = BigInt(n);
      else count = BigInt.asUintN(64, 2n * (count + BigInt(n)));
    }
    return {...this.#found, count};
  }
}
