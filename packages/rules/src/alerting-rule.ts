import {StrataError} from "@strata/base";
import {Labels, METRIC_NAME} from "@strata/model";
import {type Alert, type AlertState, RESOLVED_RETENTION_MS} from "./alert.ts";
import type {RuleSamples, RuleVector} from "./rule-io.ts";
import type {AlertingSpec} from "./rule-spec.ts";
import {seriesKey} from "./series-memory.ts";
import {type Expander, RuleTemplate, type TemplateSample} from "./template/expand.ts";

export const ALERT_NAME = "alertname";
export const ALERT_STATE = "alertstate";
export const ALERTS = "ALERTS";
export const ALERTS_FOR_STATE = "ALERTS_FOR_STATE";

const SEVERITY: Readonly<Record<AlertState, number>> = {inactive: 1, pending: 2, firing: 3};

/** An alerting rule with the alerts it has. */
export class AlertingRule {
  readonly spec: AlertingSpec;
  readonly #labelTemplates: readonly (readonly [string, RuleTemplate])[];
  readonly #annotationTemplates: readonly (readonly [string, RuleTemplate])[];
  #alerts = new Map<string, Alert>();
  /** ALERTS and ALERTS_FOR_STATE label sets by alert and state, so that the storage meets the same objects again. */
  #series = new WeakMap<Alert, Map<string, Labels>>();
  #evaluated = false;
  /** Whether the state from before a restart was looked for; nothing is stored about alerts before that. */
  restored = false;

  constructor(spec: AlertingSpec) {
    this.spec = spec;
    const templates = (texts: Labels): (readonly [string, RuleTemplate])[] =>
      [...texts].map(([name, text]) => [name, new RuleTemplate(spec.name, text)] as const);
    this.#labelTemplates = templates(spec.labels);
    this.#annotationTemplates = templates(spec.annotations);
  }

  /** All alerts, resolved ones too. */
  get alerts(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  /** Alerts that are pending or firing. */
  get active(): readonly Alert[] {
    return this.alerts.filter((alert) => alert.resolvedAt === undefined);
  }

  /** The most severe state of its alerts. */
  get state(): AlertState | "unknown" {
    if (!this.#evaluated) return "unknown";
    let worst: AlertState = "inactive";
    for (const {state} of this.#alerts.values()) if (SEVERITY[state] > SEVERITY[worst]) worst = state;
    return worst;
  }

  /** Takes over the alerts of a rule that this one replaces. */
  adopt(other: AlertingRule): void {
    this.#alerts = new Map([...other.#alerts].map(([key, alert]) => [key, {...alert}]));
    this.restored = other.restored;
    this.#evaluated = other.#evaluated;
  }

  /**
   * Brings the alerts up to date with a query's result at `t`, and gives the samples about them, whose time is
   * `t - offset`. Throws StrataError where label sets collide or the limit is exceeded.
   */
  async evaluate(
    result: RuleVector,
    t: number,
    offset: number,
    limit: number,
    expander: Expander,
  ): Promise<RuleSamples> {
    this.#evaluated = true;
    const found = await this.#found(result, t, expander);
    for (const [key, fresh] of found) {
      const known = this.#alerts.get(key);
      if (known !== undefined && known.state !== "inactive") {
        known.value = fresh.value;
        known.annotations = fresh.annotations;
      } else this.#alerts.set(key, fresh);
    }
    let count = 0;
    for (const [key, alert] of this.#alerts) {
      if (found.has(key)) {
        alert.keepFiringSince = undefined;
        count++;
        this.#advance(alert, t);
      } else if (this.#keepsFiring(alert, t)) count++;
      else this.#resolve(key, alert, t);
    }
    if (limit > 0 && count > limit) {
      this.#alerts.clear();
      throw new StrataError("limit", `exceeded limit of ${limit} with ${count} alerts`);
    }
    return this.#samples(t - offset);
  }

  /** What the result says, one new alert for each sample. */
  async #found(result: RuleVector, t: number, expander: Expander): Promise<Map<string, Alert>> {
    const found = new Map<string, Alert>();
    for (let i = 0; i < result.labels.length; i++) {
      const sample: TemplateSample = {
        labels: result.labels[i] as Labels,
        value: result.values[i] as number,
        histogram: result.histograms?.get(i),
      };
      const labels = await this.#alertLabels(sample, expander);
      const key = seriesKey(labels);
      if (found.has(key)) {
        throw new StrataError(
          "execution",
          "vector contains metrics with the same labelset after applying alert labels",
        );
      }
      found.set(key, {
        labels,
        annotations: Labels.fromPairs(await expandAll(this.#annotationTemplates, sample, expander)),
        state: "pending",
        // Compat: an alert about a histogram has no number.
        value: sample.histogram === undefined ? sample.value : 0,
        activeAt: t,
        firedAt: undefined,
        resolvedAt: undefined,
        lastSentAt: undefined,
        validUntil: undefined,
        keepFiringSince: undefined,
      });
    }
    return found;
  }

  async #alertLabels(sample: TemplateSample, expander: Expander): Promise<Labels> {
    const own = await expandAll(this.#labelTemplates, sample, expander);
    return Labels.fromPairs([...sample.labels, [METRIC_NAME, ""], ...own, [ALERT_NAME, this.spec.name]]);
  }

  #advance(alert: Alert, t: number): void {
    if (alert.state === "pending" && t - alert.activeAt >= this.spec.forMs) {
      alert.state = "firing";
      alert.firedAt = t;
    } else if (alert.state === "firing" && t - alert.activeAt < this.spec.forMs) {
      // A reload made `for` longer than the alert is old.
      alert.state = "pending";
      alert.firedAt = undefined;
      alert.lastSentAt = undefined;
    }
  }

  /** Whether an alert that the result lacks stays firing for a while. */
  #keepsFiring(alert: Alert, t: number): boolean {
    if (alert.state !== "firing" || this.spec.keepFiringForMs <= 0) return false;
    alert.keepFiringSince ??= t;
    return t - alert.keepFiringSince < this.spec.keepFiringForMs;
  }

  #resolve(key: string, alert: Alert, t: number): void {
    const over = alert.resolvedAt !== undefined && t - alert.resolvedAt > RESOLVED_RETENTION_MS;
    if (alert.state === "pending" || over) this.#alerts.delete(key);
    if (alert.state === "inactive") return;
    alert.state = "inactive";
    alert.resolvedAt = t;
  }

  #samples(t: number): RuleSamples {
    const alerts = this.restored ? this.active : [];
    const labels: Labels[] = [];
    const values = new Float64Array(2 * alerts.length);
    for (const alert of alerts) {
      values[labels.length] = 1;
      labels.push(this.#seriesOf(alert, alert.state));
      values[labels.length] = Math.floor(alert.activeAt / 1000);
      labels.push(this.#seriesOf(alert, ""));
    }
    return {t, labels, values, histograms: undefined};
  }

  /** The labels of ALERTS with a state, those of ALERTS_FOR_STATE without. */
  #seriesOf(alert: Alert, state: AlertState | ""): Labels {
    let known = this.#series.get(alert);
    if (known === undefined) {
      known = new Map();
      this.#series.set(alert, known);
    }
    let labels = known.get(state);
    if (labels === undefined) {
      labels = Labels.fromPairs([
        ...this.spec.labels,
        ...alert.labels,
        [METRIC_NAME, state === "" ? ALERTS_FOR_STATE : ALERTS],
        [ALERT_NAME, this.spec.name],
        [ALERT_STATE, state],
      ]);
      known.set(state, labels);
    }
    return labels;
  }

  /** The alerts to send at `t`; they count as sent. `validForMs` is how long a receiver may believe them. */
  takeDue(t: number, resendDelayMs: number, validForMs: number): readonly Alert[] {
    const due: Alert[] = [];
    for (const alert of this.#alerts.values()) {
      if (alert.state === "pending") continue;
      const {lastSentAt, resolvedAt} = alert;
      const unsentEnd = resolvedAt !== undefined && (lastSentAt === undefined || resolvedAt > lastSentAt);
      if (!unsentEnd && lastSentAt !== undefined && lastSentAt + resendDelayMs >= t) continue;
      alert.lastSentAt = t;
      alert.validUntil = t + validForMs;
      due.push({...alert});
    }
    return due;
  }
}

async function expandAll(
  templates: readonly (readonly [string, RuleTemplate])[],
  sample: TemplateSample,
  expander: Expander,
): Promise<[string, string][]> {
  const out: [string, string][] = [];
  for (const [name, template] of templates) out.push([name, await template.expand(expander, sample)]);
  return out;
}
