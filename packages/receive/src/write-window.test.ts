import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {errorCode, StrataError} from "@strata/base";
import {random, repeat} from "@strata/base/testing";
import {snappyEncode} from "@strata/bytes";
import {
  EXEMPLAR,
  LabelCache,
  OTHER_WORDS,
  SERIES_FIELD,
  SERIES_WORDS,
  type WriteWindow,
  writeWindow,
} from "@strata/kernels";
import {type Init, prompb, writeV2} from "@strata/proto";
import {readHistogram} from "./histogram-message.ts";
import {readLabelFields} from "./label-bytes.ts";

const LIMITS = {bytes: 64 << 20, entries: 1_000_000};
const rand = random();
const int = (n: number): number => Math.floor(rand() * n);
const text = (): string => "x".repeat(int(3) === 0 ? int(300) : int(12)) + String(int(50));
const time = (): number => (int(9) === 0 ? -int(2 ** 40) : 1_700_000_000_000 + int(1e9));
const value = (): number => [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, rand()][int(6)] as number;
const many = <T>(n: number, make: () => T): T[] => Array.from({length: int(n)}, make);

const randomSeries = (): Init<prompb.TimeSeries> => ({
  labels: many(8, () => ({name: text(), value: text()})),
  samples: many(5, () => ({value: value(), timestamp: time()})),
  exemplars: many(3, () => ({labels: [{name: text(), value: text()}], value: value(), timestamp: time()})),
  histograms: many(3, () => ({countInt: int(1000), sum: value(), schema: int(10) - 4, timestamp: time()})),
});

/** What the walk found, in the form of the generated decoder. */
function walked(window: WriteWindow): unknown[] {
  const u32 = window.kernel.u32();
  const f64 = window.kernel.f64();
  return Array.from({length: window.series}, (_, i) => {
    const entry = (window.entries >>> 2) + SERIES_WORDS * i;
    const at = (field: keyof typeof SERIES_FIELD): number => u32[entry + SERIES_FIELD[field]] as number;
    const range = (first: number, n: number): number[] => Array.from({length: n}, (_, k) => first + k);
    const others = range(at("firstOther"), at("others")).map((k) => (window.others >>> 2) + OTHER_WORDS * k);
    const content = (k: number): Uint8Array => window.bytes(u32[k + 1] as number, u32[k + 2] as number);
    return {
      labels: readLabelFields(window.bytes(at("labelsFrom"), at("labelsTo"))),
      samples: range(at("firstSample"), at("samples")).map((k) => [
        f64[(window.times >>> 3) + k],
        f64[(window.values >>> 3) + k],
      ]),
      exemplars: others.filter((k) => u32[k] === EXEMPLAR).map((k) => prompb.Exemplar.decode(content(k)).timestamp),
      histograms: others.filter((k) => u32[k] !== EXEMPLAR).map((k) => readHistogram(content(k)).t),
    };
  });
}

const decoded = (series: readonly prompb.TimeSeries[]): unknown[] =>
  series.map((s) => ({
    labels: s.labels.map((l) => [l.name, l.value]),
    samples: s.samples.map((x) => [x.timestamp, x.value]),
    exemplars: s.exemplars.map((e) => e.timestamp),
    histograms: s.histograms.map((h) => h.timestamp),
  }));

describe("a write request in kernel memory", () => {
  test("holds what the generated decoder reads", () => {
    for (let round = 0; round < repeat(200); round++) {
      const bytes = prompb.WriteRequest.encode({timeseries: many(20, randomSeries)});
      using window = writeWindow();
      window.loadSnappy(snappyEncode(bytes), LIMITS);
      window.walk(LIMITS);
      assert.deepEqual(walked(window), decoded(prompb.WriteRequest.decode(bytes).timeseries));
    }
  });

  test("of remote write 2.0 holds the same wherever its labels stand", () => {
    const series = (...parts: Init<writeV2.TimeSeries>[]): Uint8Array => {
      const content = Buffer.concat(parts.map((part) => writeV2.TimeSeries.encode(part)));
      return Buffer.concat([Buffer.from([0x2a, content.length]), content]);
    };
    const samples = {samples: [{value: 1, timestamp: 5}]};
    const symbols = writeV2.Request.encode({symbols: ["", "a", "b", "c", "d"]});
    const found = (...parts: Init<writeV2.TimeSeries>[]): unknown => {
      using window = writeWindow();
      // Twice, for the second to be another than the first.
      window.load(Buffer.concat([symbols, series({labelsRefs: [1, 1], ...samples}), series(...parts)]));
      window.fromV2(LIMITS);
      window.walk(LIMITS);
      return walked(window)[1];
    };
    const want = {
      labels: [
        ["a", "b"],
        ["c", "d"],
      ],
      samples: [[5, 1]],
      exemplars: [],
      histograms: [],
    };
    const exemplar = {exemplars: [{labelsRefs: [1, 2], value: 3, timestamp: 6}]};
    assert.deepEqual(found({labelsRefs: [1, 2, 3, 4]}, samples), want);
    assert.deepEqual(found(samples, {labelsRefs: [1, 2, 3, 4]}), want);
    assert.deepEqual(found({labelsRefs: [1, 2]}, {labelsRefs: [3, 4]}, samples), want);
    assert.deepEqual(found({labelsRefs: [1]}, {labelsRefs: [2, 3, 4]}, samples), want);
    assert.deepEqual(found({labelsRefs: [1, 2, 3, 4]}, exemplar, samples), {...want, exemplars: [6]});
    assert.deepEqual(found(samples), {...want, labels: []});
  });

  test("of remote write 2.0 holds the same as of 1.0", () => {
    for (let round = 0; round < repeat(200); round++) {
      const series = many(20, randomSeries);
      const symbols = [""];
      const ref = (symbol: string | undefined): number => symbols.push(symbol ?? "") - 1;
      const refs = (labels: Init<prompb.TimeSeries>["labels"]): number[] =>
        (labels ?? []).flatMap((l) => [ref(l.name), ref(l.value)]);
      const bytes = writeV2.Request.encode({
        timeseries: series.map((s) => ({
          labelsRefs: refs(s.labels),
          samples: s.samples,
          histograms: s.histograms as never,
          exemplars: (s.exemplars ?? []).map((e) => ({
            labelsRefs: refs(e.labels),
            value: e.value,
            timestamp: e.timestamp,
          })),
          metadata: {type: 1},
        })),
        symbols,
      });
      using window = writeWindow();
      window.load(bytes);
      const counts = window.fromV2(LIMITS);
      window.walk(LIMITS);
      const want = decoded(prompb.WriteRequest.decode(prompb.WriteRequest.encode({timeseries: series})).timeseries);
      assert.deepEqual(walked(window), want);
      assert.equal(counts.series, series.length);
      assert.equal(counts.metadata, series.length);
      assert.equal(counts.samples, window.samples);
    }
  });

  test("of damaged bytes is refused or read, and never more", () => {
    const series = Array.from({length: 10}, randomSeries);
    const goodV1 = prompb.WriteRequest.encode({timeseries: series});
    const goodV2 = writeV2.Request.encode({
      symbols: ["", "a", "b", "c".repeat(200), "d"],
      timeseries: series.map(({samples, histograms}) => ({
        labelsRefs: many(8, () => int(5)),
        samples,
        histograms: histograms as never,
        exemplars: many(2, () => ({labelsRefs: [int(5), int(5)], timestamp: time()})),
      })),
    });
    for (let round = 0; round < repeat(6000); round++) {
      const isV2 = int(2) === 0;
      const good = isV2 ? goodV2 : goodV1;
      const bytes = Buffer.from(good.subarray(0, int(4) === 0 ? int(good.length) : good.length));
      for (let n = int(4); n > 0 && bytes.length > 0; n--) bytes[int(bytes.length)] = int(256);
      using window = writeWindow();
      try {
        window.load(bytes);
        if (isV2 || int(4) === 0) window.fromV2(LIMITS);
        window.walk(LIMITS);
        walked(window);
      } catch (err) {
        assert.ok(err instanceof StrataError && ["bad_data", "corrupt"].includes(errorCode(err)), String(err));
      }
    }
  });

  test("that unpacks to more than allowed, or has too many entries, is refused before it takes memory", () => {
    using window = writeWindow();
    const empty = Buffer.alloc(200_000);
    for (let i = 0; i < empty.length; i += 2) empty[i] = 0x0a;
    const packed = snappyEncode(empty);
    assert.throws(() => window.loadSnappy(packed, {bytes: 100_000, entries: 10}), /unpacks to 200000 bytes/);
    window.loadSnappy(packed, LIMITS);
    assert.throws(() => window.walk({...LIMITS, entries: 50_000}), /100000 series and samples, more than 50000/);
    window.walk(LIMITS);
    assert.equal(window.series, 100_000);
  });

  test("of 2.0 cannot grow beyond what is allowed by naming a long symbol again and again", () => {
    const refs = Array.from({length: 2000}, () => 1);
    const bytes = writeV2.Request.encode({symbols: ["", "y".repeat(100_000)], timeseries: [{labelsRefs: refs}]});
    using window = writeWindow();
    window.load(bytes);
    assert.throws(() => window.fromV2({...LIMITS, bytes: 10 << 20}), /more than 10485760/);
  });
});

test("a label cache gives each label set its own reference, through growth and clearing", () => {
  const cache = new LabelCache();
  const series = Array.from({length: 5000}, (_, i) => ({labels: [{name: "n", value: `v${i}`}]}));
  using window = writeWindow();
  window.load(prompb.WriteRequest.encode({timeseries: series}));
  window.walk(LIMITS);
  assert.equal(cache.find(window), series.length);
  for (let i = 0; i < series.length; i++) cache.set(window, i, i + 1);
  assert.equal(cache.find(window), 0);
  const u32 = window.kernel.u32();
  series.forEach((_, i) => {
    assert.equal(u32[(window.entries >>> 2) + SERIES_WORDS * i + SERIES_FIELD.ref], i + 1);
  });
  assert.ok(cache.bytes > 5000 * 12);
  cache.clear();
  assert.equal(cache.bytes, 0);
  assert.equal(cache.find(window), series.length);
  cache.close();
});
