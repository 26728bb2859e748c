import assert from "node:assert/strict";

type Labels = Readonly<Record<string, string>>;
type Vector = {resultType: string; result: readonly {metric: Labels; value: readonly [number, string]}[]};
type Matrix = {resultType: string; result: readonly {metric: Labels; values: readonly (readonly [number, string])[]}[]};
type Groups = {
  groups: readonly {name: string; rules: readonly {name: string; type: string; alerts?: readonly unknown[]}[]}[];
};
type Exemplars = readonly {
  seriesLabels: Labels;
  exemplars: readonly {labels: Labels; value: string; timestamp: number}[];
}[];

/** What has to be in the data that answers a request of Grafana, by the request's name. */
export const EXPECTED: Readonly<Record<string, (data: never) => void>> = {
  health: (data: unknown) => assert.deepEqual(data, {resultType: "scalar", result: [4, "2"], analysis: {}}),
  buildinfo: ({version}: {version: string}) => assert.match(version, /^\d+\.\d+/),
  "exemplar probe": (data: unknown) => assert.deepEqual(data, []),
  "metric names": (names: readonly string[]) => {
    includes(names, ["app_request_seconds_bucket", "cluster:up:sum", "job:up:sum", "node_cpu_seconds_total", "up"]);
  },
  "metric names of a job": (names: readonly string[]) => {
    includes(names, ["app_request_seconds_count", "input", "up"]);
    assert.ok(!names.includes("node_cpu_seconds_total"));
  },
  metadata: (data: Readonly<Record<string, unknown>>) => {
    assert.deepEqual(data.app_request_seconds, [{type: "histogram", help: "Time of requests.", unit: "seconds"}]);
  },
  "metadata of one": (data: unknown) => {
    assert.deepEqual(data, {input: [{type: "gauge", help: "What the test says.", unit: ""}]});
  },
  "label names": (names: readonly string[]) => {
    includes(names, ["__name__", "cluster", "instance", "job", "le", "rack"]);
  },
  "label names of a metric": (names: readonly string[]) => {
    includes(names, ["__name__", "cluster", "instance", "job"]);
    assert.ok(!names.includes("le"));
  },
  "label values": (values: readonly string[]) => assert.match(values.join(), /^127\.0\.0\.1:\d+$/),
  "label values of all": (values: readonly string[]) => includes(values, ["app", "nodes"]),
  series: (series: readonly Labels[]) => {
    assert.deepEqual([...new Set(series.map(({cluster}) => cluster))].sort(), ["one", "two"]);
    for (const labels of series) assert.ok(labels.__name__ === "up" && !("replica" in labels), JSON.stringify(labels));
  },
  "query result": (data: Vector) => {
    assert.equal(data.resultType, "vector");
    includes(
      data.result.map(({metric, value}) => `${metric.cluster} ${metric.job} ${value[1]}`),
      ["one app 1", "one nodes 1", "two app 1"],
    );
  },
  "series by GET": (series: readonly Labels[]) => assert.equal(series.length, 2),
  range: (data: Matrix) => {
    assert.equal(data.resultType, "matrix");
    const app = data.result.find(({metric}) => metric.job === "app");
    assert.ok(
      app?.values.some(([t, v]) => Number.isInteger(t) && v === "2"),
      JSON.stringify(app),
    );
  },
  "range between steps": (data: Matrix) => assert.ok((data.result[0]?.values.length ?? 0) > 10),
  "heat map": (data: Matrix) => assert.deepEqual(data.result.map(({metric}) => metric.le).sort(), ["+Inf", "0.1"]),
  instant: (data: Vector) =>
    assert.deepEqual(
      data.result.map(({value}) => value[1]),
      ["1", "1", "1"],
    ),
  exemplars: (data: Exemplars) => {
    assert.ok(data.length > 0);
    for (const {seriesLabels, exemplars} of data) {
      assert.equal(seriesLabels.__name__, "app_request_seconds_bucket");
      assert.ok(!("replica" in seriesLabels));
      for (const {labels, value, timestamp} of exemplars) {
        assert.match(labels.trace_id ?? "", /^(trace|slow)-\d+$/);
        assert.ok(typeof value === "string" && typeof timestamp === "number");
      }
    }
  },
  annotations: (data: Matrix) => assert.equal(data.resultType, "matrix"),
  rules: ({groups}: Groups) => {
    // Both of the pair have the first group; it is there once.
    assert.deepEqual(groups.map(({name}) => name).sort(), ["clusters", "nodes"]);
    const names = groups.flatMap(({rules}) => rules.map(({name}) => name));
    assert.deepEqual(names.sort(), ["Cause", "Effect", "Everywhere", "Page", "Quiet", "cluster:up:sum", "job:up:sum"]);
  },
  "alert rules": ({groups}: Groups) => {
    const rules = groups.flatMap((group) => group.rules);
    assert.equal(rules.length, 5);
    assert.ok(rules.every(({type, alerts}) => type === "alerting" && Array.isArray(alerts)));
  },
  alerts: ({alerts}: {alerts: readonly {labels: Labels; state: string; activeAt: string}[]}) => {
    for (const {labels, state, activeAt} of alerts ?? []) {
      assert.ok(labels.alertname !== undefined && /^(pending|firing)$/.test(state) && Date.parse(activeAt) > 0);
    }
  },
  "an alert rule": (data: Vector) => assert.deepEqual(data.result, []),
};

function includes(all: readonly string[], wanted: readonly string[]): void {
  assert.deepEqual(
    wanted.filter((one) => !all.includes(one)),
    [],
    all.join(" "),
  );
}
