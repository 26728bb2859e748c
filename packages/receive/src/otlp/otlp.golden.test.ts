import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {describe, test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {Labels, matcher} from "@strata/model";
import type {Queryable} from "@strata/series";
import {send, startReceiver, storedSamples} from "../testing/receiver-fixture.ts";
import {OtlpHandler} from "./otlp-handler.ts";
import type {OtlpSettings} from "./translate.ts";

type Histogram = {readonly count: string; readonly sum: string; readonly buckets?: readonly unknown[]};
type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [number, string])[];
  readonly histograms?: readonly (readonly [number, Histogram])[];
};
type Column = {
  readonly response: {readonly status: number; readonly body: string};
  readonly series?: {readonly data: {readonly result: readonly Series[]}};
};
type Export = {
  readonly id: string;
  readonly body_base64: string;
  readonly headers: Record<string, string>;
  readonly results: Readonly<Record<string, Column>>;
};

const exports_ = readFileSync(goldenDir("query", "remote-write", "otlp.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Export);

const THANOS: OtlpSettings = {
  naming: {utf8: false, suffixes: true},
  prometheus: false,
  targetInfo: true,
  promote: [],
  keepIdentifying: false,
  nhcb: false,
  scopeMetadata: false,
};
const PROMETHEUS: OtlpSettings = {...THANOS, prometheus: true};

/** The columns of the recorded answers, and how they are reached. */
const COLUMNS: Readonly<Record<string, {settings: OtlpSettings; deltas: boolean; labels: Record<string, string>}>> = {
  thanos_receive: {settings: THANOS, deltas: false, labels: {receive_replica: "r0"}},
  prometheus: {settings: PROMETHEUS, deltas: false, labels: {}},
  prometheus_deltatocumulative: {settings: PROMETHEUS, deltas: true, labels: {}},
  prometheus_options: {
    settings: {
      ...PROMETHEUS,
      naming: {utf8: true, suffixes: true},
      promote: ["deployment.environment", "k8s.pod.name"],
      keepIdentifying: true,
      nhcb: true,
      scopeMetadata: true,
    },
    deltas: false,
    labels: {},
  },
};

const STALE = "7ff0000000000002";

const hex = (value: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
};

/** Recorded series in the form of what is stored: seconds and text to ms and bits; of histograms count and sum. */
const wanted = (series: readonly Series[]): Map<string, unknown> =>
  new Map(
    series.map(({metric, values, histograms}) => [
      Labels.fromObject(metric).toString(),
      [
        ...(values ?? []).map(([t, v]) => [t * 1000, hex(Number(v.replace("Inf", "Infinity")))]),
        ...(histograms ?? []).map(([t, h]) => [t * 1000, {count: h.count, sum: hex(Number(h.sum))}]),
      ],
    ]),
  );

async function stored(store: Queryable, job: string, withTenant: boolean): Promise<Map<string, unknown>> {
  const found = await storedSamples(store, [matcher("job", "=", job)]);
  // Recorded are answers of queries, which do not show where a series ends.
  const shown = [...found.values()]
    .map(({labels, samples}) => ({labels, samples: samples.filter(([, value]) => value !== STALE)}))
    .filter(({samples}) => samples.length > 0);
  return new Map(
    shown.map(({labels, samples}) => [
      (withTenant ? labels : labels.without(["tenant_id"])).toString(),
      samples.map(([t, value]) => {
        if (typeof value === "string") return [t, value];
        const {count, sum} = value as {count: string; sum: string};
        return [t, {count, sum}];
      }),
    ]),
  );
}

describe("OTLP exports", () => {
  for (const [column, {settings, deltas, labels}] of Object.entries(COLUMNS)) {
    test(`become the series of ${column}`, async (t) => {
      assert.ok(exports_.length > 0);
      const {server, tenants} = await startReceiver(t, {
        tenants: {labels: Labels.fromObject(labels)},
        addRoutes: (router, writes) => {
          const otlp = new OtlpHandler({settings, deltaToCumulative: deltas, writes});
          router.add({methods: ["POST"], path: "/api/v1/otlp", handle: (r) => otlp.export(r)});
        },
      });
      for (const {id, body_base64: body, headers, results} of exports_) {
        const want = results[column];
        if (want === undefined) continue;
        const got = await send(`${server.url}/api/v1/otlp`, Buffer.from(body, "base64"), headers);
        assert.equal(got.status, want.response.status, `${id}: ${got.body}`);
        // The text for broken JSON is that of a library.
        if (!want.response.body.startsWith("ReadArray")) assert.equal(got.body, want.response.body, id);
        if (want.series === undefined) continue;
        const store = tenants.get("default-tenant")?.db;
        const series = store === undefined ? new Map() : await stored(store, `otlp/${id}`, column === "thanos_receive");
        assert.deepEqual(new Map([...series].sort()), new Map([...wanted(want.series.data.result)].sort()), id);
      }
    });
  }
});
