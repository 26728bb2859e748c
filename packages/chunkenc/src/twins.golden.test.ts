import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {histogramDecode, xor2Decode} from "@strata/kernels";
import fc from "fast-check";
import {UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING, type Encoding, isHistogramEncoding} from "./encoding.ts";
import {readHead} from "./histogram-chunk.ts";
import {histogramDecodeTwin, type TwinSamples} from "./histogram-twin.ts";
import {goldenChunks} from "./testing/golden-chunks.ts";
import {xor2DecodeTwin} from "./xor2-twin.ts";

const bits = (column: Float64Array): bigint[] => [
  ...new BigUint64Array(column.buffer, column.byteOffset, column.length),
];

/** A chunk's samples by kernel and by twin: equal, or refused by both. Returns whether they were read. */
function compare(encoding: number, data: Uint8Array, where: string): boolean {
  try {
    return encoding === ENCODING.xor2 ? compareXor2(data, where) : compareHistograms(encoding as Encoding, data, where);
  } catch (err) {
    if (err instanceof StrataError && err.code === "corrupt") return false;
    throw err;
  }
}

function compareXor2(data: Uint8Array, where: string): boolean {
  const count = data.length < 2 ? 0 : ((data[0] as number) << 8) | (data[1] as number);
  const make = () => ({t: new Float64Array(count), v: new Float64Array(count), st: new Float64Array(count), n: 0});
  const kernel = make();
  const n = xor2Decode(data, 0, data.length, kernel.t, kernel.v, kernel.st);
  const twin = make();
  let got: number;
  try {
    got = xor2DecodeTwin(data, 0, data.length, twin);
  } catch {
    assert.ok(n < 0, where);
    return false;
  }
  assert.equal(n, got, where);
  assert.deepEqual(bits(kernel.v), bits(twin.v), where);
  // The twin does not wrap around at 64 bits, so damaged times are compared only while they are exact.
  const exact = [...twin.t, ...twin.st].every((x) => Math.abs(x) < 2 ** 52);
  if (exact) assert.deepEqual([kernel.t, kernel.st], [twin.t, twin.st], where);
  return true;
}

function compareHistograms(encoding: Encoding, data: Uint8Array, where: string): boolean {
  const {body} = readHead(encoding, data, 0, data.length, UNKNOWN_PLACE);
  const kernel = histogramDecode(data, 0, data.length, body, false);
  let twin: TwinSamples;
  try {
    twin = histogramDecodeTwin(data, 0, data.length, body);
  } catch (err) {
    assert.ok(typeof kernel === "number", `${where}: ${String(err)}`);
    return false;
  }
  assert.ok(typeof kernel !== "number", where);
  assert.equal(kernel.live, twin.live, where);
  const columns = [kernel.count, kernel.zeroCount, kernel.sum, kernel.rows].map(bits);
  assert.deepEqual(columns, [twin.count, twin.zeroCount, twin.sum, twin.rows], where);
  assert.deepEqual([...kernel.t], twin.t, where);
  const exact = [...twin.t, ...(twin.st ?? [])].every((x) => Math.abs(x) < 2 ** 52);
  if (exact) assert.deepEqual(kernel.st && [...kernel.st], twin.st, where);
  return true;
}

test("kernels and twins agree on golden chunks, sound and damaged", () => {
  const damage = fc.sample(fc.tuple(fc.nat(), fc.nat(7), fc.option(fc.nat(), {freq: 2})), {numRuns: 3, seed: 7});
  let read = 0;
  for (const golden of goldenChunks("storage", "blocks")) {
    const encoding = golden.encodingByte;
    if (encoding !== ENCODING.xor2 && !isHistogramEncoding(encoding)) continue;
    assert.ok(compare(encoding, golden.data, golden.where), golden.where);
    read++;
    for (const [at, bit, cut] of damage) {
      const data = Uint8Array.from(golden.data);
      data[2 + (at % (data.length - 2))]! ^= 1 << bit;
      const whole = cut === null ? data : data.slice(0, cut % data.length);
      compare(encoding, whole, `${golden.where} flip ${at} ${bit} cut ${cut}`);
    }
  }
  assert.ok(read > 0);
});
