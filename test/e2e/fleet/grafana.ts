/** A request that Grafana's Prometheus data source sends, below its URL. */
export type GrafanaRequest = {
  readonly name: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly params: readonly (readonly [string, string])[];
  /** Of panels and alerts, who asks. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** Of every request that Grafana's server sends. */
const SERVER_HEADERS = {
  "user-agent": "Grafana/11.4.0",
  "accept-encoding": "gzip",
  "x-grafana-org-id": "1",
  "x-datasource-uid": "bdyk2r1e4c5c0f",
};

const PANEL_HEADERS = {
  "x-dashboard-uid": "rYdddlPWk",
  "x-panel-id": "77",
  "x-panel-plugin-id": "timeseries",
  "x-query-group-id": "6f7c61d5-8b2b-4a0e-9d0e-2a3d3c0c8a11",
  "x-grafana-from-expr": "false",
};

const ALERT_HEADERS = {fromalert: "true", "x-rule-uid": "adl5p3", "x-rule-name": "up", "x-rule-folder": "ops"};

/**
 * What Grafana 10 and 11 ask for a data source of type Prometheus whose method is POST: its test, the builder and the
 * editor with their completion, variables, panels, annotations, exemplars and alerting. Times are seconds; what panels
 * show ends at `end`.
 */
export function grafanaRequests(start: number, end: number): readonly GrafanaRequest[] {
  // Completion asks for whole seconds.
  const range = [
    ["start", String(Math.floor(start))],
    ["end", String(Math.floor(end))],
  ] as const;
  // Panels ask for multiples of their step.
  const panel = (step: number) =>
    [
      ["start", String(Math.floor(start / step) * step)],
      ["end", String(Math.floor(end / step) * step)],
      ["step", String(step)],
    ] as const;
  const limit = ["limit", "40000"] as const;
  const instant = (query: string) =>
    [
      ["query", query],
      ["time", String(end)],
    ] as const;
  const get = (name: string, path: string, params: GrafanaRequest["params"] = []): GrafanaRequest => ({
    name,
    method: "GET",
    path,
    params,
  });
  const post = (
    name: string,
    path: string,
    params: GrafanaRequest["params"],
    headers?: Readonly<Record<string, string>>,
  ): GrafanaRequest => ({name, method: "POST", path, params, ...(headers === undefined ? {} : {headers})});
  return [
    // "Save & test".
    post("health", "/api/v1/query", [
      ["query", "1+1"],
      ["time", "4"],
    ]),
    get("buildinfo", "/api/v1/status/buildinfo"),
    // Whether there are exemplars.
    get("exemplar probe", "/api/v1/query_exemplars", [["query", "test"], ...range]),
    // Editor and builder.
    get("metric names", "/api/v1/label/__name__/values", [...range, limit]),
    get("metric names of a job", "/api/v1/label/__name__/values", [...range, ["match[]", '{job="app"}'], limit]),
    get("metadata", "/api/v1/metadata"),
    get("metadata of one", "/api/v1/metadata", [["metric", "input"]]),
    post("label names", "/api/v1/labels", range),
    post("label names of a metric", "/api/v1/labels", [...range, ["match[]", "up"], limit]),
    get("label values", "/api/v1/label/instance/values", [...range, ["match[]", 'up{job="app"}'], limit]),
    get("label values of all", "/api/v1/label/job/values", range),
    post("series", "/api/v1/series", [...range, ["match[]", '{__name__="up"}'], limit]),
    // Variables: query_result(…), and series by GET where a proxy refuses POST.
    post("query result", "/api/v1/query", instant("count by (cluster, job) (up)")),
    get("series by GET", "/api/v1/series", [["match[]", "app_request_seconds_count"], ...range]),
    // Panels: range and instant, with exemplars.
    post("range", "/api/v1/query_range", [["query", "sum by (job) (up)"], ...panel(1)], PANEL_HEADERS),
    post(
      "range between steps",
      "/api/v1/query_range",
      [["query", "rate(app_request_seconds_count[10s])"], ...panel(0.5)],
      PANEL_HEADERS,
    ),
    post(
      "heat map",
      "/api/v1/query_range",
      [["query", "sum by (le) (app_request_seconds_bucket)"], ...panel(2)],
      PANEL_HEADERS,
    ),
    post("instant", "/api/v1/query", instant("topk(3, up)"), PANEL_HEADERS),
    post(
      "exemplars",
      "/api/v1/query_exemplars",
      [
        ["query", "histogram_quantile(0.9, sum by (le) (rate(app_request_seconds_bucket[10s])))"],
        ...panel(0.5).slice(0, 2),
      ],
      PANEL_HEADERS,
    ),
    // Annotations are ranges with a coarse step.
    post("annotations", "/api/v1/query_range", [["query", 'ALERTS{alertname="Page"}'], ...panel(60)]),
    // Alerting: rules of the data source on its pages, its own rules as instant queries.
    get("rules", "/api/v1/rules"),
    get("alert rules", "/api/v1/rules", [["type", "alert"]]),
    get("alerts", "/api/v1/alerts"),
    post("an alert rule", "/api/v1/query", instant("up == 0"), ALERT_HEADERS),
  ];
}

export type GrafanaAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: {readonly status: string; readonly data: unknown; readonly warnings?: readonly string[]};
};

/** Sends a request of Grafana to the data source at `url`. */
export async function askAsGrafana(url: string, request: GrafanaRequest): Promise<GrafanaAnswer> {
  const params = new URLSearchParams(request.params.map(([name, value]) => [name, value]));
  const headers: Record<string, string> = {...SERVER_HEADERS, ...request.headers};
  const answer =
    request.method === "POST"
      ? await fetch(`${url}${request.path}`, {method: "POST", body: params.toString(), headers: {...headers, ...FORM}})
      : await fetch(`${url}${request.path}?${params}`, {headers});
  const body = (await answer.json()) as GrafanaAnswer["body"];
  return {status: answer.status, contentType: answer.headers.get("content-type") ?? "", body};
}

const FORM = {"content-type": "application/x-www-form-urlencoded"};
