import type {BlockMeta} from "@strata/tsdb/blocks";
import {Failures} from "../bucket/failures.ts";
import {afterMerge} from "./simulate.ts";

type Plan = readonly BlockMeta[];

/** The plans of one group that are under way, and what went wrong with those that are not any more. */
export class RunningPlans {
  readonly #running = new Map<Plan, Promise<void>>();
  readonly #failures: unknown[] = [];

  get count(): number {
    return this.#running.size;
  }

  /** The blocks of all plans under way. */
  get blocks(): readonly BlockMeta[] {
    return [...this.#running.keys()].flat();
  }

  /** What becomes of the group's blocks if all goes well; see `afterMerge`. */
  outcome(metas: readonly BlockMeta[]): readonly BlockMeta[] {
    let left = metas;
    for (const plan of this.#running.keys()) left = afterMerge(left, plan);
    return left;
  }

  start(plan: Plan, work: Promise<void>): void {
    const done = work
      .catch((err: unknown) => this.fail(err))
      .then(() => {
        this.#running.delete(plan);
      });
    this.#running.set(plan, done);
  }

  /** Waits for one plan to end. False when something has failed, and no more should be begun. */
  async next(): Promise<boolean> {
    await Promise.race(this.#running.values());
    return this.#failures.length === 0;
  }

  fail(err: unknown): void {
    this.#failures.push(err);
  }

  /** Waits for all plans to end; throws what went wrong. */
  async settle(): Promise<void> {
    await Promise.all(this.#running.values());
    if (this.#failures.length === 0) return;
    if (this.#failures.length === 1) throw this.#failures[0];
    const all = new Failures();
    for (const err of this.#failures) all.add(err);
    throw all.error;
  }
}
