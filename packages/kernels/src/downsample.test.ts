import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat} from "@strata/base/testing";
import {FloatDownsampler, WINDOW_OP} from "./downsample.ts";
import {counterResetsTwin, downsampleTwin, windowColumnTwin} from "./downsample-twin.ts";
import {type Kernel, kernel} from "./kernel.ts";
import {KernelArena} from "./kernel-arena.ts";
import {xorDecodeTwin} from "./xor-twin.ts";

const RESOLUTION = 300_000;

/** Times and values with gaps, resets, NaN and infinities; times may be negative. */
function samples(next: () => number): {ts: number[]; vs: number[]} {
  const n = 1 + Math.floor(next() * 3000);
  const step = [1000, 15_000, 60_000, 400_000][Math.floor(next() * 4)] as number;
  let t = Math.floor((next() - 0.5) * 1e9);
  let v = 0;
  const ts: number[] = [];
  const vs: number[] = [];
  for (let i = 0; i < n; i++) {
    t += 1 + Math.floor(next() * 2 * step) + (next() < 0.01 ? 5e6 : 0);
    v = next() < 0.02 ? 0 : v + next() * 10;
    ts.push(t);
    vs.push(next() < 0.01 ? Number.NaN : next() < 0.002 ? Number.POSITIVE_INFINITY : v);
  }
  return {ts, vs};
}

function place(k: Kernel, arena: KernelArena, ts: readonly number[], vs: readonly number[]) {
  const at = {ts: arena.alloc(8 * ts.length + 8), vs: arena.alloc(8 * ts.length + 8)};
  k.f64().set(ts, at.ts / 8);
  k.f64().set(vs, at.vs / 8);
  return at;
}

const column = (k: Kernel, ptr: number, n: number): number[] => [...k.f64().subarray(ptr / 8, ptr / 8 + n)];

/** The five columns of an aggregate chunk of floats. */
function split(data: Uint8Array): {t: number[]; v: number[]}[] {
  const columns: {t: number[]; v: number[]}[] = [];
  for (let at = 0; at < data.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = data[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    assert.equal(data[at++], 1);
    const n = ((data[at] as number) << 8) | (data[at + 1] as number);
    const t = new Float64Array(n);
    const v = new Float64Array(n);
    assert.equal(xorDecodeTwin(data, at, length, t, v), n);
    columns.push({t: [...t], v: [...v]});
    at += length;
  }
  return columns;
}

test("the kernel makes the chunks of its twin, in whatever pieces samples come", () => {
  const next = random();
  const k = kernel();
  using arena = new KernelArena();
  const downsampler = new FloatDownsampler(k, arena, RESOLUTION);
  for (let round = 0; round < repeat(300); round++) {
    const {ts, vs} = samples(next);
    const batchSize = 1 + Math.floor(next() * ts.length);
    const want = downsampleTwin(ts, vs, batchSize, RESOLUTION);
    const got: {mint: number; maxt: number; samples: number; data: Uint8Array}[] = [];
    const emit = (mint: number, maxt: number, count: number, data: Uint8Array) => {
      got.push({mint, maxt, samples: count, data});
    };
    const at = place(k, arena, ts, vs);
    downsampler.begin(batchSize);
    for (let from = 0; from < ts.length; ) {
      const n = Math.min(ts.length - from, 1 + Math.floor(next() * 1000));
      downsampler.push(at.ts + 8 * from, at.vs + 8 * from, n, emit);
      from += n;
    }
    downsampler.end(emit);
    assert.equal(got.length, want.length);
    want.forEach((chunk, i) => {
      const {mint, maxt, samples: count, data} = got[i] as (typeof got)[number];
      assert.deepEqual([mint, maxt, count], [chunk.t[0], chunk.t.at(-1), chunk.t.length]);
      const {t} = chunk;
      const {counterT, counter} = chunk;
      const columns = [chunk.count, chunk.sum, chunk.min, chunk.max].map((v) => ({t, v}));
      assert.deepEqual(split(data), [...columns, {t: counterT, v: counter}]);
    });
  }
});

test("chunks that finish by the hundreds in one push all come out", () => {
  const k = kernel();
  using arena = new KernelArena();
  const downsampler = new FloatDownsampler(k, arena, RESOLUTION);
  const ts = Array.from({length: 5000}, (_, i) => i * RESOLUTION);
  const at = place(k, arena, ts, ts);
  let chunks = 0;
  downsampler.begin(1);
  downsampler.push(at.ts, at.vs, ts.length, () => chunks++);
  downsampler.end(() => chunks++);
  assert.equal(chunks, ts.length);
});

test("columns over windows and counters without resets equal their twins", () => {
  const next = random();
  const k = kernel();
  using arena = new KernelArena();
  for (let round = 0; round < repeat(300); round++) {
    const {ts, vs} = samples(next);
    const n = ts.length;
    const out = {ts: arena.alloc(8 * n), vs: arena.alloc(8 * n)};
    for (const op of Object.values(WINDOW_OP)) {
      const at = place(k, arena, ts, vs);
      const windows = k.exports.windowColumn(at.ts, at.vs, n, 3_600_000, op, out.ts, out.vs);
      const want = windowColumnTwin(ts, vs, 3_600_000, op);
      assert.deepEqual([column(k, out.ts, windows), column(k, out.vs, windows)], [want.t, want.v]);
    }
    // As the counter chunks of downsampled data: the last value of each comes a second time.
    const counterT = ts.flatMap((t, i) => (i % 7 === 6 ? [t, t] : [t]));
    const counterV = ts.flatMap((_, i) => (i % 7 === 6 ? [(vs[i] as number) + 5, vs[i] as number] : [vs[i] as number]));
    const at = place(k, arena, counterT, counterV);
    const kept = k.exports.applyCounterResets(at.ts, at.vs, counterT.length, out.ts);
    const want = counterResetsTwin(counterT, counterV);
    assert.deepEqual([column(k, at.ts, kept), column(k, at.vs, kept)], [want.t, want.v]);
    assert.deepEqual(column(k, out.ts, 1), [want.last]);
  }
});

test("cleaning drops stale markers and what is behind, and keeps other NaN", () => {
  const k = kernel();
  using arena = new KernelArena();
  const at = place(k, arena, [1, 2, 3, 2, 4, 5], [1, 2, Number.NaN, 9, 4, 5]);
  const staleAt = place(k, arena, [6], [0]);
  k.u64()[staleAt.vs / 8] = 0x7ff0000000000002n;
  assert.equal(k.exports.downsampleClean(staleAt.ts, staleAt.vs, 1, 0), 0);
  assert.equal(k.exports.downsampleClean(at.ts, at.vs, 6, 2), 4);
  assert.deepEqual(column(k, at.ts, 4), [2, 3, 4, 5]);
});
