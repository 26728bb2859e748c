import assert from "node:assert/strict";
import {test} from "node:test";
import {appendFloatChunk, ENCODING, encodeFloatChunks, newFloatColumns} from "@strata/chunkenc";
import fc from "fast-check";
import {chainSamples} from "./chain-samples.ts";
import type {ChunkItem} from "./chunk-item.ts";
import {GoHeap} from "./go-heap.ts";
import {mergeOverlaps} from "./overlap-chunks.ts";

function chunk(samples: readonly (readonly [number, number])[]): ChunkItem {
  const t = Float64Array.from(samples, ([time]) => time);
  const v = Float64Array.from(samples, ([, value]) => value);
  const [c] = encodeFloatChunks({t, v, n: samples.length}, 0, samples.length, 1000);
  if (c === undefined) throw new Error("no samples");
  return {mint: c.mint, maxt: c.maxt, encoding: c.encoding, data: c.data, from: 0, length: c.data.length};
}

function chain(chunks: readonly ChunkItem[]): [number, number][] {
  const out: [number, number][] = [];
  chainSamples(chunks, (samples, at) => {
    if (samples.kind === "floats") out.push([samples.columns.t[at] as number, samples.columns.v[at] as number]);
  });
  return out;
}

test("of equal times the winner is the reference's", () => {
  const inputs = (n: number) =>
    Array.from({length: n}, (_, i) => chunk([1000, 2000, 3000].map((t) => [t, i + 1] as const)));
  assert.deepEqual(
    chain(inputs(2)).map(([, v]) => v),
    [2, 2, 2],
  );
  assert.deepEqual(
    chain(inputs(3)).map(([, v]) => v),
    [2, 1, 3],
  );
  assert.deepEqual(
    chain(inputs(4)).map(([, v]) => v),
    [2, 3, 2],
  );
});

const series = fc
  .uniqueArray(fc.nat(300), {minLength: 1, maxLength: 60})
  .map((times) => times.sort((a, b) => a - b).map((t) => [t * 10, t] as [number, number]));

/** Cuts samples into chunks of `size`. */
const cut = (samples: readonly [number, number][], size: number): ChunkItem[] =>
  Array.from({length: Math.ceil(samples.length / size)}, (_, i) => chunk(samples.slice(i * size, (i + 1) * size)));

test("merged chunks ascend, do not overlap and hold each time of any input once", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(series, fc.integer({min: 1, max: 20})), {minLength: 1, maxLength: 4}), (inputs) => {
      const out: ChunkItem[] = [];
      mergeOverlaps(
        inputs.map(([samples, size]) => cut(samples, size)),
        (c) => out.push(c),
      );
      const got = newFloatColumns(512);
      let end = Number.NEGATIVE_INFINITY;
      for (const c of out) {
        assert.ok(c.mint > end && c.mint <= c.maxt);
        end = c.maxt;
        const from = got.n;
        appendFloatChunk(ENCODING.xor, c.data, c.from, c.length, got);
        assert.deepEqual([got.t[from], got.t[got.n - 1]], [c.mint, c.maxt]);
      }
      const want = [...new Set(inputs.flatMap(([samples]) => samples.map(([t]) => t)))].sort((a, b) => a - b);
      assert.deepEqual([...got.t.subarray(0, got.n)], want);
      assert.deepEqual(
        [...got.v.subarray(0, got.n)],
        want.map((t) => t / 10),
      );
    }),
  );
});

test("chunks that overlap nothing, and exact duplicates, keep their bytes", () => {
  const a = cut(
    [
      [0, 1],
      [10, 2],
      [20, 3],
      [30, 4],
    ],
    2,
  );
  const later = cut(
    [
      [40, 5],
      [50, 6],
    ],
    2,
  );
  const out: ChunkItem[] = [];
  mergeOverlaps([a, [a[1] as ChunkItem], later], (c) => out.push(c));
  assert.deepEqual(out, [...a, ...later]);
  assert.equal(out[1], a[1]);
});

test("the heap gives items in order", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (numbers) => {
      const heap = new GoHeap<number>((a, b) => a < b);
      for (const n of numbers) heap.push(n);
      const got: number[] = [];
      for (let n = heap.pop(); n !== undefined; n = heap.pop()) got.push(n);
      assert.deepEqual(
        got,
        numbers.toSorted((a, b) => a - b),
      );
    }),
  );
});
