import {type Group, groupOffset, lastSlot, nextEvaluation, type RestoreOptions} from "@strata/rules";
import type {Logger} from "@strata/telemetry";
import type {Clock} from "./clock.ts";

export type GroupLoopOptions = {
  readonly clock: Clock;
  /** How to look for alerts of before a restart; left out where there is nothing to look for. */
  readonly restore: RestoreOptions | undefined;
  readonly logger: Logger;
  readonly onMissed: (group: Group, iterations: number) => void;
  readonly onRestored: (group: Group, seconds: number) => void;
};

/** Runs one group at its times until it is stopped. */
export class GroupLoop {
  readonly group: Group;
  readonly #options: GroupLoopOptions;
  readonly #abort = new AbortController();
  #done: Promise<void> = Promise.resolve();
  /** The last time that was evaluated, ms; undefined before the first. */
  #lastT: number | undefined;

  constructor(group: Group, options: GroupLoopOptions) {
    this.group = group;
    this.#options = options;
  }

  get lastT(): number | undefined {
    return this.#lastT;
  }

  /**
   * Begins. `signal` breaks off a running evaluation; `stop` lets it finish. A group that goes on where another stopped
   * gives the last time of that one.
   */
  start(signal: AbortSignal, after: number | undefined): void {
    this.#done = this.#run(signal, after);
  }

  /** Lets a running evaluation finish, then ends. Safe to call twice. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal, after: number | undefined): Promise<void> {
    const {clock, restore} = this.#options;
    const {intervalMs, spec} = this.group;
    const stop = AbortSignal.any([signal, this.#abort.signal]);
    const offset = groupOffset(spec.file, spec.name, intervalMs);
    let t = lastSlot(clock.now(), offset, intervalMs) + intervalMs;
    // A time that was evaluated already must not be evaluated again.
    if (after !== undefined && t <= after) t += intervalMs * Math.ceil((after - t + 1) / intervalMs);
    for (let round = 1; ; round++) {
      await clock.sleepUntil(t, stop);
      if (stop.aborted) return;
      try {
        await this.group.evaluate(t, signal);
        this.#lastT = t;
        // Two rounds make sure that alerts which are still there are back.
        if (round === 2 && restore !== undefined) await this.#restore(restore, signal);
      } catch (err) {
        if (signal.aborted) return;
        this.#options.logger.error("cannot evaluate group", {file: spec.file, group: spec.name, err});
      }
      const next = nextEvaluation(t, clock.now(), intervalMs);
      if (next.missed > 0) this.#options.onMissed(this.group, next.missed);
      t = next.t;
    }
  }

  async #restore(restore: RestoreOptions, signal: AbortSignal): Promise<void> {
    const {clock, logger, onRestored} = this.#options;
    const {file, name} = this.group.spec;
    const started = clock.now();
    await this.group.restore(started, restore, signal, (err) => {
      logger.error("cannot restore the state of alerts", {file, group: name, err});
    });
    onRestored(this.group, (clock.now() - started) / 1000);
  }
}
