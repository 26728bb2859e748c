import {StrataError, withContext} from "@strata/base";
import type {Labels, RelabelConfig} from "@strata/model";
import type {ParseOptions} from "@strata/promql";
import type {thanos} from "@strata/proto";
import {
  type ForStateSource,
  type Group,
  type GroupObserver,
  type RuleQuerier,
  type RuleStorage,
  ruleFileErrorText,
  ruleFilesError,
} from "@strata/rules";
import type {ApiSource} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {type OutgoingAlert, outgoing} from "./alert-payload.ts";
import {type Clock, systemClock} from "./clock.ts";
import {FileWatch} from "./file-watch.ts";
import {GroupSet, metricLabels} from "./group-set.ts";
import {loadRules} from "./rule-loader.ts";
import {type RuleMetrics, ruleMetrics} from "./rule-metrics.ts";
import {rulesSource} from "./rules-api.ts";
import {newSlots} from "./slots.ts";

export type RulerOptions = {
  readonly ruleFiles: readonly string[];
  readonly externalLabels: Labels;
  readonly query: RuleQuerier;
  readonly storage: RuleStorage;
  readonly forState: ForStateSource;
  /** Takes alerts that are due; must not wait. */
  readonly send: (alerts: readonly OutgoingAlert[]) => void;
  readonly alerts: {
    readonly dropLabels: readonly string[];
    readonly relabel: readonly RelabelConfig[];
    readonly queryUrl: string;
    readonly queryTemplate: string;
  };
  readonly parse: ParseOptions;
  readonly evalIntervalMs: number;
  readonly queryOffsetMs: number;
  readonly resendDelayMs: number;
  readonly outageToleranceMs: number;
  readonly graceMs: number;
  readonly concurrentEvaluation: number;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly metrics?: RuleMetrics | undefined;
  readonly clock?: Clock | undefined;
  /** How often files are looked at for changes, ms; 0 is never. */
  readonly watchIntervalMs?: number | undefined;
};

/** How often rule files are looked at. */
const WATCH_INTERVAL_MS = 5000;

/** Evaluates the rules of some files at their times. */
export class Ruler {
  readonly #options: RulerOptions;
  readonly #metrics: RuleMetrics;
  readonly #abort = new AbortController();
  readonly #set: GroupSet;
  readonly #watch: FileWatch;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: RulerOptions) {
    const {registry, logger, clock = systemClock} = options;
    this.#options = options;
    this.#metrics = options.metrics ?? ruleMetrics(registry);
    this.#watch = new FileWatch(options.ruleFiles);
    const {externalLabels, alerts, send} = options;
    this.#set = new GroupSet(
      {
        context: {
          query: options.query,
          storage: options.storage,
          notify: (rule, due) => send(due.flatMap((alert) => outgoing(rule, alert, {externalLabels, ...alerts}) ?? [])),
          externalLabels,
          externalUrl: alerts.queryUrl,
          functionUrl: undefined,
          defaultIntervalMs: options.evalIntervalMs,
          defaultQueryOffsetMs: options.queryOffsetMs,
          resendDelayMs: options.resendDelayMs,
          parse: options.parse,
          slots: options.concurrentEvaluation > 1 ? newSlots(options.concurrentEvaluation) : undefined,
          now: () => clock.now(),
          observer: observer(this.#metrics, logger),
        },
        restore: {
          source: options.forState,
          outageToleranceMs: options.outageToleranceMs,
          graceMs: options.graceMs,
          externalLabels,
        },
        clock,
        metrics: this.#metrics,
        logger,
      },
      this.#abort.signal,
    );
  }

  get groups(): readonly Group[] {
    return this.#set.groups;
  }

  /** The Rules API. */
  get source(): ApiSource<thanos.RulesRequest, thanos.RuleGroup> {
    return rulesSource(() => this.groups, this.#options.externalLabels);
  }

  /** Reads the files and begins to evaluate. Throws, and begins nothing, where a file has an error. */
  async start(): Promise<void> {
    await this.#load();
  }

  /**
   * Reads the files again. Where one has an error nothing changes: the rules that run go on. Throws one error with all
   * that is wrong.
   */
  reload(): Promise<void> {
    const next = this.#reloading.then(() => this.#load());
    this.#reloading = next.catch(() => undefined);
    return next;
  }

  /** Looks at the files every few seconds until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const interval = this.#options.watchIntervalMs ?? WATCH_INTERVAL_MS;
    const clock = this.#options.clock ?? systemClock;
    if (interval <= 0) return;
    while (!signal.aborted) {
      await clock.sleepUntil(clock.now() + interval, signal);
      if (signal.aborted || !this.#watch.changed()) continue;
      this.#options.logger.info("rule files have changed, reading them again");
      await this.reload().catch(() => undefined);
    }
  }

  async #load(): Promise<void> {
    const {ruleFiles, parse, logger} = this.#options;
    this.#watch.changed();
    const {groups, errors, warnings} = loadRules(ruleFiles, parse);
    for (const warning of warnings) logger.warn(warning);
    if (errors.length > 0) {
      this.#metrics.reloadOk.set(0);
      for (const error of errors) logger.error("cannot use rule", {err: ruleFileErrorText(error)});
      throw withContext(ruleFilesError(errors), "reloading rules failed");
    }
    await this.#set.update(groups);
    this.#metrics.reloadOk.set(1);
    this.#metrics.reloadTime.setToCurrentTime();
    const rules = groups.reduce((sum, group) => sum + group.rules.length, 0);
    logger.info("rules are loaded", {groups: groups.length, rules});
  }

  /** Ends all groups. What runs has `graceMs` to finish, then it is broken off. */
  async close(graceMs = 5000): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(new StrataError("canceled", "the ruler is stopping")), graceMs);
    this.#set.stopEndings();
    await this.#set.close();
    clearTimeout(timer);
    this.#abort.abort(new StrataError("canceled", "the ruler has stopped"));
  }
}

function observer(metrics: RuleMetrics, logger: Logger): GroupObserver {
  const ruleSeconds = new WeakMap<Group, number>();
  return {
    evaluated(group, _, seconds) {
      const {strategy} = metricLabels(group);
      metrics.evaluations.with(metricLabels(group)).inc();
      metrics.ruleSeconds.with({strategy}).observe(seconds);
      metrics.ruleHistogram.with({strategy}).observe(seconds);
      ruleSeconds.set(group, (ruleSeconds.get(group) ?? 0) + seconds);
    },
    failed(group, rule, err) {
      metrics.failures.with(metricLabels(group)).inc();
      const {file, name} = group.spec;
      logger.warn("cannot evaluate rule", {file, group: name, rule: rule.spec.name, err});
    },
    refused(group, rule, refused) {
      const {file, name} = group.spec;
      logger.warn("the storage refused samples of a rule", {file, group: name, rule: rule.spec.name, ...refused});
    },
    iterated(group, seconds, samples) {
      const labels = metricLabels(group);
      const {strategy} = labels;
      metrics.iterations.with(labels).inc();
      metrics.groupSeconds.with({strategy}).observe(seconds);
      metrics.groupHistogram.with({strategy}).observe(seconds);
      metrics.lastSeconds.with(labels).set(seconds);
      metrics.lastTime.with(labels).set((group.evaluatedAt ?? 0) / 1000);
      metrics.lastSamples.with(labels).set(samples);
      metrics.lastRuleSeconds.with(labels).set(ruleSeconds.get(group) ?? 0);
      ruleSeconds.delete(group);
    },
    expanded(failed) {
      metrics.expansions.inc();
      if (failed) metrics.expansionFailures.inc();
    },
  };
}
