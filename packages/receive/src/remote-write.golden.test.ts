import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {send, startReceiver, storedSamples} from "./testing/receiver-fixture.ts";

type Headers = Record<string, string>;
type BadInput = {
  readonly id: string;
  readonly body_base64: string;
  readonly headers: Headers;
  readonly thanos_receive: {readonly status: number; readonly body: string; readonly headers?: Headers | null};
};

const lines = <T>(text: string): T[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

/** What a client sends; the library adds the length. */
const sentHeaders = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "Content-Length"));

describe("remote write", () => {
  test("answers good and bad bodies with the original's statuses and texts", async (t) => {
    const inputs = lines<BadInput>(readFileSync(goldenDir("query", "remote-write", "bad-inputs.jsonl"), "utf8"));
    assert.ok(inputs.length > 0);
    const address = inputs
      .map((input) => /endpoint addr: ([^,]+),/.exec(input.thanos_receive.body)?.[1])
      .find((found) => found !== undefined);
    const {server} = await startReceiver(t, {address});
    for (const {id, body_base64: body, headers, thanos_receive: want} of inputs) {
      const got = await send(`${server.url}/api/v1/receive`, Buffer.from(body, "base64"), sentHeaders(headers));
      // Status 0 is a crash of the original.
      const status = want.status === 0 ? 400 : want.status;
      assert.equal(got.status, status, `${id}: ${got.body}`);
      if (want.status !== 0) assert.equal(got.body, want.body, id);
      for (const [name, value] of Object.entries(want.headers ?? {})) {
        assert.equal(got.headers[name.toLowerCase()], value, `${id}: ${name}`);
      }
      if (want.headers === undefined || want.headers === null) {
        assert.equal(got.headers["x-prometheus-remote-write-samples-written"], undefined, id);
      }
    }
  });

  type Histogram = {
    readonly count_int?: number | null;
    readonly sum: string;
    readonly schema: number;
    readonly timestamp: number;
    readonly custom_values: readonly number[] | null;
  };
  /** A series of either message: labels in place, or as references to the symbols. */
  type Series = {
    readonly labels?: readonly (readonly [string, string])[];
    readonly labels_refs?: readonly number[];
    readonly samples?: readonly (readonly [number, string] | {timestamp: number; value: string})[] | null;
    readonly histograms?: readonly Histogram[] | null;
  };
  type Sent = {
    readonly stream: string;
    readonly body_base64: string;
    readonly headers: Headers;
    readonly decoded: {readonly symbols?: readonly string[]; readonly timeseries: readonly Series[] | null};
  };

  const pairsOf = ({labels, labels_refs: refs = []}: Series, symbols: readonly string[]): [string, string][] =>
    labels === undefined
      ? Array.from({length: refs.length / 2}, (_, i) => [
          symbols[refs[2 * i] as number] as string,
          symbols[refs[2 * i + 1] as number] as string,
        ])
      : labels.map(([name, value]) => [name, value]);

  test("stores what Prometheus sends, sample for sample", async (t) => {
    const sent = lines<Sent>(
      gunzipSync(readFileSync(goldenDir("query", "remote-write", "sent-by-prometheus.jsonl.gz"))).toString(),
    );
    const {server, tenants} = await startReceiver(t, {tenants: {labels: Labels.EMPTY}});
    const want = new Map<string, Map<string, unknown[]>>();
    for (const {stream, body_base64: body, headers, decoded} of sent) {
      const got = await send(`${server.url}/api/v1/receive`, Buffer.from(body, "base64"), {
        ...sentHeaders(headers),
        "THANOS-TENANT": stream,
      });
      assert.equal(got.status, 200, got.body);
      const streamSeries = want.get(stream) ?? new Map<string, unknown[]>();
      want.set(stream, streamSeries);
      for (const one of decoded.timeseries ?? []) {
        const pairs = pairsOf(one, decoded.symbols ?? []);
        const key = Labels.fromPairs([...pairs, ["tenant_id", stream]]).toString();
        const list = streamSeries.get(key) ?? [];
        for (const s of one.samples ?? []) list.push("value" in s ? [s.timestamp, s.value] : [s[0], s[1]]);
        for (const h of one.histograms ?? []) list.push(histogramFacts(h));
        if (list.length > 0) streamSeries.set(key, list);
      }
    }
    assert.ok(want.size > 0);
    for (const [stream, series] of want) {
      const stored = await storedSamples(tenants.get(stream)?.db as never);
      assert.deepEqual([...stored.keys()].sort(), [...series.keys()].sort(), stream);
      for (const [key, list] of series) {
        const samples = stored.get(key)?.samples.map(([time, value]) => shownSample(time, value));
        assert.deepEqual(samples, list, `${stream} ${key}`);
      }
    }
  });

  const histogramFacts = (h: Histogram): unknown => [
    h.timestamp,
    {schema: h.schema, sum: h.sum, count: String(h.count_int), custom: (h.custom_values ?? []).map(hex)},
  ];

  const shownSample = (time: unknown, value: unknown): unknown => {
    if (typeof value === "string") return [time, value];
    const h = value as {schema: number; sum: string; count: string; custom_values?: string[]};
    return [time, {schema: h.schema, sum: h.sum, count: h.count, custom: h.custom_values ?? []}];
  };

  const hex = (value: number): string => {
    const bits = Buffer.alloc(8);
    bits.writeDoubleBE(value);
    return bits.toString("hex");
  };
});
