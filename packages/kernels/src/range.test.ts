import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {newKernel} from "./kernel.ts";
import {dropStale, rangeWindows, windowSamples} from "./range.ts";
import {avgWindow, dropStaleTwin, RANGE, type RangeFunc, rangeTwin, sumWindow, type Windows} from "./range-twin.ts";

const STALE = new Float64Array(new BigUint64Array([0x7ff0000000000002n]).buffer);

/** A marker for the stale NaN, whose bits would not survive a trip through fast-check's arrays. */
const STALE_MARK = "stale";
const value = fc.oneof(
  {weight: 6, arbitrary: fc.integer({min: 0, max: 50})},
  {weight: 2, arbitrary: fc.double()},
  {weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 1.7e308, -1.7e308)},
  {weight: 1, arbitrary: fc.constant(STALE_MARK)},
);
const samples = fc.array(fc.tuple(fc.integer({min: 1, max: 30}), value), {maxLength: 80});
const windows: fc.Arbitrary<Windows> = fc.record({
  start: fc.integer({min: -50, max: 1500}),
  step: fc.constantFrom(0, 1, 7, 15, 100),
  count: fc.integer({min: 1, max: 60}),
  range: fc.constantFrom(0, 1, 15, 60, 400),
});

function columns(of: readonly (readonly [number, number | string])[]): {ts: Float64Array; vs: Float64Array} {
  const ts = new Float64Array(of.length);
  const vs = new Float64Array(of.length);
  let t = 0;
  of.forEach(([gap, v], i) => {
    t += gap;
    ts[i] = t;
    if (typeof v === "number") vs[i] = v;
    else new BigUint64Array(vs.buffer)[i] = new BigUint64Array(STALE.buffer)[0]!;
  });
  return {ts, vs};
}

/** Samples in all windows, and different ones. */
function countWindows(ts: Float64Array, n: number, w: Windows): {total: number; fresh: number} {
  let total = 0;
  const seen = new Set<number>();
  for (let i = 0; i < w.count; i++) {
    const hi = w.start + i * w.step;
    for (let j = 0; j < n; j++) {
      if (ts[j]! > hi || ts[j]! <= hi - w.range) continue;
      total++;
      seen.add(j);
    }
  }
  return {total, fresh: seen.size};
}

const bits = (column: Float64Array) => [...new BigUint64Array(column.buffer, column.byteOffset, column.length)];

for (const [name, func] of Object.entries(RANGE) as [string, RangeFunc][]) {
  test(`${name}: the kernel gives the twin's bits`, () => {
    const k = newKernel();
    fc.assert(
      fc.property(samples, windows, (of, w) => {
        const {ts, vs} = columns(of);
        const a = {ts: k.alloc(8 * ts.length), vs: k.alloc(8 * ts.length)};
        const [out, kind, scratch] = [k.alloc(8 * w.count), k.alloc(w.count), k.alloc(16 * ts.length)];
        k.f64().set(ts, a.ts / 8);
        k.u64().set(new BigUint64Array(vs.buffer), a.vs / 8);
        let n = ts.length;
        if (func !== RANGE.instant) {
          n = dropStaleTwin(ts, vs, n);
          assert.equal(dropStale(k, a, ts.length), n);
          assert.deepEqual([...k.f64().subarray(a.ts / 8, a.ts / 8 + n)], [...ts.subarray(0, n)]);
        }
        const wantOut = new Float64Array(w.count);
        const wantKind = new Uint8Array(w.count);
        const results = rangeTwin(func, ts, vs, n, w, wantOut, wantKind, 0);
        assert.equal(rangeWindows(k, func, a, n, w, out, kind, scratch), results);
        assert.deepEqual(windowSamples(k), countWindows(ts, n, w));
        assert.deepEqual([...k.read(kind, w.count)], [...wantKind]);
        const got = k.f64().slice(out / 8, out / 8 + w.count);
        for (let i = 0; i < w.count; i++) {
          if (wantKind[i] === 0) continue;
          assert.ok(Object.is(got[i], wantOut[i]), `step ${i}: ${got[i]} is not ${wantOut[i]}`);
        }
        for (const ptr of [a.ts, a.vs, out, kind, scratch]) k.free(ptr);
      }),
      {numRuns: 300},
    );
    assert.equal(k.allocated, 0);
  });
}

test("min and max by the queue equal the plain definition", () => {
  fc.assert(
    fc.property(samples, windows, fc.boolean(), (of, w, wantMax) => {
      const {ts, vs} = columns(of);
      const n = dropStaleTwin(ts, vs, ts.length);
      const out = new Float64Array(w.count);
      const kind = new Uint8Array(w.count);
      rangeTwin(wantMax ? RANGE.max : RANGE.min, ts, vs, n, w, out, kind, 0);
      for (let i = 0; i < w.count; i++) {
        const hi = w.start + i * w.step;
        let best: number | undefined;
        for (let j = 0; j < n; j++) {
          if (ts[j]! > hi || ts[j]! <= hi - w.range) continue;
          const v = vs[j]!;
          if (best === undefined || Number.isNaN(best) || (wantMax ? v > best : v < best)) best = v;
        }
        assert.equal(kind[i], best === undefined ? 0 : 1);
        if (best !== undefined) assert.ok(Object.is(out[i], best));
      }
    }),
  );
});

test("sum and avg carried from window to window equal those of each window alone", () => {
  const tame = fc.oneof(fc.integer({min: 0, max: 1000}), fc.double({min: 0, max: 1e9, noNaN: true}));
  const positive = fc.array(fc.tuple(fc.integer({min: 1, max: 30}), tame), {maxLength: 120});
  fc.assert(
    fc.property(positive, windows, fc.constantFrom(1, -1), (of, w, sign) => {
      const {ts, vs} = columns(of.map(([gap, v]) => [gap, v * sign]));
      const out = new Float64Array(w.count);
      const kind = new Uint8Array(w.count);
      for (const [func, alone] of [
        [RANGE.sum, sumWindow],
        [RANGE.avg, avgWindow],
      ] as const) {
        rangeTwin(func, ts, vs, ts.length, w, out, kind, 0);
        for (let i = 0; i < w.count; i++) {
          const hi = w.start + i * w.step;
          const from = ts.findIndex((t) => t > hi - w.range);
          const to = ts.findLastIndex((t) => t <= hi) + 1;
          const any = from >= 0 && from < to;
          assert.equal(kind[i], any ? 1 : 0);
          if (!any) continue;
          const want = alone(vs, from, to);
          assert.ok(Math.abs(out[i]! - want) <= 2 ** -52 * Math.abs(want), `step ${i}: ${out[i]} is not ${want}`);
        }
      }
    }),
    {numRuns: 500},
  );
});

test("stale markers keep their bits through the instant window and end it", () => {
  const {ts, vs} = columns([
    [10, 1],
    [10, STALE_MARK],
    [10, 2],
  ]);
  const out = new Float64Array(4);
  const kind = new Uint8Array(4);
  rangeTwin(RANGE.instant, ts, vs, 3, {start: 10, step: 10, count: 4, range: 100}, out, kind, 0);
  assert.deepEqual([...kind], [1, 0, 1, 1]);
  assert.equal(bits(vs)[1], 0x7ff0000000000002n);
});
