import {
  carryOver,
  Group,
  type GroupContext,
  type GroupSpec,
  groupFingerprint,
  type RestoreOptions,
  type Rule,
} from "@strata/rules";
import type {Logger} from "@strata/telemetry";
import type {Clock} from "./clock.ts";
import {GroupLoop} from "./group-loop.ts";
import {forgetGroup, type RuleMetrics} from "./rule-metrics.ts";

export type GroupSetOptions = {
  readonly context: GroupContext;
  readonly restore: RestoreOptions;
  readonly clock: Clock;
  readonly metrics: RuleMetrics;
  readonly logger: Logger;
};

/** Intervals after which the series of a group that is gone are ended. */
const END_AFTER_INTERVALS = 2;

/** The groups that run, and their change from one set of files to the next. */
export class GroupSet {
  readonly #options: GroupSetOptions;
  readonly #signal: AbortSignal;
  readonly #loops = new Map<string, {readonly loop: GroupLoop; readonly fingerprint: string}>();
  readonly #endings = new Set<Promise<void>>();
  readonly #stopEndings = new AbortController();
  #changing: Promise<void> = Promise.resolve();
  #loaded = false;

  /** `signal` breaks everything off. */
  constructor(options: GroupSetOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** By file and name. */
  get groups(): readonly Group[] {
    return [...this.#loops.values()].map(({loop}) => loop.group);
  }

  /**
   * Puts these groups in place of those that run. Unchanged ones go on untouched; the state of the others moves on, also
   * to other groups and files.
   */
  update(specs: readonly GroupSpec[]): Promise<void> {
    this.#changing = this.#changing.then(() => this.#update(specs));
    return this.#changing;
  }

  async #update(specs: readonly GroupSpec[]): Promise<void> {
    const wanted = new Map(specs.map((spec) => [keyOf(spec), spec]));
    const ended: GroupLoop[] = [];
    for (const [key, {loop, fingerprint}] of this.#loops) {
      const spec = wanted.get(key);
      if (spec === undefined || groupFingerprint(spec) !== fingerprint) ended.push(loop);
      else wanted.delete(key);
    }
    await Promise.all(ended.map((loop) => loop.stop()));
    if (this.#signal.aborted) return;
    const begun = [...wanted.values()].map((spec) => new Group(spec, this.#options.context));
    // Rules that come with a later reload have no past here; what they take over may still wait for its own.
    if (this.#loaded) for (const group of begun) group.setRestored();
    const left = carryOver(
      ended.map((loop) => loop.group),
      begun,
    );
    for (const loop of ended) this.#loops.delete(keyOf(loop.group.spec));
    for (const loop of ended) this.#leave(loop, left.get(loop.group) ?? [], begun);
    for (const group of begun) this.#begin(group, ended);
    this.#loaded = true;
    this.#count();
  }

  /** What becomes of a group that ended: series that nobody took over are ended, at once or in a while. */
  #leave(loop: GroupLoop, unclaimed: readonly Rule[], begun: readonly Group[]): void {
    const {group} = loop;
    const series = unclaimed.flatMap((rule) => rule.memory.last);
    const successor = begun.find((each) => keyOf(each.spec) === keyOf(group.spec));
    if (successor !== undefined) {
      successor.addOrphans([...series, ...group.orphans]);
      return;
    }
    forgetGroup(this.#options.metrics, metricLabels(group));
    this.#endLater(group, [...series, ...group.orphans]);
  }

  #endLater(group: Group, series: Group["orphans"]): void {
    if (series.length === 0) return;
    const {clock} = this.#options;
    const at = clock.now() + END_AFTER_INTERVALS * group.intervalMs;
    const stop = AbortSignal.any([this.#signal, this.#stopEndings.signal]);
    const ending = (async () => {
      await clock.sleepUntil(at, stop);
      if (!stop.aborted) await group.endSeries(series, Math.floor(clock.now()));
    })();
    this.#endings.add(ending);
    void ending.finally(() => this.#endings.delete(ending));
  }

  #begin(group: Group, ended: readonly GroupLoop[]): void {
    const {clock, logger, metrics, restore} = this.#options;
    const restores = group.rules.some(({alerting}) => alerting?.restored === false);
    const labels = metricLabels(group);
    metrics.evaluations.with(labels);
    metrics.failures.with(labels);
    metrics.iterations.with(labels);
    metrics.missed.with(labels);
    metrics.interval.with(labels).set(group.intervalMs / 1000);
    metrics.rules.with(labels).set(group.rules.length);
    const loop = new GroupLoop(group, {
      clock,
      logger,
      restore: restores ? restore : undefined,
      onMissed: (_, iterations) => {
        metrics.missed.with(labels).inc(iterations);
        metrics.iterations.with(labels).inc(iterations);
      },
      onRestored: (_, seconds) => metrics.lastRestore.with(labels).set(seconds),
    });
    const before = ended.find((each) => keyOf(each.group.spec) === keyOf(group.spec));
    this.#loops.set(keyOf(group.spec), {loop, fingerprint: groupFingerprint(group.spec)});
    loop.start(this.#signal, before?.lastT);
  }

  #count(): void {
    const {loaded} = this.#options.metrics;
    loaded.clear();
    for (const {spec, rules} of this.groups) {
      loaded.with({strategy: spec.strategy.toUpperCase(), file: spec.file, group: spec.name}).set(rules.length);
    }
  }

  /** Series of groups that are gone stay open: the process ends first, and another one may go on with them. */
  stopEndings(): void {
    this.#stopEndings.abort();
  }

  /** Lets running evaluations finish. */
  async close(): Promise<void> {
    await this.#changing;
    await Promise.all([...this.#loops.values()].map(({loop}) => loop.stop()));
    await Promise.all(this.#endings);
  }
}

const keyOf = ({file, name}: GroupSpec): string => `${file};${name}`;

/** Labels of a group's metrics. */
export const metricLabels = ({spec}: Group): {readonly strategy: string; readonly rule_group: string} => ({
  strategy: spec.strategy,
  rule_group: keyOf(spec),
});
