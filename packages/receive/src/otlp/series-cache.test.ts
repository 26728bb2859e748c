import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {ByteWriter} from "@strata/bytes";
import {prompb} from "@strata/proto";
import {AttributeCache} from "./attribute-cache.ts";
import {decodeOtlpJson} from "./decode-json.ts";
import {decodeOtlp} from "./decode-protobuf.ts";
import type {Resource} from "./otlp-metrics.ts";
import {SeriesCache} from "./series-cache.ts";
import {type OtlpSettings, translateOtlp} from "./translate.ts";

const SETTINGS: OtlpSettings = {
  naming: {utf8: false, suffixes: true},
  prometheus: false,
  targetInfo: true,
  promote: [],
  keepIdentifying: false,
  nhcb: false,
  scopeMetadata: false,
};

const field = (tag: number, ...content: Uint8Array[]): Uint8Array => {
  const bytes = Buffer.concat(content);
  const w = new ByteWriter();
  w.u8(tag);
  w.uvarint(bytes.length);
  w.bytes(bytes);
  return w.take();
};
const text = (tag: number, value: string): Uint8Array => field(tag, Buffer.from(value));
const attribute = (key: string, value: string): Uint8Array =>
  field(0x3a, text(0x0a, key), field(0x12, text(0x0a, value)));
const time = (ns: bigint): Uint8Array => {
  const w = new ByteWriter();
  w.u8(0x19);
  w.u64le(ns);
  return w.take();
};
const gauge = (...points: Uint8Array[][]): Uint8Array => {
  const data = field(0x2a, ...points.map((parts) => field(0x0a, ...parts)));
  return field(0x0a, field(0x12, field(0x12, text(0x0a, "m"), data)));
};

const pointsOf = ([resource]: readonly Resource[]) => {
  const data = resource?.scopes[0]?.metrics[0]?.data;
  return data?.kind === "gauge" ? data.points : [];
};
const series = (message: Uint8Array) =>
  prompb.WriteRequest.decode(message).timeseries.map((s) => ({
    labels: s.labels.map(({name, value}) => `${name}=${value}`),
    samples: s.samples.map(({timestamp, value}) => [timestamp, value]),
    exemplars: s.exemplars.map(({labels, value}) => [labels.map((l) => l.name).join(), value]),
  }));

describe("what exports have in common", () => {
  test("attributes are the same list for the same bytes, wherever they stand in the point", () => {
    const cache = new AttributeCache();
    const [a, b, c] = [attribute("a", "1"), attribute("b", "2"), attribute("c", "3")];
    const t = time(1_700_000_000_123_999_999n);
    const points = pointsOf(decodeOtlp(gauge([a, b, c, t]), cache));
    const again = pointsOf(decodeOtlp(gauge([t, a, b, c], [a, t, b, c], [b, a, c, t], [t]), cache));
    assert.deepEqual(
      points[0]?.attributes.map(({key, value}) => key + value),
      ["a1", "b2", "c3"],
    );
    assert.equal(again[0]?.attributes, points[0]?.attributes);
    assert.equal(again[1]?.attributes, points[0]?.attributes);
    assert.deepEqual(again[2]?.attributes.map(({key}) => key).join(""), "bac");
    assert.deepEqual(again[3]?.attributes, []);
    assert.deepEqual(
      [...points, ...again].map((p) => p.t),
      Array(5).fill(1_700_000_000_123),
    );
  });

  test("attributes cut off within are refused", () => {
    const cut = attribute("a", "1");
    cut[3] = 60;
    assert.throws(() => decodeOtlp(gauge([cut]), new AttributeCache()), {code: "bad_data"});
  });

  test("JSON attributes are told apart whatever stands in them", () => {
    const cache = new AttributeCache();
    const at = (key: string, stringValue: unknown) => ({key, value: {stringValue}});
    const body = (...attributes: unknown[]) =>
      Buffer.from(
        JSON.stringify({
          resourceMetrics: [
            {scopeMetrics: [{metrics: [{name: "m", gauge: {dataPoints: attributes.map((a) => ({attributes: a}))}}]}]},
          ],
        }),
      );
    const lists = [[at("a", "bc")], [at("ab", "c")], [at("a", "1 1 bc")], [at("a", ""), at("b", "c")]];
    const points = pointsOf(decodeOtlpJson(body(...lists, ...lists), cache));
    const shown = points.map(({attributes}) => attributes.map(({key, value}) => [key, value]));
    const want = lists.map((list) => list.map(({key, value}) => [key, value.stringValue]));
    assert.deepEqual(shown, [...want, ...want]);
    assert.equal(points[0]?.attributes, points[4]?.attributes);
    assert.throws(() => decodeOtlpJson(body([at("a", 1)]), cache), {code: "bad_data"});
  });

  test("series are the same with a cache that knows them, and after it was emptied", () => {
    const request = gauge(
      [attribute("a", "1"), time(1_000_000n)],
      [attribute("a.", "1"), time(2_000_000n)],
      [attribute("a", "1"), attribute("b", ""), time(3_000_000n)],
    );
    const cache = new SeriesCache();
    const translated = () => series(translateOtlp(decodeOtlp(request, cache.protobuf), SETTINGS, cache));
    const first = translated();
    // Labels decide what is one series, not the form they came in.
    assert.deepEqual(
      first.map(({labels, samples}) => [labels.join(), samples.length]),
      [
        ["__name__=m,a=1", 2],
        ["__name__=m,a_=1", 1],
      ],
    );
    assert.deepEqual(translated(), first);
    cache.count(1e9);
    cache.trim();
    assert.deepEqual(translated(), first);
  });

  test("exemplars of gauges are kept", () => {
    const value = new ByteWriter();
    value.u8(0x19);
    value.f64le(7);
    const exemplar = field(0x2a, time(5_000_000n).fill(0x11, 0, 1), value.take(), field(0x2a, Buffer.alloc(16, 1)));
    const cache = new SeriesCache();
    const [one] = series(
      translateOtlp(decodeOtlp(gauge([time(5_000_000n), exemplar]), cache.protobuf), SETTINGS, cache),
    );
    assert.deepEqual(one?.exemplars, [["trace_id", 7]]);
  });
});
