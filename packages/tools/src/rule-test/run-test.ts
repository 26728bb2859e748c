import {errorText} from "@strata/base";
import {type EngineOptions, execute} from "@strata/engine";
import {fromScript} from "@strata/engine/testing";
import {compareLabels, formatGoDuration, formatPrometheusDuration, Labels} from "@strata/model";
import {type ParseOptions, parseExpr} from "@strata/promql";
import {parseSeriesDescription} from "@strata/promql/testing";
import {ALERT_NAME, Group, type GroupSpec, vectorOf} from "@strata/rules";
import {alertsText, histogramExpression, type Sample, samplesText, sampleText} from "./failure-text.ts";
import type {AlertTest, ExpectedAlert, ExpressionTest, RuleTestFile, TestGroup} from "./test-file.ts";
import {TestStorage} from "./test-storage.ts";

/** What the language of rules and expressions has. */
export type TestFeatures = {readonly parse: ParseOptions; readonly engine: Partial<EngineOptions>};

/** Runs one group of tests against the rules; what did not hold, a text each. */
export async function runTestGroup(
  test: TestGroup,
  file: RuleTestFile,
  groups: readonly GroupSpec[],
  features: TestFeatures,
  signal: AbortSignal,
): Promise<string[]> {
  let run: TestRun;
  try {
    run = new TestRun(test, file, groups, features, signal);
  } catch (err) {
    return [errorText(err)];
  }
  await run.evaluate();
  if (run.rulesFailed) return run.failures;
  for (const expression of test.expressions) await run.check(expression);
  return run.failures;
}

class TestRun {
  readonly failures: string[] = [];
  /** A rule could not be evaluated: the rest of the group says nothing. */
  rulesFailed = false;
  readonly #test: TestGroup;
  readonly #file: RuleTestFile;
  readonly #features: TestFeatures;
  readonly #signal: AbortSignal;
  readonly #storage: TestStorage;
  readonly #groups: readonly Group[];

  constructor(
    test: TestGroup,
    file: RuleTestFile,
    groups: readonly GroupSpec[],
    features: TestFeatures,
    signal: AbortSignal,
  ) {
    this.#test = test;
    this.#file = file;
    this.#features = features;
    this.#signal = signal;
    this.#storage = new TestStorage(test.series, test.intervalMs, test.start);
    const rank = (name: string) => Math.max(0, file.groupOrder.indexOf(name));
    this.#groups = [...groups]
      .sort((a, b) => rank(a.name) - rank(b.name))
      .map((spec) => {
        const group = new Group(spec, this.#context());
        group.setRestored();
        return group;
      });
  }

  /** Loads and evaluates step by step, and looks at alerts when their times come. */
  async evaluate(): Promise<void> {
    const {start, alerts, expressions} = this.#test;
    const interval = this.#file.evaluationIntervalMs;
    const last = Math.max(0, ...alerts.map((a) => a.evalTimeMs), ...expressions.map((e) => e.evalTimeMs));
    const due = [...alerts].sort((a, b) => a.evalTimeMs - b.evalTimeMs);
    for (let t = start; t <= start + last; t += interval) {
      this.#signal.throwIfAborted();
      this.#storage.loadUntil(t);
      for (const group of this.#groups) await group.evaluate(t, this.#signal);
      for (const {rules} of this.#groups) {
        for (const {spec, lastError} of rules) {
          if (lastError === "") continue;
          this.rulesFailed = true;
          this.failures.push(`    rule: ${spec.name}, time: ${formatGoDuration(t)}, err: ${lastError}`);
        }
      }
      if (this.rulesFailed) return;
      while (due.length > 0 && due[0]!.evalTimeMs < t + interval - start) this.#checkAlerts(due.shift()!);
    }
  }

  #checkAlerts({alertname, evalTimeMs, expected}: AlertTest): void {
    const got: ExpectedAlert[] = [];
    for (const {alerting, spec} of this.#groups.flatMap(({rules}) => rules)) {
      if (alerting === undefined || spec.name !== alertname) continue;
      for (const {labels, annotations, state} of alerting.active)
        if (state === "firing") got.push({labels, annotations});
    }
    const name = Labels.fromPairs([[ALERT_NAME, alertname]]);
    const want = expected.map(({labels, annotations}) => ({labels: labels.extend(name), annotations}));
    const [exp, all] = [alertsText(want), alertsText(got)];
    if (exp === all) return;
    const test = this.#test.name === "" ? "" : `    name: ${this.#test.name},\n`;
    const at = `    alertname: ${alertname}, time: ${formatPrometheusDuration(evalTimeMs)}, `;
    this.failures.push(`${test}${at}\n        exp:${exp}, \n        got:${all}`);
  }

  /** Evaluates an expression and compares what it gives. */
  async check({expr, evalTimeMs, expected}: ExpressionTest): Promise<void> {
    const at = `    expr: ${JSON.stringify(expr)}, time: ${formatPrometheusDuration(evalTimeMs)}`;
    try {
      const want = expected.map(({labels, value, histogram}): Sample => {
        try {
          const histograms = histogram === "" ? undefined : expectedHistogram(histogram);
          return {
            labels: labels === "" ? Labels.EMPTY : parseSeriesDescription(labels).labels,
            value,
            histogram: histograms,
          };
        } catch (err) {
          throw new Error(`labels ${JSON.stringify(labels)}: ${errorText(err)}`, {cause: err});
        }
      });
      const vector = await this.#query(parseExpr(expr, this.#features.parse), this.#test.start + evalTimeMs);
      const got = vector.labels.map((labels, i): Sample => {
        const h = vector.histograms?.get(i);
        return {labels, value: vector.values[i]!, histogram: h && histogramExpression(h)};
      });
      for (const list of [want, got]) list.sort((a, b) => compareLabels(a.labels, b.labels));
      if (want.length === got.length && want.every((w, i) => this.#same(w, got[i]!))) return;
      this.failures.push(`${at},\n        exp: ${samplesText(want)}\n        got: ${samplesText(got)}`);
    } catch (err) {
      this.#signal.throwIfAborted();
      this.failures.push(`${at}, err: ${errorText(err)}`);
    }
  }

  #same(a: Sample, b: Sample): boolean {
    if (!a.labels.equals(b.labels) || a.histogram !== b.histogram) return false;
    if (a.histogram !== undefined || Object.is(a.value, b.value) || a.value === b.value) return true;
    return this.#file.fuzzy && Math.abs(a.value - b.value) <= lastBit(Math.max(Math.abs(a.value), Math.abs(b.value)));
  }

  async #query(expr: ReturnType<typeof parseExpr>, t: number) {
    const {store} = this.#storage;
    const options: Partial<EngineOptions> = {
      defaultSubqueryStepMs: this.#file.evaluationIntervalMs,
      decodeChunk: store.decodeChunk,
      ...this.#features.engine,
    };
    return vectorOf(await execute(expr, {start: t, end: t, step: 0}, store, options, this.#signal));
  }

  #context(): ConstructorParameters<typeof Group>[1] {
    const {externalLabels, externalUrl, intervalMs} = this.#test;
    return {
      query: ({expr, t}) => this.#query(expr, t),
      storage: this.#storage,
      notify: () => {},
      externalLabels,
      externalUrl,
      functionUrl: externalUrl === "" ? undefined : externalUrl,
      defaultIntervalMs: intervalMs,
      defaultQueryOffsetMs: 0,
      resendDelayMs: 0,
      parse: this.#features.parse,
      now: () => 0,
    };
  }
}

function expectedHistogram(text: string): string {
  const {values} = parseSeriesDescription(`{} ${text}`);
  const [value] = values;
  if (values.length !== 1) throw new Error(`expected 1 value, got ${values.length}`);
  if (value?.kind !== "histogram") throw new Error(`expected histogram, got ${sampleText(value)}`);
  return histogramExpression(fromScript(value.histogram));
}

/** The distance to the next float of a magnitude. */
const lastBit = (v: number): number => 2 ** Math.max(-1074, Math.floor(Math.log2(v)) - 52);
