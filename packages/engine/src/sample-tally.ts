/** How many samples one expression looked at. */
type Counts = {
  total: number;
  read: number;
  totals: Float64Array | undefined;
  reads: Float64Array | undefined;
};

/**
 * Counts the samples that windows and instants on one grid held, as Prometheus does: each as often as it was looked at
 * (`total`), and once (`read`). Counts of each step are kept where somebody needs them.
 */
export class SampleTally {
  total = 0;
  read = 0;
  readonly totals: Float64Array | undefined;
  readonly reads: Float64Array | undefined;

  /** `steps`: of the grid, if each step's counts are wanted; else 0. */
  constructor(steps: number) {
    this.totals = steps > 0 ? new Float64Array(steps) : undefined;
    this.reads = steps > 0 ? new Float64Array(steps) : undefined;
  }

  get perStep(): boolean {
    return this.totals !== undefined;
  }

  /** Counts of all steps together; only while `perStep` is false. */
  add(total: number, read: number): void {
    this.total += total;
    this.read += read;
  }

  addAt(step: number, total: number, read: number): void {
    this.total += total;
    this.read += read;
    if (this.totals !== undefined) this.totals[step]! += total;
    if (this.reads !== undefined) this.reads[step]! += read;
  }

  /** What was looked at once stands for each of `steps` steps, and was read at the first. */
  addRepeated(once: SampleTally, steps: number): void {
    if (!this.perStep) {
      this.add(once.total * steps, once.read);
      return;
    }
    for (let i = 0; i < steps; i++) this.addAt(i, once.total, i === 0 ? once.read : 0);
  }

  /**
   * Reads of a subquery's inner steps, each at the first outer step that its sample is in a window of. Inner steps
   * between two windows do not count. `gaps`: whether there can be any (then `inner` has counts of each step).
   */
  addInner(inner: SampleTally, from: InnerGrid, to: OuterGrid, range: number): void {
    if (inner.reads === undefined || to.count <= 1) {
      this.addAt(0, 0, inner.read);
      return;
    }
    for (let k = 0; k < inner.reads.length; k++) {
      const read = inner.reads[k]!;
      if (read === 0) continue;
      const t = from.start + k * from.step + from.offset;
      const step = Math.min(to.count - 1, Math.max(0, Math.ceil((t - to.start) / to.step)));
      if (t <= to.start + step * to.step - range) continue;
      this.addAt(step, 0, read);
    }
  }

  /** What has been counted so far, to be compared by `since`. */
  mark(): Counts {
    const {total, read} = this;
    return {total, read, totals: this.totals?.slice(), reads: this.reads?.slice()};
  }

  /** What has been counted since `before`. */
  since(before: Counts): Counts {
    const {total, read} = this;
    const minus = (now: Float64Array | undefined, then: Float64Array | undefined) => now?.map((v, i) => v - then![i]!);
    return {
      total: total - before.total,
      read: read - before.read,
      totals: minus(this.totals, before.totals),
      reads: minus(this.reads, before.reads),
    };
  }

  /** Counts the same once more. */
  repeat(counts: Counts): void {
    this.total += counts.total;
    this.read += counts.read;
    counts.totals?.forEach((v, i) => {
      this.totals![i]! += v;
    });
    counts.reads?.forEach((v, i) => {
      this.reads![i]! += v;
    });
  }
}

export type TallyCounts = Counts;

/** Where inner steps lie; `offset` is that of the subquery. */
type InnerGrid = {readonly start: number; readonly step: number; readonly offset: number};
type OuterGrid = {readonly start: number; readonly step: number; readonly count: number};
