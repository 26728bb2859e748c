import {Labels} from "@strata/model";
import {format, type VectorSelector, walk} from "@strata/promql";
import {ALERTS, ALERTS_FOR_STATE} from "../alerting-rule.ts";
import type {AlertingSpec, GroupSpec} from "../rule-spec.ts";
import {Expander, RuleTemplate, type TemplateSample} from "../template/expand.ts";
import {expressionFindings, type MetricFacts, metricOf} from "./expression-checks.ts";
import {type Finding, finding, type Subject} from "./finding.ts";
import {labelFlow, mayHave} from "./label-flow.ts";
import {labelsUsed} from "./template-labels.ts";

/** A querier that lint may ask. */
export type LintSource = {
  /** Whether there is any series. */
  exists(selector: string): Promise<boolean>;
  /** Types by metric. */
  types(): Promise<ReadonlyMap<string, string>>;
  /** Time between two samples of a metric, ms; undefined where it has too few. */
  scrapeInterval(metric: string): Promise<number | undefined>;
};

export type LintOptions = {
  /** Assumed where nobody can be asked, ms. */
  readonly scrapeIntervalMs: number;
  readonly source?: LintSource | undefined;
};

/** `level:metric:operations`, each of letters, digits and underscores; the level may be empty. */
const RECORD_NAME = /^[a-zA-Z_]?[a-zA-Z0-9_]*:[a-zA-Z_][a-zA-Z0-9_]*:[a-zA-Z0-9_]+$/;

/** Looks for what is likely wrong with rules that are valid. Findings stand in the order of the rules. */
export async function lintRules(groups: readonly GroupSpec[], options: LintOptions): Promise<Finding[]> {
  const subjects = groups.flatMap((group) => group.rules.map((rule, i): Subject => ({group, rule, position: i + 1})));
  const facts = await metricFacts(subjects, options);
  const known = new Set(subjects.map(({rule}) => rule.name));
  const found: Finding[] = [];
  const asked = new Map<string, boolean>();
  for (const subject of subjects) {
    const {rule} = subject;
    found.push(...expressionFindings(subject, facts));
    if (rule.kind === "recording") {
      if (!RECORD_NAME.test(rule.name)) {
        found.push(finding(subject, "record-name", `${rule.name} is not named level:metric:operations`));
      }
    } else found.push(...(await alertFindings(subject, rule)));
    if (options.source !== undefined) found.push(...(await missingFindings(subject, known, options.source, asked)));
  }
  return found;
}

async function metricFacts(
  subjects: readonly Subject[],
  {source, scrapeIntervalMs}: LintOptions,
): Promise<MetricFacts> {
  if (source === undefined) return {type: () => undefined, scrapeIntervalMs: () => scrapeIntervalMs};
  const types = await source.types();
  const intervals = new Map<string, number>();
  for (const metric of new Set(subjects.flatMap(({rule}) => selectorsOf(rule).map(metricOf)))) {
    const interval = metric === "" ? undefined : await source.scrapeInterval(metric);
    if (interval !== undefined) intervals.set(metric, interval);
  }
  return {
    // Histograms and summaries are known by their base name.
    type: (metric) => types.get(metric) ?? types.get(metric.replace(/_(count|sum|bucket)$/, "")),
    scrapeIntervalMs: (metric) => intervals.get(metric) ?? scrapeIntervalMs,
  };
}

async function alertFindings(subject: Subject, rule: AlertingSpec): Promise<Finding[]> {
  const found: Finding[] = [];
  if (rule.forMs === 0) {
    found.push(finding(subject, "no-for", "the alert has no `for`: it fires at the first sample, and at each gap"));
  }
  const flow = labelFlow(rule.expr);
  const expander = new Expander({
    t: Date.now(),
    externalLabels: Labels.EMPTY,
    externalUrl: "http://localhost",
    functionUrl: undefined,
    query: async () => [EXAMPLE],
  });
  const texts = [
    ...[...rule.labels].map(([name, text]) => ["label", name, text] as const),
    ...[...rule.annotations].map(([name, text]) => ["annotation", name, text] as const),
  ];
  for (const [what, name, text] of texts) {
    const template = new RuleTemplate(rule.name, text);
    for (const label of template.parsed === undefined ? [] : labelsUsed(template.parsed)) {
      if (mayHave(flow, label)) continue;
      const message = `${what} ${name} shows the label ${label}, which ${rule.query} does not have`;
      found.push(finding(subject, "dropped-label", message));
    }
    const shown = await template.expand(expander, EXAMPLE);
    const fault = /<error expanding template: (.*)>/s.exec(shown)?.[1];
    if (fault !== undefined) found.push(finding(subject, "template", `${what} ${name} does not render: ${fault}`));
  }
  return found;
}

/** What templates are tried with. */
const EXAMPLE: TemplateSample = {labels: Labels.fromObject({instance: "host:9090", job: "job"}), value: 1.5};

async function missingFindings(
  subject: Subject,
  own: ReadonlySet<string>,
  source: LintSource,
  asked: Map<string, boolean>,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const selector of selectorsOf(subject.rule)) {
    const metric = metricOf(selector);
    // What these rules themselves give may not be there yet, and alerts come and go.
    if (own.has(metric) || metric === ALERTS || metric === ALERTS_FOR_STATE) continue;
    const text = format({...selector, offset: 0, offsetExpr: undefined, at: undefined, mode: ""});
    const exists = asked.get(text) ?? (await source.exists(text));
    asked.set(text, exists);
    if (!exists) found.push(finding(subject, "missing-series", `there is no series ${text}`));
  }
  return found;
}

/** Selectors of an expression, but for those whose absence is what is asked for. */
function selectorsOf({expr}: Subject["rule"]): VectorSelector[] {
  const selectors: VectorSelector[] = [];
  walk(expr, (node) => {
    if (node.kind === "call" && (node.func.name === "absent" || node.func.name === "absent_over_time")) return false;
    if (node.kind === "vector" && !node.matchersOnly) selectors.push(node);
    return true;
  });
  return selectors;
}
