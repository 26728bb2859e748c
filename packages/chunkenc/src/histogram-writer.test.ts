import assert from "node:assert/strict";
import {test} from "node:test";
import {
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
  type Histogram,
  type IntHistogram,
  RESET_HINT,
  type Span,
  spanIndexes,
  spansOf,
  toFloatHistogram,
} from "@strata/model";
import fc from "fast-check";
import {decodeHistograms, type HistogramColumns, histogramAt} from "./histogram-chunk.ts";
import {NO_BOUNDS} from "./histogram-layout.ts";
import {HistogramChunkWriter} from "./histogram-writer.ts";

const {unknown, counterReset, notCounterReset, gauge} = RESET_HINT;
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

const int = (fields: Partial<IntHistogram> = {}): IntHistogram => ({
  kind: "int",
  resetHint: unknown,
  schema: 0,
  zeroThreshold: 2 ** -128,
  sum: 10.5,
  stale: false,
  count: 6n,
  zeroCount: 1n,
  positiveSpans: [
    {offset: 0, length: 2},
    {offset: 1, length: 1},
  ],
  negativeSpans: [],
  positiveBuckets: BigInt64Array.of(1n, 1n, 0n),
  negativeBuckets: new BigInt64Array(0),
  customValues: NO_BOUNDS,
  ...fields,
});

const staleInt = (): IntHistogram =>
  int({
    stale: true,
    sum: Number.NaN,
    count: 0n,
    zeroCount: 0n,
    positiveSpans: [],
    positiveBuckets: new BigInt64Array(0),
  });

function decode(encoding: number, data: Uint8Array): HistogramColumns {
  return decodeHistograms(encoding as 2, data, 0, data.length);
}

test("integer chunks equal those of the Go original", () => {
  const samples: [number, IntHistogram][] = [
    [1000, int()],
    [16000, int({zeroCount: 2n, count: 9n, sum: 12.5, positiveBuckets: BigInt64Array.of(2n, 1n, -1n)})],
    [31000, int({zeroCount: 2n, count: 10n, sum: 12.5, positiveBuckets: BigInt64Array.of(2n, 1n, 0n)})],
    [46000, staleInt()],
  ];
  const want = [
    "000100744a48c5e3e8b450094000000000002310",
    "000200744a48c5e3e8b450094000000000002317c1d4c4e3b02e2b80",
    "000300744a48c5e3e8b450094000000000002317c1d4c4e3b02e2bad75d2",
    "000400744a48c5e3e8b450094000000000002317c1d4c4e3b02e2bad75d218bdff64000000000008",
  ];
  want.forEach((data, i) => {
    const writer = new HistogramChunkWriter("int");
    for (const [t, h] of samples.slice(0, i + 1)) writer.append(t, h);
    assert.deepEqual(
      writer.finish().map((c) => hex(c.data)),
      [data],
    );
  });
  const one = (h: IntHistogram, options = {}, st = 0): string => {
    const writer = new HistogramChunkWriter("int", options);
    writer.append(1000, h, st);
    return hex(writer.finish()[0]!.data);
  };
  assert.equal(one(int({resetHint: gauge})), "0001c0744a48c5e3e8b450094000000000002310");
  assert.equal(one(staleInt()), "000100001e3e81ffc0000000000008");
  assert.equal(one(int(), {startTimes: true}, 500), "000180744a48c5e3e8b4500940000000000023174038");
  const custom = int({
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    customValues: Float64Array.of(0.1, 0.5, 1),
    positiveSpans: [{offset: 0, length: 3}],
    positiveBuckets: BigInt64Array.of(1n, 1n, -1n),
    count: 4n,
    zeroCount: 0n,
    sum: 1.25,
  });
  assert.equal(one(custom), "00010000ee5c664f8cbdf5f1f4f8fa283ff40000000000008c6e");
});

test("float chunks equal those of the Go original", () => {
  const writer = new HistogramChunkWriter("float");
  writer.append(1000, toFloatHistogram(int()));
  const second = int({zeroCount: 2n, count: 9n, sum: 12.5, positiveBuckets: BigInt64Array.of(2n, 1n, -1n)});
  writer.append(16000, toFloatHistogram(second));
  assert.equal(
    hex(writer.finish()[0]!.data),
    "000200744a48c5e3e840180000000000003ff000000000000040250000000000003ff000000000000040000000000000004000000000000000" +
      "f83a98d42f7097fff605e12fffec06",
  );
});

/** Headers of the chunks that a list of histograms is cut into. */
function headers(kind: Histogram["kind"], list: readonly Histogram[]): number[] {
  const writer = new HistogramChunkWriter(kind);
  list.forEach((h, i) => {
    writer.append(1000 * i, h);
  });
  return writer.finish().map((c) => decode(c.encoding, c.data).resetHeader);
}

test("what cuts a chunk, and the header of the next", () => {
  const f = (second: Partial<IntHistogram>, want: number[], first: Partial<IntHistogram> = {}) => {
    assert.deepEqual(headers("int", [int(first), int(second)]), want);
    const floats = [toFloatHistogram(int(first)), toFloatHistogram(int(second))];
    const forFloat = want.map((header) => (header === notCounterReset ? unknown : header));
    assert.deepEqual(headers("float", floats), forFloat);
  };
  f({}, [unknown]);
  f({count: 5n}, [unknown, counterReset]);
  f({zeroCount: 0n}, [unknown, counterReset]);
  f({schema: 1}, [unknown, unknown]);
  f({zeroThreshold: 0.001}, [unknown, unknown]);
  f({resetHint: counterReset}, [unknown, counterReset]);
  f({resetHint: notCounterReset}, [unknown]);
  f({}, [counterReset], {resetHint: counterReset});
  f({}, [gauge, notCounterReset], {resetHint: gauge});
  f({resetHint: gauge}, [unknown, gauge]);
  f({resetHint: gauge, count: 1n}, [gauge], {resetHint: gauge});
  // A bucket that counted less, and one that is gone though it held something.
  f({positiveBuckets: BigInt64Array.of(1n, 0n, 1n)}, [unknown, counterReset]);
  f({positiveSpans: [{offset: 0, length: 2}], positiveBuckets: BigInt64Array.of(9n, 9n)}, [unknown, counterReset]);
  const bounds = {schema: CUSTOM_BUCKETS_SCHEMA, customValues: Float64Array.of(1, 2, 3, 4)};
  f({...bounds}, [unknown], bounds);
  f({...bounds, customValues: Float64Array.of(1, 2, 3, 5)}, [unknown, counterReset], bounds);
});

test("stale markers end a chunk for all but stale markers", () => {
  assert.deepEqual(headers("int", [int(), staleInt(), staleInt(), int()]), [unknown, unknown]);
  assert.deepEqual(headers("int", [staleInt(), int()]), [unknown, unknown]);
  const g = int({resetHint: gauge});
  assert.deepEqual(headers("int", [g, {...staleInt(), resetHint: gauge}, g]), [gauge, gauge]);
});

test("new buckets widen the samples before them, and empty ones that are missing are kept as zeros", () => {
  const writer = new HistogramChunkWriter("int");
  const narrow = int({positiveSpans: [{offset: 0, length: 3}], positiveBuckets: BigInt64Array.of(0n, 2n, -1n)});
  const other = int({
    positiveSpans: [
      {offset: 1, length: 2},
      {offset: 1, length: 1},
    ],
    positiveBuckets: BigInt64Array.of(2n, 1n, 4n),
    negativeSpans: [{offset: -2, length: 1}],
    negativeBuckets: BigInt64Array.of(7n),
  });
  writer.append(0, narrow);
  writer.append(1, other);
  const chunks = writer.finish();
  assert.equal(chunks.length, 1);
  const columns = decode(2, chunks[0]!.data);
  assert.deepEqual(columns.layout.positiveSpans, [
    {offset: 0, length: 3},
    {offset: 1, length: 1},
  ]);
  assert.deepEqual([...toFloatHistogram(histogramAt(columns, 0)).positiveBuckets], [0, 2, 1, 0]);
  assert.deepEqual([...toFloatHistogram(histogramAt(columns, 1)).positiveBuckets], [0, 2, 3, 7]);
  assert.deepEqual([...toFloatHistogram(histogramAt(columns, 0)).negativeBuckets], [0]);
  assert.deepEqual([...toFloatHistogram(histogramAt(columns, 1)).negativeBuckets], [7]);
});

// Histograms whose buckets come and go; half of the time a counter that only grows.
const side = fc.uniqueArray(fc.integer({min: -20, max: 20}), {maxLength: 8}).map((list) => list.sort((a, b) => a - b));
const sample = fc.record({
  positive: side,
  negative: side,
  counts: fc.array(fc.nat(1000), {minLength: 16, maxLength: 16}),
  hint: fc.constantFrom(unknown, unknown, unknown, notCounterReset, counterReset, gauge),
  stale: fc.integer({min: 0, max: 9}).map((x) => x === 0),
  schema: fc.constantFrom(3, 3, 3, 8),
  sum: fc.double({noNaN: true}),
});

type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;

function build(kind: Histogram["kind"], s: Sample, grown: number): Histogram {
  const spans = (list: number[]): Span[] => (s.stale ? [] : spansOf(list));
  const counts = (list: number[], from: number): number[] =>
    s.stale ? [] : list.map((_, i) => (s.counts[from + i] as number) + grown * 1000);
  const base = {
    resetHint: s.hint,
    schema: s.schema,
    zeroThreshold: 0.001,
    sum: s.stale ? Number.NaN : s.sum,
    stale: s.stale,
    positiveSpans: spans(s.positive),
    negativeSpans: spans(s.negative),
    customValues: NO_BOUNDS,
  };
  const positive = counts(s.positive, 0);
  const negative = counts(s.negative, 8);
  if (kind === "float") {
    const h: FloatHistogram = {
      kind,
      ...base,
      count: s.stale ? 0 : grown + 0.5,
      zeroCount: s.stale ? 0 : grown,
      positiveBuckets: Float64Array.from(positive),
      negativeBuckets: Float64Array.from(negative),
    };
    return h;
  }
  const deltas = (list: number[]) => BigInt64Array.from(list, (x, i) => BigInt(x - (list[i - 1] ?? 0)));
  const h: IntHistogram = {
    kind: "int",
    ...base,
    count: s.stale ? 0n : BigInt(grown),
    zeroCount: s.stale ? 0n : BigInt(grown),
    positiveBuckets: deltas(positive),
    negativeBuckets: deltas(negative),
  };
  return h;
}

/** Non-zero buckets by index, and the rest that must survive. */
function essence(h: Histogram): unknown {
  const f = toFloatHistogram(h);
  const buckets = (spans: readonly Span[], values: Float64Array) =>
    spanIndexes(spans).flatMap((index, i) => (values[i] === 0 ? [] : [[index, values[i]]]));
  if (f.stale) return "stale";
  const {count, zeroCount, sum, schema, zeroThreshold} = f;
  const positive = buckets(f.positiveSpans, f.positiveBuckets);
  const negative = buckets(f.negativeSpans, f.negativeBuckets);
  return {count, zeroCount, sum, schema, zeroThreshold, positive, negative};
}

for (const kind of ["int", "float"] as const) {
  test(`all ${kind} histograms come back in order with their buckets, however they are cut`, () => {
    const list = fc.array(sample, {minLength: 1, maxLength: 40});
    fc.assert(
      fc.property(list, fc.boolean(), fc.boolean(), (samples, startTimes, growing) => {
        const writer = new HistogramChunkWriter(kind, {perChunk: 15, startTimes});
        const histograms = samples.map((s, i) => build(kind, s, growing ? i + 1 : 1));
        histograms.forEach((h, i) => {
          writer.append(15_000 * i, h, startTimes ? 100 * Math.floor(i / 4) : 0);
        });
        const chunks = writer.finish();
        assert.equal(writer.finish().length, 0);
        const back: unknown[] = [];
        for (const chunk of chunks) {
          const columns = decode(chunk.encoding, chunk.data);
          assert.ok(columns.n <= 15 && columns.n === chunk.samples);
          assert.deepEqual([columns.t[0], columns.t[columns.n - 1]], [chunk.mint, chunk.maxt]);
          for (let i = 0; i < columns.n; i++) {
            assert.equal(columns.t[i], 15_000 * back.length);
            if (startTimes) assert.equal(columns.st?.[i], 100 * Math.floor(back.length / 4));
            back.push(essence(histogramAt(columns, i)));
          }
        }
        assert.deepEqual(back, histograms.map(essence));
      }),
      {numRuns: 200},
    );
  });
}
