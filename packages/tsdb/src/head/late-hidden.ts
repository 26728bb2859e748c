import type {Interval} from "../tombstones.ts";
import type {OooSample} from "./ooo-list.ts";

type Late = {readonly t: number; readonly commit: number};

/**
 * Which late samples in full chunks came after a select that is still under way began. Full chunks do not know commits, so
 * as long as there is such a select, the samples that it must not see are remembered beside them.
 */
export class LateHidden {
  /** The commit before the oldest select under way; +∞ without any. */
  #oldest: number = Number.POSITIVE_INFINITY;
  /** By entry of the chunk list. */
  readonly #late = new Map<number, readonly Late[]>();

  /** Of the oldest select under way, the commit that it sees last; +∞ when there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The oldest select under way sees commits up to `commit`; +∞ when there is none. */
  setOldest(commit: number): void {
    this.#oldest = commit;
    if (commit === Number.POSITIVE_INFINITY) this.#late.clear();
  }

  /** Samples of a list became the chunk in entry `i`. */
  note(i: number, samples: readonly OooSample[], mint: number, maxt: number): void {
    this.#late.delete(i);
    const late = samples.filter(({t, commit}) => commit > this.#oldest && t >= mint && t <= maxt);
    if (late.length > 0)
      this.#late.set(
        i,
        late.map(({t, commit}) => ({t, commit})),
      );
  }

  /** Times in the chunk of entry `i` that a select which sees commits up to `commit` must not see. */
  of(i: number, commit: number): Interval[] {
    const late = this.#late.get(i);
    if (late === undefined) return [];
    return late.filter((s) => s.commit > commit).map(({t}) => ({mint: t, maxt: t}));
  }
}
