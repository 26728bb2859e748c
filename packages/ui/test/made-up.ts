import type {Handler} from "./fake-api.ts";

/** A moment for everything that is made up. */
export const THEN = Date.UTC(2024, 2, 1);
const at = (secondsBefore: number): string => new Date(THEN - secondsBefore * 1000).toISOString();

export const ok = (data: unknown, extra: object = {}): {body: unknown} => ({body: {status: "success", data, ...extra}});
const metric = (i: number): Record<string, string> => ({__name__: "up", job: `job-${i}`});

/** The points of a range query as the API would space them. */
function grid(params: URLSearchParams): readonly number[] {
  const [start = 0, end = 0, step = 1] = ["start", "end", "step"].map((name) => Number(params.get(name)));
  return Array.from({length: Math.floor((end - start) / step + 1e-6) + 1}, (_, k) => start + k * step);
}

/** Whatever the expression, by what is in it: a mistake, classic or native histograms, else three series. */
const range: Handler = (params) => {
  const query = params.get("query") ?? "";
  const times = grid(params);
  if (query.endsWith(" )")) {
    const error = "1:6: parse error: unexpected right parenthesis ')'";
    return {status: 400, body: {status: "error", errorType: "bad_data", error}};
  }
  if (params.get("analyze") === "true") return ok({resultType: "matrix", result: [], analysis: ANALYSIS});
  const matrix = (result: unknown): {body: unknown} => ok({resultType: "matrix", result});
  if (query.includes("_bucket")) {
    return matrix(
      ["0.1", "0.25", "0.5", "1", "2.5", "+Inf"].map((le, row) => ({
        metric: {le},
        values: times.map((t, k) => [t, String(5 * (row + 1) + row * (1 + Math.sin(k / 20 + row)))]),
      })),
    );
  }
  if (query.includes("native")) {
    const histograms = times.map((t, k) => [t, {count: "9", sum: "20", buckets: nativeBuckets(k)}]);
    return matrix([{metric: {job: "a"}, histograms}]);
  }
  const result = [1, 2, 3].map((i) => ({metric: metric(i), values: times.map((t, k) => [t, String(i + (k % 5))])}));
  return ok({resultType: "matrix", result}, {warnings: ["one store is missing"]});
};

const nativeBuckets = (k: number): unknown[] =>
  Array.from({length: 12}, (_, row) => [0, String(2 ** (row - 4)), String(2 ** (row - 3)), String((k + row) % 7)]);

/** A plan with its costs; without them it is what explaining gives. */
const ANALYSIS = {
  name: "[aggregate] sum by (job)",
  executionTime: "12.5ms",
  totalSamples: 750,
  series: 3,
  peakBytes: 120_000,
  children: [
    {
      name: "[rate] rate(http_requests_total[5m])",
      executionTime: "11ms",
      totalSamples: 250_000,
      series: 1430,
      peakBytes: 4_000_000,
      fanout: [
        {
          endpointAddr: "10.0.0.1:10901",
          duration: "8ms",
          bytesProcessed: 1_200_000,
          series: 700,
          chunks: 5000,
          samples: 120_000,
        },
        {
          endpointAddr: "10.0.0.2:10901",
          duration: "9ms",
          bytesProcessed: 1_300_000,
          series: 730,
          chunks: 5200,
          samples: 130_000,
        },
      ],
    },
  ],
};
const PLAN = {name: "[aggregate] sum by (job)", children: [{name: "[rate] rate(http_requests_total[5m])"}]};

const instant: Handler = (params) => {
  const query = params.get("query") ?? "";
  const time = Number(params.get("time"));
  if (query.startsWith("count(")) {
    const result = query.includes("missing") ? [] : [{metric: {}, value: [time, "1430"]}];
    return ok({resultType: "vector", result});
  }
  return ok({
    resultType: "vector",
    result: [1, 2].map((i) => ({metric: metric(i), value: [time, `${i}.5`]})),
  });
};

const stores = {
  sidecar: [
    {
      name: "10.0.0.2:10901",
      lastCheck: at(4),
      lastError: null,
      labelSets: [
        {cluster: "eu", replica: "a"},
        {cluster: "eu", replica: "b"},
      ],
      minTime: THEN - 7_200_000,
      maxTime: 2 ** 63,
    },
  ],
  store: [
    {
      name: "10.0.0.1:10901",
      lastCheck: at(0),
      lastError: "connection refused",
      labelSets: [{cluster: "eu"}],
      minTime: -62_167_219_200_000,
      maxTime: 2 ** 63,
    },
  ],
};

const rules: Handler = (params) => {
  const group = (members: unknown[]) => ({
    name: "node",
    file: "/etc/node.yml",
    interval: 30,
    lastEvaluation: at(12),
    evaluationTime: 0.012,
    rules: members,
  });
  const shared = {
    query: "up == 0",
    labels: {severity: "page"},
    evaluationTime: 0.01,
    lastEvaluation: "0001-01-01T00:00:00Z",
  };
  const alert = {
    labels: {alertname: "Down", job: "api"},
    annotations: {summary: "api is down"},
    state: "firing",
    activeAt: at(0),
    value: "1e+00",
  };
  const alerting = {
    ...shared,
    type: "alerting",
    name: "Down",
    state: "firing",
    duration: 60,
    health: "ok",
    annotations: {},
    alerts: [alert],
  };
  const calm = {...alerting, name: "Calm", state: "inactive", alerts: []};
  const recording = {...shared, type: "recording", name: "job:up:sum", health: "err", lastError: "many-to-many"};
  return ok({groups: [group(params.get("type") === "alert" ? [alerting, calm] : [alerting, calm, recording])]});
};

const targets: Handler = (params) => {
  const target = (pool: string, i: number, health: string, lastError = "") => ({
    discoveredLabels: {__address__: `10.0.1.${i}:9100`, __metrics_path__: "/metrics", job: pool},
    labels: {instance: `10.0.1.${i}:9100`, job: pool},
    scrapePool: pool,
    scrapeUrl: `http://10.0.1.${i}:9100/metrics`,
    globalUrl: `http://10.0.1.${i}:9100/metrics`,
    lastError,
    lastScrape: health === "unknown" ? "0001-01-01T00:00:00Z" : at(7),
    lastScrapeDuration: health === "unknown" ? 0 : 0.0123,
    health,
  });
  const active = [
    target("node", 1, "up"),
    target("node", 2, "down", "Get http://10.0.1.2:9100/metrics: dial tcp: connection refused"),
    target("api", 3, "up"),
    target("api", 4, "unknown"),
  ];
  const dropped = [{discoveredLabels: {__address__: "10.0.1.9:9100", job: "node"}}];
  return ok({
    activeTargets: params.get("state") === "dropped" ? [] : active,
    droppedTargets: params.get("state") === "active" ? [] : dropped,
  });
};

const RUNNING = {
  id: "01HQX3F5",
  query: "sum by (job) (rate(http_requests_total[5m]))",
  state: "running",
  start: THEN / 1000 - 86_400,
  end: THEN / 1000,
  step: 60,
  tenant: "team-a",
  startedAt: at(3),
  ageSeconds: 3.21,
  samples: 12_345_678,
  memoryBytes: 150_000_000,
  peakMemoryBytes: 220_000_000,
};
const WAITING = {
  ...RUNNING,
  id: "01HQX3F6",
  query: "up",
  state: "waiting",
  end: RUNNING.start,
  step: 0,
  ageSeconds: 0.2,
};

const statistics = {
  headStats: {numSeries: 1430, numLabelPairs: 96, chunkCount: 8811, minTime: THEN - 7_200_000, maxTime: THEN},
  seriesCountByMetricName: [
    {name: "http_requests_total", value: 800},
    {name: "node_cpu_seconds_total", value: 256},
  ],
  labelValueCountByLabelName: [{name: "instance", value: 64}],
  memoryInBytesByLabelName: [{name: "instance", value: 4096}],
  seriesCountByLabelValuePair: [{name: "job=api", value: 801}],
};

/** Paths by which the pages of each kind of component are offered. */
export const COMPONENTS = {
  query: [
    ...["/query", "/query_range", "/query_explain", "/query_range_explain", "/queries/active", "/labels"],
    ...["/stores", "/rules", "/alerts", "/targets", "/status/tsdb", "/status/buildinfo"],
  ],
  rule: ["/rules", "/alerts", "/status/buildinfo"],
  receive: ["/status/buildinfo"],
} as const;

export const offer = (component: keyof typeof COMPONENTS): Handler => {
  const tenantHeader = component === "query" ? "THANOS-TENANT" : null;
  return () => ok({component, version: "0.1.0", paths: COMPONENTS[component], tenantHeader});
};

/** A querier with something to show on every page. Ended queries are gone from its list. */
export function querier(): Readonly<Record<string, Handler>> {
  const running = [RUNNING, WAITING];
  return {
    "status/pages": offer("query"),
    query_range: range,
    query: instant,
    query_explain: () => ok(PLAN),
    query_range_explain: () => ok(PLAN),
    stores: () => ok(stores),
    rules,
    targets,
    "queries/active": () => ok(running),
    [`queries/active/${RUNNING.id}`]: () => {
      running.splice(0, 1);
      return ok({id: RUNNING.id, killed: true});
    },
    "status/buildinfo": () =>
      ok({
        version: "0.1.0",
        revision: "abc123",
        branch: "main",
        buildUser: "",
        buildDate: "2024-03-01",
        goVersion: "nodev26",
      }),
    "status/runtimeinfo": () => ok({startTime: at(7200), CWD: "/srv/strata", GOMAXPROCS: 8}),
    "status/flags": () =>
      ok({"http-address": "0.0.0.0:10902", "query.replica-label": "replica", "web.route-prefix": ""}),
    "status/tsdb": () => ok(statistics),
    metadata: () => ok({}),
    labels: () => ok(["job", "instance"]),
    "label/__name__/values": () => ok(["up", "http_requests_total"]),
  };
}
