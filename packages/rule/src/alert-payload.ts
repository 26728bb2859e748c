import {formatRfc3339, type Labels, type RelabelConfig, relabel} from "@strata/model";
import {type Alert, type AlertingSpec, generatorPath} from "@strata/rules";
import {goJson} from "@strata/web";

/** An alert as it is sent. Times are ms. */
export type OutgoingAlert = {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly generatorUrl: string;
};

export type OutgoingOptions = {
  /** What alerts get; wins over their own. */
  readonly externalLabels: Labels;
  /** Labels that are taken off, of external ones, too. */
  readonly dropLabels: readonly string[];
  readonly relabel: readonly RelabelConfig[];
  /** What links begin with. */
  readonly queryUrl: string;
  /** What follows, with `{{.Expr}}`. */
  readonly queryTemplate: string;
};

/** The alert as it goes out; undefined where relabelling drops it. */
export function outgoing(rule: AlertingSpec, alert: Alert, options: OutgoingOptions): OutgoingAlert | undefined {
  const {externalLabels, dropLabels, queryUrl, queryTemplate} = options;
  const own = alert.labels.without(dropLabels);
  const labels = relabel(own.extend(externalLabels.without(dropLabels)), options.relabel);
  if (labels === undefined) return undefined;
  return {
    labels,
    annotations: alert.annotations,
    startsAt: alert.firedAt ?? alert.activeAt,
    endsAt: alert.resolvedAt ?? alert.validUntil ?? alert.activeAt,
    generatorUrl: queryUrl + generatorPath(queryTemplate, rule.query),
  };
}

/** The body of a post, in the form of Alertmanager's API. */
export function alertsBody(alerts: readonly OutgoingAlert[], version: "v1" | "v2"): string {
  return goJson(
    alerts.map(({labels, annotations, startsAt, endsAt, generatorUrl}) =>
      version === "v1"
        ? {
            labels: labels.toObject(),
            annotations: annotations.toObject(),
            startsAt: formatRfc3339(startsAt),
            endsAt: formatRfc3339(endsAt),
            generatorURL: generatorUrl,
          }
        : {
            ...(annotations.size === 0 ? {} : {annotations: annotations.toObject()}),
            endsAt: new Date(endsAt).toISOString(),
            startsAt: new Date(startsAt).toISOString(),
            generatorURL: generatorUrl,
            labels: labels.toObject(),
          },
    ),
  );
}

/** Checks `--alert.query-template`: what stands between braces can only be the expression. Throws the fault's text. */
export function checkQueryTemplate(template: string): string | undefined {
  const rest = template.replace(/\{\{-?\s*\.Expr\s*-?\}\}/g, "");
  return rest.includes("{{") ? `invalid alert source template: ${template}: only {{.Expr}} is known` : undefined;
}
