import assert from "node:assert/strict";
import {before, describe, test} from "node:test";
import {freePort} from "@strata/base/testing";
import {type SampleSeries, SampleStore, startStore, storeInfo} from "@strata/storeapi/testing";
import {endpointSeen, metricsOf, strata, suiteScope} from "./strata.ts";

const T = 1_700_000_000;
const STEP = 15;
const SAMPLES = 80;

/** Counters, gauges with gaps, and classic histograms of one replica of one cluster. */
function clusterSeries(cluster: string, replica: string, seed: number): SampleSeries[] {
  const out: SampleSeries[] = [];
  const add = (labels: Record<string, string>, value: (i: number) => number | undefined) => {
    const samples = Array.from({length: SAMPLES}, (_, i) => [(T + i * STEP) * 1000, value(i)] as const);
    out.push({
      labels: {...labels, cluster, replica},
      samples: samples.filter((s): s is readonly [number, number] => s[1] !== undefined),
    });
  };
  for (const job of ["api", "db"]) {
    for (let host = 0; host < 3; host++) {
      const at = {job, instance: `h${host}:1`};
      const rate = 1 + host + seed;
      add({__name__: "requests_total", code: host === 0 ? "500" : "200", ...at}, (i) => (i * rate * STEP) % 4000);
      // The middle third of one series is missing, and another one ends early.
      add({__name__: "temp", ...at}, (i) =>
        host === 1 && i > 25 && i < 55
          ? undefined
          : host === 2 && i > 50
            ? undefined
            : Math.sin(i / 9 + seed) * 10 + host,
      );
    }
    for (const le of ["0.1", "1", "+Inf"]) {
      const share = {"0.1": 0.3, "1": 0.8, "+Inf": 1}[le] as number;
      add({__name__: "lat_bucket", job, instance: "h0:1", le}, (i) => Math.floor(i * 10 * share + seed));
    }
  }
  add({__name__: "only_in", cluster_info: cluster, job: "api", instance: "h0:1"}, () => seed);
  return out;
}

const QUERIES = [
  "temp",
  'temp{cluster="eu"}',
  'temp{cluster="nope"}',
  "nope",
  "sum(temp)",
  "count(temp)",
  "min(temp)",
  "max(temp)",
  "avg(temp)",
  "group(temp)",
  "stddev(temp)",
  "quantile(0.5, temp)",
  "quantile by (cluster) (0.5, temp)",
  "sum by (job) (temp)",
  "sum by (cluster) (temp)",
  "avg by (job) (temp)",
  "avg without (instance, cluster) (temp)",
  "count without (instance) (temp)",
  "count without (cluster) (temp)",
  "topk(2, temp)",
  "bottomk by (job) (1, temp)",
  "topk by (cluster) (1, temp)",
  "sort_desc(sum by (job, cluster) (temp))",
  'count_values("v", round(temp))',
  "rate(requests_total[1m])",
  "sum(rate(requests_total[1m]))",
  "sum by (job) (rate(requests_total[1m]))",
  'sum(rate(requests_total{code="500"}[2m])) / sum(rate(requests_total[2m]))',
  'sum by (cluster) (rate(requests_total{code="500"}[2m])) / sum by (cluster) (rate(requests_total[2m]))',
  "histogram_quantile(0.9, sum by (le) (rate(lat_bucket[2m])))",
  "histogram_quantile(0.9, sum by (le, cluster) (rate(lat_bucket[2m])))",
  "histogram_quantile(0.9, rate(lat_bucket[2m]))",
  "temp * 2 + 1",
  "temp > 3",
  "-temp",
  "abs(temp) + on (cluster, job, instance) requests_total",
  "temp + on (job, instance) group_left () sum by (job, instance) (requests_total)",
  'temp{cluster="eu"} - on (job, instance) temp{cluster="us"}',
  'temp or nope{cluster="eu"}',
  'temp unless temp{cluster="us"}',
  "temp and requests_total",
  "max_over_time(temp[2m])",
  "sum(max_over_time(temp[2m:30s]))",
  "max_over_time(sum(temp)[2m:30s])",
  "max_over_time(sum by (cluster) (temp)[2m:])",
  "sum(temp offset 1m)",
  "sum(temp @ 1700000600)",
  "sum(temp @ end())",
  "absent(temp)",
  'absent(nope{cluster="eu"})',
  "absent(nope)",
  "scalar(sum(temp))",
  "sum(temp) * scalar(count(temp))",
  "vector(1)",
  "time()",
  "sum(temp) + time()",
  'label_replace(sum by (cluster) (temp), "cluster", "x", "", "")',
  'label_replace(temp, "host", "$1", "instance", "(.*):.*")',
  'sum by (cluster) (label_replace(temp, "cluster", "x", "", ""))',
  "timestamp(temp)",
  "sum(timestamp(temp))",
  "count(temp > 5) or vector(0)",
  'count by (cluster) ({__name__=~".+"})',
  'sum(only_in{cluster="us"}) + sum(only_in{cluster="eu"})',
  'sum(temp{replica="1"})',
  "changes(temp[3m])",
  "predict_linear(temp[3m], 60)",
  "sum(sum by (cluster) (temp))",
  "max(sum by (job) (temp))",
  "stddev(sum by (cluster, job) (temp))",
];

type Row = {metric: Record<string, string>; value?: [number, string]; values?: [number, string][]};
type Answer = {status: string; data: {resultType: string; result: Row[] | [number, string]}; warnings?: string[]};

describe("distributed mode", () => {
  const scope = suiteScope();
  const leaves: string[] = [];
  const leafUrls: string[] = [];
  let local = "";
  let distributed = "";
  const replicaLabel = "--query.replica-label=replica";

  const querier = async (endpoints: readonly string[], ...flags: string[]) => {
    const grpc = `127.0.0.1:${await freePort()}`;
    // Strict: on a busy machine an endpoint may answer too late to be asked.
    const own = [...endpoints.map((e) => `--endpoint-strict=${e}`), `--grpc-address=${grpc}`, "--grpc-grace-period=0s"];
    // Endpoints are looked for often, but where a test needs that one is not found out to be away.
    const often = flags.some((f) => f.startsWith("--endpoint.info-timeout")) ? [] : ["--endpoint.info-timeout=500ms"];
    const server = await strata(scope, "query", [...own, ...often, replicaLabel, ...flags]);
    return {server, grpc, url: server.url};
  };

  before(async () => {
    const started = await Promise.all(
      ["eu", "us"].map(async (cluster, i) => {
        const stores: string[] = [];
        for (const replica of ["1", "2"]) {
          const source = new SampleStore(clusterSeries(cluster, replica, i + 1));
          const labels = [
            {name: "cluster", value: cluster},
            {name: "replica", value: replica},
          ];
          const range = {minTime: T * 1000, maxTime: 2 ** 63};
          const store = {...storeInfo().store, ...range, tsdbInfos: [{labels: {labels}, ...range}]};
          const info = () => ({...storeInfo({cluster, replica}), store});
          stores.push((await startStore(scope, source, {info})).address);
        }
        const leaf = await querier(stores);
        await endpointSeen(leaf.url, "store", leaf.server);
        return leaf;
      }),
    );
    leaves.push(...started.map((leaf) => leaf.grpc));
    leafUrls.push(...started.map((leaf) => leaf.url));
    const globals = [querier(leaves), querier(leaves, "--query.mode=distributed")] as const;
    const [plain, pushing] = await Promise.all(globals);
    await Promise.all([plain, pushing].map((one) => endpointSeen(one.url, "query", one.server)));
    local = plain.url;
    distributed = pushing.url;
  });

  const ask = async (url: string, path: string, params: Record<string, string>): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`);
    return (await response.json()) as Answer;
  };

  /** Values to ten digits: sums over clusters are added up in another order. */
  const rounded = (answer: Answer): unknown => {
    const number = ([t, v]: [number, string]) => [t, Number(Number(v).toPrecision(10)) || v];
    const {result} = answer.data;
    if (answer.data.resultType === "scalar") return number(result as [number, string]);
    return (result as Row[])
      .map(({metric, value, values}) => JSON.stringify([metric, value && number(value), values?.map(number)]))
      .sort();
  };

  for (const query of QUERIES) {
    test(`gives what a querier over all series gives: ${query}`, async () => {
      for (const [path, params] of [
        ["query", {time: `${T + 900.25}`}],
        ["query_range", {start: `${T + 7}`, end: `${T + 1500}`, step: "7"}],
      ] as const) {
        const [want, got] = await Promise.all([
          ask(local, path, {query, ...params}),
          ask(distributed, path, {query, ...params}),
        ]);
        assert.equal(got.status, want.status, JSON.stringify(got));
        if (want.status !== "success") continue;
        assert.deepEqual(rounded(got), rounded(want), `${path} ${JSON.stringify(params)}`);
        assert.deepEqual(got.warnings ?? [], want.warnings ?? []);
        if (path === "query" && /^(topk|bottomk|sort)/.test(query)) {
          const order = (a: Answer) => (a.data.result as Row[]).map((row) => JSON.stringify(row.metric));
          assert.deepEqual(order(got), order(want));
        }
      }
    });
  }

  test("leaves the work to the queriers of the clusters that a query touches", async () => {
    const handled = async (url: string, service: string, method: string) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = new RegExp(
        `^grpc_server_handled_total\\{[^}]*grpc_code="OK"[^}]*grpc_method="${method}"[^}]*grpc_service="${service}"[^}]*\\} (\\d+)`,
        "m",
      );
      return Number(line.exec(text)?.[1] ?? 0);
    };
    const counts = async () =>
      Promise.all(
        leafUrls.flatMap((url) => [handled(url, "thanos.Query", "Query"), handled(url, "thanos.Store", "Series")]),
      );
    const asked = async (query: string) => {
      const before = await counts();
      await ask(distributed, "query", {query, time: `${T + 600}`});
      return (await counts()).map((n, i) => n - (before[i] as number));
    };
    assert.deepEqual(await asked("sum(rate(requests_total[1m]))"), [1, 0, 1, 0]);
    assert.deepEqual(await asked("avg by (job) (temp)"), [2, 0, 2, 0]);
    assert.deepEqual(await asked('stddev(temp{cluster="us"})'), [0, 0, 1, 0]);
    assert.deepEqual(await asked("temp and requests_total"), [1, 0, 1, 0]);
    assert.deepEqual(await asked("absent(temp)"), [0, 1, 0, 1]);
    assert.deepEqual(await asked("max_over_time(sum(temp)[2m:30s])"), [0, 1, 0, 1]);
    assert.ok((await metricsOf(distributed))("go_goroutines") >= 0);
  });

  test("a store beside the queriers keeps what it may hold from being left to them", async () => {
    const extra = new SampleStore(clusterSeries("asia", "1", 9));
    const {address} = await startStore(scope, extra, {info: () => storeInfo({cluster: "asia"})});
    const both = await querier([...leaves, address], "--query.mode=distributed");
    await endpointSeen(both.url, "query", both.server);
    await endpointSeen(both.url, "store", both.server);
    const all = await ask(both.url, "query", {query: "count by (cluster) (temp)", time: `${T + 600}`});
    const clusters = (all.data.result as Row[]).map((row) => row.metric.cluster).sort();
    assert.deepEqual(clusters, ["asia", "eu", "us"]);
  });

  test("two queriers over the same stores are one part, and one that is away is made up for by the other", async () => {
    const [first] = leaves;
    const stores = (await (await fetch(`${leafUrls[0]}/api/v1/stores`)).json()) as {data: {store: {name: string}[]}};
    const twin = await querier(stores.data.store.map((s) => s.name));
    await endpointSeen(twin.url, "store", twin.server);
    const pushing = await querier(
      [first as string, twin.grpc],
      "--query.mode=distributed",
      "--endpoint.info-timeout=60s",
    );
    await endpointSeen(pushing.url, "query", pushing.server);
    const count = async () => {
      const {data, warnings} = await ask(pushing.url, "query", {query: "count(temp)", time: `${T + 600}`});
      return [(data.result as Row[])[0]?.value?.[1], warnings];
    };
    assert.deepEqual(await count(), ["6", undefined]);
    await twin.server.stop();
    assert.deepEqual(await count(), ["6", undefined]);
  });

  test("a querier that is away is told of, or fails the query", async () => {
    const away = await querier(["127.0.0.1:1"]);
    const pushing = await querier([...leaves, away.grpc], "--query.mode=distributed", "--endpoint.info-timeout=60s");
    await endpointSeen(pushing.url, "query", pushing.server);
    // It says nothing of its data, so that nothing can be left to anybody.
    const {data} = await ask(pushing.url, "query", {query: "count(temp)", time: `${T + 600}`});
    assert.equal((data.result as Row[])[0]?.value?.[1], "12");
  });
});
