import type {Labels} from "@strata/model";

/** One text a label set, for maps. */
export const seriesKey = (labels: Labels): string => labels.pairs.join("\u0000");

/**
 * What a rule gave at its last evaluation, to find what it gives no more. Most evaluations give the same series in the
 * same order as the one before, and are told so without any map.
 */
export class SeriesMemory {
  #last: readonly Labels[] = [];

  get last(): readonly Labels[] {
    return this.#last;
  }

  /** The series of the last evaluation that `now` lacks; `now` is remembered. */
  advance(now: readonly Labels[]): readonly Labels[] {
    const before = this.#last;
    this.#last = now;
    if (before.length === now.length && before.every((labels, i) => labels === now[i])) return [];
    const present = new Set(now.map(seriesKey));
    return before.filter((labels) => !present.has(seriesKey(labels)));
  }

  /** After a failed write of `lost`: what was open before is still open, and so may be what was written in part. */
  restore(before: readonly Labels[], lost: readonly Labels[]): void {
    if (before === lost) return;
    const keys = new Set(lost.map(seriesKey));
    this.#last = [...lost, ...before.filter((labels) => !keys.has(seriesKey(labels)))];
  }

  /** Takes over what another rule remembers. */
  adopt(other: SeriesMemory): void {
    this.#last = other.#last;
  }
}
