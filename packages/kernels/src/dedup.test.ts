import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {dedupPenalty} from "./dedup.ts";
import {dedupPenaltyTwin} from "./dedup-twin.ts";
import {newKernel} from "./kernel.ts";

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
