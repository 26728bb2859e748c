import {formatPrometheusDuration, METRIC_NAME} from "@strata/model";
import {type Call, type Expr, format, type MatrixSelector, type VectorSelector, walk} from "@strata/promql";
import {type Finding, finding, type Subject} from "./finding.ts";
import {neverMatches} from "./label-flow.ts";

/** What is known of the metrics that rules read. */
export type MetricFacts = {
  /** `counter`, `gauge`, `histogram`…; undefined where nobody knows. */
  type(metric: string): string | undefined;
  /** How often the metric is scraped, ms. */
  scrapeIntervalMs(metric: string): number;
};

/** Functions that mean something for counters only, and want two samples in their window. */
const RATES: ReadonlySet<string> = new Set(["rate", "irate", "increase", "xrate", "xincrease"]);
/** Functions for gauges that want two samples, too. */
const SLOPES: ReadonlySet<string> = new Set(["delta", "idelta", "deriv", "predict_linear", "xdelta"]);
/** Where a counter's bare value is looked at with reason. */
const FINE_WITH_COUNTERS: ReadonlySet<string> = new Set([
  "absent",
  "absent_over_time",
  "changes",
  "count_over_time",
  "increase",
  "irate",
  "last_over_time",
  "present_over_time",
  "rate",
  "resets",
  "timestamp",
  "xincrease",
  "xrate",
  "histogram_quantile",
]);
const COUNTER_NAME = /_(total|count|sum|bucket)$/;

/** Checks of the expression itself. */
export function expressionFindings(subject: Subject, facts: MetricFacts): Finding[] {
  const found: Finding[] = [];
  walk(subject.rule.expr, (node, parents) => {
    if (node.kind === "call") found.push(...windowFindings(subject, node, facts));
    if (node.kind === "vector") found.push(...counterFindings(subject, node, parents, facts));
    if (node.kind === "binary") {
      const why = neverMatches(node);
      // `or` and `unless` give something without a match.
      if (why !== undefined && node.op !== "or" && node.op !== "unless") {
        found.push(finding(subject, "impossible-join", `${format(node)} can never match: ${why}`));
      }
    }
    return true;
  });
  return found;
}

function windowFindings(subject: Subject, {func, args}: Call, facts: MetricFacts): Finding[] {
  const range = args.find((arg): arg is MatrixSelector => arg.kind === "matrix");
  if (range === undefined || !(RATES.has(func.name) || SLOPES.has(func.name))) return [];
  const found: Finding[] = [];
  const metric = metricOf(range.selector);
  const interval = facts.scrapeIntervalMs(metric);
  if (range.range < 2 * interval) {
    const text = (ms: number): string => formatPrometheusDuration(ms);
    const message = `the window of ${func.name}(${format(range)}) is ${text(range.range)}, shorter than twice the scrape interval of ${text(interval)}: there may be one sample in it or none`;
    found.push(finding(subject, "rate-window", message));
  }
  if (RATES.has(func.name) && metric !== "" && !isCounter(metric, facts)) {
    const known = facts.type(metric);
    const why = known === undefined ? "its name does not end with _total, _count, _sum or _bucket" : `it is a ${known}`;
    found.push(
      finding(subject, "rate-of-gauge", `${func.name} is for counters, and ${metric} seems to be none: ${why}`),
    );
  }
  return found;
}

function counterFindings(
  subject: Subject,
  selector: VectorSelector,
  parents: readonly Expr[],
  facts: MetricFacts,
): Finding[] {
  const metric = metricOf(selector);
  const known = facts.type(metric);
  const counts = known === undefined ? metric.endsWith("_total") : known === "counter";
  if (!counts || metric.includes(":") || parents.some(isFine)) return [];
  const message = `${metric} is a counter, whose value since its start says little: rate or increase is missing`;
  return [finding(subject, "counter-without-rate", message)];
}

const isFine = (parent: Expr): boolean =>
  (parent.kind === "call" && FINE_WITH_COUNTERS.has(parent.func.name)) ||
  (parent.kind === "aggregate" && (parent.op === "count" || parent.op === "group"));

/** Results of recording rules (`level:metric:operations`) may be anything. */
function isCounter(metric: string, facts: MetricFacts): boolean {
  const known = facts.type(metric);
  if (known !== undefined)
    return known === "counter" || known === "histogram" || known === "summary" || known === "unknown";
  return metric.includes(":") || COUNTER_NAME.test(metric);
}

/** The metric that a selector names, "" if it names none. */
export const metricOf = ({matchers, name}: VectorSelector): string =>
  matchers.find((m) => m.name === METRIC_NAME && m.op === "=")?.value ?? name;
