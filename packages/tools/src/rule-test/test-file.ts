import {errorText, StrataError} from "@strata/base";
import {Labels, parsePrometheusDuration, parseRfc3339} from "@strata/model";
import {parse} from "yaml";

/** An alert that a test expects: the rule's labels without `alertname`. */
export type ExpectedAlert = {readonly labels: Labels; readonly annotations: Labels};

export type AlertTest = {
  readonly evalTimeMs: number;
  readonly alertname: string;
  readonly expected: readonly ExpectedAlert[];
};

/** A sample that an expression is expected to give; `labels` and `histogram` in the notation of the PromQL tests. */
export type ExpectedSample = {readonly labels: string; readonly value: number; readonly histogram: string};

export type ExpressionTest = {
  readonly expr: string;
  readonly evalTimeMs: number;
  readonly expected: readonly ExpectedSample[];
};

export type TestGroup = {
  readonly name: string;
  readonly intervalMs: number;
  readonly series: readonly {readonly series: string; readonly values: string}[];
  readonly alerts: readonly AlertTest[];
  readonly expressions: readonly ExpressionTest[];
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  /** Of the first value and evaluation, ms. */
  readonly start: number;
};

/** A file of unit tests for rules, in promtool's format. */
export type RuleTestFile = {
  /** Paths and globs, relative to the file. */
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  readonly groupOrder: readonly string[];
  /** Floats may be a last bit apart. */
  readonly fuzzy: boolean;
  readonly tests: readonly TestGroup[];
};

const MINUTE_MS = 60_000;

/** Reads a test file. Throws `bad_data` that names the field; unknown fields are errors. */
export function parseRuleTestFile(text: string): RuleTestFile {
  let content: unknown;
  try {
    // Scalars as they are written: `values: 0x10` is one value of 0 and ten more.
    content = parse(text, {schema: "failsafe", merge: true});
  } catch (err) {
    throw new StrataError("bad_data", `cannot read YAML: ${errorText(err).split("\n")[0]}`, {cause: err});
  }
  return readFile(content);
}

function readFile(value: unknown): RuleTestFile {
  const fields = ["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"];
  const f = fieldsOf(value, "the file", fields);
  const groupOrder = list(f.group_eval_order, "group_eval_order").map(text);
  groupOrder.forEach((name, i) => {
    if (groupOrder.indexOf(name) < i) throw bad(`group name repeated in evaluation order: ${name}`);
  });
  const evaluationIntervalMs = duration(f.evaluation_interval, "evaluation_interval") || MINUTE_MS;
  return {
    ruleFiles: list(f.rule_files, "rule_files").map(text),
    evaluationIntervalMs,
    groupOrder,
    fuzzy: ["true", "yes", "on", "y"].includes(text(f.fuzzy_compare).toLowerCase()),
    tests: list(f.tests, "tests").map((test, i) => readTest(test, `tests[${i}]`, evaluationIntervalMs)),
  };
}

function readTest(value: unknown, at: string, defaultIntervalMs: number): TestGroup {
  const fields = ["interval", "input_series", "alert_rule_test", "promql_expr_test", "external_labels"];
  const f = fieldsOf(value, at, [...fields, "external_url", "name", "start_timestamp"]);
  const name = text(f.name);
  return {
    name,
    intervalMs: duration(f.interval, `${at}.interval`) || defaultIntervalMs,
    series: list(f.input_series, `${at}.input_series`).map((series, i) => {
      const s = fieldsOf(series, `${at}.input_series[${i}]`, ["series", "values"]);
      return {series: text(s.series), values: text(s.values)};
    }),
    alerts: list(f.alert_rule_test, `${at}.alert_rule_test`).map((test, i) =>
      readAlert(test, `${at}.alert_rule_test[${i}]`, name),
    ),
    expressions: list(f.promql_expr_test, `${at}.promql_expr_test`).map((test, i) =>
      readExpression(test, `${at}.promql_expr_test[${i}]`),
    ),
    externalLabels: labels(f.external_labels, `${at}.external_labels`),
    externalUrl: text(f.external_url),
    start: startTime(f.start_timestamp, `${at}.start_timestamp`),
  };
}

function readAlert(value: unknown, at: string, test: string): AlertTest {
  const f = fieldsOf(value, at, ["eval_time", "alertname", "exp_alerts"]);
  const evalTimeMs = duration(f.eval_time, `${at}.eval_time`);
  const alertname = text(f.alertname);
  if (alertname === "") {
    const where = test === "" ? "" : ` (in TestGroup ${test})`;
    const what = "an item under alert_rule_test misses required attribute alertname";
    throw bad(`${what} at eval_time ${text(f.eval_time)}${where}`);
  }
  return {
    evalTimeMs,
    alertname,
    expected: list(f.exp_alerts, `${at}.exp_alerts`).map((alert, i) => {
      const a = fieldsOf(alert, `${at}.exp_alerts[${i}]`, ["exp_labels", "exp_annotations"]);
      return {
        labels: labels(a.exp_labels, `${at}.exp_alerts[${i}].exp_labels`),
        annotations: labels(a.exp_annotations, `${at}.exp_alerts[${i}].exp_annotations`),
      };
    }),
  };
}

function readExpression(value: unknown, at: string): ExpressionTest {
  const f = fieldsOf(value, at, ["expr", "eval_time", "exp_samples"]);
  return {
    expr: text(f.expr),
    evalTimeMs: duration(f.eval_time, `${at}.eval_time`),
    expected: list(f.exp_samples, `${at}.exp_samples`).map((sample, i) => {
      const s = fieldsOf(sample, `${at}.exp_samples[${i}]`, ["labels", "value", "histogram"]);
      return {
        labels: text(s.labels),
        value: float(s.value, `${at}.exp_samples[${i}].value`),
        histogram: text(s.histogram),
      };
    }),
  };
}

function fieldsOf(value: unknown, at: string, known: readonly string[]): Record<string, unknown> {
  if (isNothing(value)) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad(`cannot read ${at}: want a mapping`);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw bad(`field ${name} not found in ${at}: known are ${known.join(", ")}`);
  }
  return value as Record<string, unknown>;
}

const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === "string" && /^(?:|~|null)$/i.test(value));

function list(value: unknown, at: string): readonly unknown[] {
  if (isNothing(value)) return [];
  if (!Array.isArray(value)) throw bad(`cannot read ${at}: want a list`);
  return value;
}

const text = (value: unknown): string => (isNothing(value) ? "" : String(value));

function duration(value: unknown, at: string): number {
  if (isNothing(value)) return 0;
  try {
    return parsePrometheusDuration(text(value));
  } catch (err) {
    throw bad(`cannot read ${at}: ${errorText(err)}`);
  }
}

function float(value: unknown, at: string): number {
  if (isNothing(value)) return 0;
  const word = /^([+-]?)\.?(inf|nan)$/i.exec(text(value));
  if (word !== null) return word[2]!.toLowerCase() === "nan" ? Number.NaN : word[1] === "-" ? -Infinity : Infinity;
  const v = Number(text(value).replaceAll("_", ""));
  if (Number.isNaN(v)) throw bad(`cannot read ${at}: ${text(value)} is no number`);
  return v;
}

function labels(value: unknown, at: string): Labels {
  if (isNothing(value)) return Labels.EMPTY;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad(`cannot read ${at}: want a mapping`);
  const pairs = Object.entries(value).map(([name, v]) => [name, text(v)] as [string, string]);
  // A label without a value is none.
  return Labels.fromPairs(pairs.filter(([, v]) => v !== ""));
}

/** A Unix time in seconds, or a moment as RFC 3339 writes it. */
function startTime(value: unknown, at: string): number {
  if (isNothing(value)) return 0;
  const seconds = Number(text(value));
  if (!Number.isNaN(seconds)) return Math.round(seconds * 1000);
  const t = parseRfc3339(text(value));
  if (t === undefined) throw bad(`cannot read ${at}: ${text(value)} is neither seconds nor RFC 3339`);
  return t;
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
