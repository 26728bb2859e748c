// node packages/chunkenc/src/chunkenc.bench.ts: histogram and XOR2 chunks, kernel (with copying in and out) against twin.
import assert from "node:assert/strict";
import {nsPerItem, printPair} from "@strata/kernels/testing";
import {type FloatHistogram, type Histogram, type IntHistogram, RESET_HINT} from "@strata/model";
import {UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING, type Encoding} from "./encoding.ts";
import {appendFloatChunk, encodeFloatChunks, newFloatColumns} from "./float-chunk.ts";
import {decodeFloatHistograms, decodeHistograms, histogramAt, readHead} from "./histogram-chunk.ts";
import {NO_BOUNDS} from "./histogram-layout.ts";
import {histogramDecodeTwin} from "./histogram-twin.ts";
import {encodeHistograms, HistogramChunkWriter} from "./histogram-writer.ts";
import {xor2DecodeTwin} from "./xor2-twin.ts";

const BUCKETS = 20;
const SAMPLES = 60;

let state = 99;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

/** A latency histogram that is scraped: each bucket grows by some observations. */
function series(kind: Histogram["kind"]): Histogram[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  let sum = 0;
  return Array.from({length: SAMPLES}, () => {
    for (let b = 0; b < BUCKETS; b++) {
      const more = Math.floor(random() * 20 * Math.exp(-((b - 8) ** 2) / 10));
      counts[b] = (counts[b] as number) + more;
      sum += more * 0.01 * 1.5 ** b * random();
    }
    const total = counts.reduce((a, b) => a + b, 0);
    const base = {
      resetHint: RESET_HINT.unknown,
      schema: 3,
      zeroThreshold: 2 ** -128,
      sum,
      stale: false,
      positiveSpans: [{offset: -4, length: BUCKETS}],
      negativeSpans: [],
      customValues: NO_BOUNDS,
    };
    const float: FloatHistogram = {
      kind: "float",
      ...base,
      count: total,
      zeroCount: 0,
      positiveBuckets: Float64Array.from(counts),
      negativeBuckets: new Float64Array(0),
    };
    const int: IntHistogram = {
      kind: "int",
      ...base,
      count: BigInt(total),
      zeroCount: 0n,
      positiveBuckets: BigInt64Array.from(counts, (x, i) => BigInt(x - (counts[i - 1] ?? 0))),
      negativeBuckets: new BigInt64Array(0),
    };
    return kind === "float" ? float : int;
  });
}

let sink = 0;
for (const kind of ["int", "float"] as const) {
  const list = series(kind);
  const write = (): number => {
    const writer = new HistogramChunkWriter(kind);
    list.forEach((h, i) => {
      writer.append(1.7e12 + 15_000 * i, h);
    });
    return writer.finish().length;
  };
  const writer = new HistogramChunkWriter(kind);
  list.forEach((h, i) => {
    writer.append(1.7e12 + 15_000 * i, h);
  });
  const [chunk] = writer.finish();
  const {data} = chunk!;
  const encoding = chunk!.encoding as Encoding;
  const columns = decodeHistograms(encoding, data, 0, data.length);
  assert.equal(Number(histogramAt(columns, SAMPLES - 1).count), Number(list.at(-1)!.count));
  const kernel = nsPerItem(SAMPLES, () => {
    sink += decodeFloatHistograms(encoding, data, 0, data.length).n;
  });
  const twin = nsPerItem(SAMPLES, () => {
    const {body} = readHead(encoding, data, 0, data.length, UNKNOWN_PLACE);
    sink += histogramDecodeTwin(data, 0, data.length, body).live;
  });
  printPair(`decode ${kind} histogram, ${BUCKETS} buckets`, kernel, twin, "ns/histogram");
  const encode = nsPerItem(SAMPLES, () => {
    sink += encodeHistograms(columns).data.length;
  });
  const append = nsPerItem(SAMPLES, () => {
    sink += write();
  });
  console.log(`encode ${kind} columns ${encode.toFixed(0)} ns/histogram, object by object ${append.toFixed(0)}`);
}

for (const stepTo of ["same start", "no start"]) {
  const n = 120;
  const columns = newFloatColumns(n);
  if (stepTo === "same start") columns.st = new Float64Array(n).fill(1.69e12);
  for (let i = 0; i < n; i++) {
    columns.t[i] = 1.7e12 + 15_000 * i + Math.floor(random() * 5);
    columns.v[i] = i === 0 ? 1000 : (columns.v[i - 1] as number) + Math.floor(random() * 20);
  }
  columns.n = n;
  const [chunk] = encodeFloatChunks(columns, 0, n, n, ENCODING.xor2);
  const {data} = chunk!;
  const into = newFloatColumns(n);
  if (columns.st !== undefined) into.st = new Float64Array(n);
  const kernel = nsPerItem(n, () => {
    into.n = 0;
    sink += appendFloatChunk(ENCODING.xor2, data, 0, data.length, into);
  });
  const twin = nsPerItem(n, () => {
    sink += xor2DecodeTwin(data, 0, data.length, into);
  });
  assert.deepEqual(into.v, columns.v);
  printPair(`decode XOR2, ${stepTo}`, kernel, twin, "ns/sample");
  const encode = nsPerItem(n, () => {
    sink += encodeFloatChunks(columns, 0, n, n, ENCODING.xor2).length;
  });
  console.log(`encode XOR2, ${stepTo} ${encode.toFixed(1)} ns/sample`);
}
console.log(`(sink ${sink})`);
