import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {dedupFold, dedupPenalty} from "./dedup.ts";
import {dedupPenaltyTwin, type MergedColumns} from "./dedup-twin.ts";
import {newKernel} from "./kernel.ts";
import type {KernelColumns} from "./range.ts";

const value = fc.oneof(fc.integer({min: 0, max: 100}), fc.double());
const lane = fc.array(fc.tuple(fc.integer({min: 1, max: 40_000}), value), {maxLength: 60});

function columns(of: readonly (readonly [number, number])[]) {
  let t = 0;
  const ts = Float64Array.from(of, ([gap]) => {
    t += gap;
    return t;
  });
  return {ts, vs: Float64Array.from(of, ([, v]) => v)};
}

test("the kernel's merge of two replicas gives the twin's bits", () => {
  const k = newKernel();
  const load = (of: {ts: Float64Array; vs: Float64Array}) => {
    const at = {ts: k.alloc(8 * of.ts.length), vs: k.alloc(8 * of.ts.length)};
    k.f64().set(of.ts, at.ts / 8);
    k.f64().set(of.vs, at.vs / 8);
    return at;
  };
  fc.assert(
    fc.property(lane, lane, fc.boolean(), (first, second, counter) => {
      const a = columns(first);
      const b = columns(second);
      const [na, nb] = [a.ts.length, b.ts.length];
      const want = dedupPenaltyTwin(a.ts, a.vs, na, b.ts, b.vs, nb, counter);
      const [ka, kb] = [load(a), load(b)];
      const out = {ts: k.alloc(8 * (na + nb)), vs: k.alloc(8 * (na + nb))};
      const n = dedupPenalty(k, ka, na, kb, nb, counter, out);
      assert.equal(n, want.n);
      for (const column of ["ts", "vs"] as const) {
        const got = k.f64().slice(out[column] / 8, out[column] / 8 + n);
        for (let i = 0; i < n; i++) assert.ok(Object.is(got[i], want[column][i]), `${column}[${i}]`);
      }
      for (const c of [ka, kb, out]) for (const ptr of [c.ts, c.vs]) k.free(ptr);
    }),
    {numRuns: 500},
  );
  assert.equal(k.allocated, 0);
});

test("folding one chunk after the other in place gives what merging pairs gives", () => {
  const k = newKernel();
  const shifted = fc.tuple(fc.integer({min: 0, max: 1_000_000}), lane);
  fc.assert(
    fc.property(fc.array(shifted, {minLength: 1, maxLength: 6}), (parts) => {
      const chunks = parts.map(([from, part]) => {
        const {ts, vs} = columns(part);
        return {ts: ts.map((t) => t + from), vs};
      });
      const room = 8 * (chunks.reduce((sum, {ts}) => sum + ts.length, 0) + 1);
      const [a, tmp] = [0, 1].map(() => ({ts: k.alloc(room), vs: k.alloc(room)})) as [KernelColumns, KernelColumns];
      const reach = k.alloc(room);
      let n = 0;
      let want: MergedColumns = {ts: new Float64Array(0), vs: new Float64Array(0), n: 0};
      for (const [i, chunk] of chunks.entries()) {
        const b = {ts: k.alloc(room), vs: k.alloc(room)};
        k.f64().set(chunk.ts, b.ts / 8);
        k.f64().set(chunk.vs, b.vs / 8);
        n = dedupFold(k, a, reach, n, b, chunk.ts.length, tmp);
        // The first chunk is taken as it is.
        want =
          i === 0
            ? {...chunk, n: chunk.ts.length}
            : dedupPenaltyTwin(want.ts, want.vs, want.n, chunk.ts, chunk.vs, chunk.ts.length, false);
        k.free(b.ts);
        k.free(b.vs);
      }
      const got = (ptr: number) => [...k.f64().subarray(ptr / 8, ptr / 8 + n)];
      assert.deepEqual(got(a.ts), [...want.ts.subarray(0, want.n)]);
      assert.deepEqual(got(a.vs), [...want.vs.subarray(0, want.n)]);
      for (const ptr of [a.ts, a.vs, tmp.ts, tmp.vs, reach]) k.free(ptr);
    }),
    {numRuns: 500},
  );
});
