import {errorText} from "@strata/base";
import type {Labels} from "@strata/model";
import {format, type ParseOptions, parseExpr} from "@strata/promql";
import {AlertingRule} from "./alerting-rule.ts";
import {evaluationBatches} from "./dependencies.ts";
import {RecordingRule} from "./recording-rule.ts";
import {type RestoreOptions, restoreRule} from "./restore.ts";
import {
  NOTHING_REFUSED,
  type Notify,
  type Refused,
  type RuleQuerier,
  type RuleSamples,
  type RuleStorage,
  type RuleVector,
} from "./rule-io.ts";
import type {GroupSpec, RuleSpec} from "./rule-spec.ts";
import {SeriesMemory} from "./series-memory.ts";
import {fillStale} from "./stale.ts";
import {Expander} from "./template/expand.ts";

/** What groups have in common. */
export type GroupContext = {
  readonly query: RuleQuerier;
  readonly storage: RuleStorage;
  readonly notify: Notify;
  readonly externalLabels: Labels;
  /** `$externalURL` of templates. */
  readonly externalUrl: string;
  /** What the template functions `externalURL` and `pathPrefix` know; undefined makes them fail. */
  readonly functionUrl: string | undefined;
  readonly defaultIntervalMs: number;
  readonly defaultQueryOffsetMs: number;
  readonly resendDelayMs: number;
  /** How templates' queries are parsed. */
  readonly parse?: ParseOptions | undefined;
  /** Slots that rules evaluated beside their group's main line must get; left out, all run one after another. */
  readonly slots?: Slots | undefined;
  /** Wall clock, ms with fractions. */
  readonly now: () => number;
  readonly observer?: GroupObserver | undefined;
};

/** A bounded number of things at once. */
export type Slots = {tryTake(): boolean; give(): void};

/** Told of what groups do, for metrics and logs. */
export type GroupObserver = {
  evaluated?(group: Group, rule: Rule, seconds: number): void;
  failed?(group: Group, rule: Rule, err: unknown): void;
  refused?(group: Group, rule: Rule, refused: Refused): void;
  iterated?(group: Group, seconds: number, samples: number): void;
  missed?(group: Group, iterations: number): void;
  expanded?(failed: boolean): void;
};

export type Health = "unknown" | "ok" | "err";

/** A rule and how it does. */
export type Rule = {
  readonly spec: RuleSpec;
  /** One of the two, by kind. */
  readonly alerting: AlertingRule | undefined;
  readonly recording: RecordingRule | undefined;
  readonly memory: SeriesMemory;
  health: Health;
  lastError: string;
  /** Wall clock of the last evaluation, ms; undefined before the first. */
  evaluatedAt: number | undefined;
  evaluationSeconds: number;
};

/** A group of rules with their state. Evaluations of one group must not overlap. */
export class Group {
  readonly spec: GroupSpec;
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
  readonly rules: readonly Rule[];
  readonly #context: GroupContext;
  readonly #batches: readonly (readonly number[])[];
  /** Series of rules that are gone, to be ended at the next evaluation. */
  #orphans: Labels[] = [];
  /** Wall clock at which the last iteration began, ms; undefined before the first. */
  evaluatedAt: number | undefined;
  evaluationSeconds = 0;
  /** Samples stored by the last iteration. */
  samples = 0;

  constructor(spec: GroupSpec, context: GroupContext) {
    this.spec = spec;
    this.intervalMs = spec.intervalMs ?? context.defaultIntervalMs;
    this.queryOffsetMs = spec.queryOffsetMs ?? context.defaultQueryOffsetMs;
    this.#context = context;
    this.rules = spec.rules.map((rule) => newRule(rule));
    this.#batches = context.slots === undefined ? [] : evaluationBatches(spec.rules);
  }

  /** Evaluates all rules as of `t`, ms. Errors stay with their rules; only an aborted signal throws. */
  async evaluate(t: number, signal: AbortSignal): Promise<void> {
    const started = this.#context.now();
    const expander = this.#expander(t, signal);
    this.samples = 0;
    if (this.#context.slots === undefined) {
      for (const rule of this.rules) await this.#evaluateRule(rule, t, expander, signal);
    } else {
      for (const batch of this.#batches) await this.#evaluateBatch(batch, t, expander, this.#context.slots, signal);
    }
    await this.#endOrphans(t);
    this.evaluatedAt = started;
    this.evaluationSeconds = elapsed(started, this.#context.now());
    this.#context.observer?.iterated?.(this, this.evaluationSeconds, this.samples);
  }

  /** Rules for which there is no slot run in the main line. */
  async #evaluateBatch(
    batch: readonly number[],
    t: number,
    expander: Expander,
    slots: Slots,
    signal: AbortSignal,
  ): Promise<void> {
    const beside: Promise<void>[] = [];
    try {
      for (const i of batch) {
        const rule = this.rules[i] as Rule;
        if (batch.length > 1 && slots.tryTake()) {
          beside.push(this.#evaluateRule(rule, t, expander, signal).finally(() => slots.give()));
        } else await this.#evaluateRule(rule, t, expander, signal);
      }
    } finally {
      await Promise.allSettled(beside);
    }
    await Promise.all(beside);
  }

  async #evaluateRule(rule: Rule, t: number, expander: Expander, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const started = this.#context.now();
    try {
      const samples = await this.#samplesOf(rule, t, expander, signal);
      rule.health = "ok";
      rule.lastError = "";
      if (rule.alerting !== undefined) this.#send(rule.alerting, t);
      await this.#store(rule, samples);
    } catch (err) {
      signal.throwIfAborted();
      rule.health = "err";
      rule.lastError = errorText(err);
      this.#context.observer?.failed?.(this, rule, err);
    }
    rule.evaluatedAt = started;
    rule.evaluationSeconds = elapsed(started, this.#context.now());
    this.#context.observer?.evaluated?.(this, rule, rule.evaluationSeconds);
  }

  async #samplesOf(rule: Rule, t: number, expander: Expander, signal: AbortSignal): Promise<RuleSamples> {
    const {expr, query} = rule.spec;
    const {strategy, limit} = this.spec;
    const offset = this.queryOffsetMs;
    const result = await this.#context.query({expr, query, t: t - offset, strategy}, signal);
    if (rule.recording !== undefined) return rule.recording.samples(result, t - offset, limit);
    return (rule.alerting as AlertingRule).evaluate(result, t, offset, limit, expander);
  }

  #send(rule: AlertingRule, t: number): void {
    const {resendDelayMs, notify} = this.#context;
    // Receivers may believe an alert for as long as four sendings could fail.
    const due = rule.takeDue(t, resendDelayMs, 4 * Math.max(this.intervalMs, resendDelayMs));
    if (due.length > 0) notify(rule.spec, due);
  }

  /** Stores samples and the ends of what the rule gave before and gives no more. */
  async #store(rule: Rule, samples: RuleSamples): Promise<void> {
    const before = rule.memory.last;
    const gone = rule.memory.advance(samples.labels);
    const all = gone.length === 0 ? samples : withEnds(samples, gone);
    if (all.labels.length === 0) return;
    let refused: Refused;
    try {
      refused = await this.#context.storage.append(all);
    } catch (err) {
      // Nothing was stored: the ends have to be written another time.
      rule.memory.restore(before, samples.labels);
      throw err;
    }
    this.samples += samples.labels.length;
    if (refused === NOTHING_REFUSED) return;
    const total = refused.outOfOrder + refused.tooOld + refused.duplicate;
    if (total === 0) return;
    rule.health = "err";
    rule.lastError = refusedText(refused);
    this.#context.observer?.refused?.(this, rule, refused);
  }

  #expander(t: number, signal: AbortSignal): Expander {
    const {externalLabels, externalUrl, functionUrl, observer, query, parse} = this.#context;
    return new Expander({
      t,
      externalLabels,
      externalUrl,
      functionUrl,
      query: async (text) => {
        const expr = parseExpr(text, parse);
        // Compat: templates' queries know no offset.
        const result = await query({expr, query: format(expr), t, strategy: this.spec.strategy}, signal);
        return result.labels.map((labels, i) => ({
          labels,
          value: result.values[i] as number,
          histogram: result.histograms?.get(i),
        }));
      },
      onExpand: (failed) => observer?.expanded?.(failed),
    });
  }

  /** Looks for the state of alerts from before a restart. Errors are given to `failed`, rule by rule. */
  async restore(
    now: number,
    options: RestoreOptions,
    signal: AbortSignal,
    failed: (err: unknown) => void,
  ): Promise<void> {
    for (const {alerting} of this.rules) {
      if (alerting === undefined || alerting.restored) continue;
      try {
        await restoreRule(alerting, now, options, signal);
      } catch (err) {
        signal.throwIfAborted();
        failed(err);
      }
    }
  }

  /** Alerts of these rules have no past to look for. */
  setRestored(): void {
    for (const {alerting} of this.rules) if (alerting !== undefined) alerting.restored = true;
  }

  /** Series to end at the next evaluation. */
  addOrphans(series: readonly Labels[]): void {
    this.#orphans.push(...series);
  }

  async #endOrphans(t: number): Promise<void> {
    if (this.#orphans.length === 0) return;
    const orphans = this.#orphans;
    this.#orphans = [];
    await this.endSeries(orphans, t - this.queryOffsetMs);
  }

  /** Writes stale markers; whatever the storage refuses had newer samples. */
  async endSeries(series: readonly Labels[], t: number): Promise<void> {
    if (series.length === 0) return;
    const values = new Float64Array(series.length);
    fillStale(values, 0, series.length);
    try {
      await this.#context.storage.append({t, labels: series, values, histograms: undefined});
    } catch (err) {
      const [rule] = this.rules;
      if (rule !== undefined) this.#context.observer?.failed?.(this, rule, err);
    }
  }

  /** Series that are still to be ended. */
  get orphans(): readonly Labels[] {
    return this.#orphans;
  }
}

function newRule(spec: RuleSpec): Rule {
  return {
    spec,
    alerting: spec.kind === "alerting" ? new AlertingRule(spec) : undefined,
    recording: spec.kind === "recording" ? new RecordingRule(spec) : undefined,
    memory: new SeriesMemory(),
    health: "unknown",
    lastError: "",
    evaluatedAt: undefined,
    evaluationSeconds: 0,
  };
}

function withEnds(samples: RuleSamples, gone: readonly Labels[]): RuleSamples {
  const n = samples.labels.length;
  const values = new Float64Array(n + gone.length);
  values.set(samples.values);
  fillStale(values, n, values.length);
  return {...samples, labels: [...samples.labels, ...gone], values};
}

function refusedText({outOfOrder, tooOld, duplicate}: Refused): string {
  const parts: string[] = [];
  if (outOfOrder > 0) parts.push(`${outOfOrder} out of order`);
  if (tooOld > 0) parts.push(`${tooOld} too old`);
  if (duplicate > 0) parts.push(`${duplicate} with another value at the same time`);
  return `cannot store some samples: ${parts.join(", ")}`;
}

/** A result of the engine or of a querier that rules can use. */
export const emptyVector: RuleVector = {labels: [], values: new Float64Array(0), histograms: undefined};

/** Seconds between two times in ms, to the nanosecond: more digits are noise. */
const elapsed = (from: number, to: number): number => Math.max(0, Math.round((to - from) * 1e6)) / 1e9;
