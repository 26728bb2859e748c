import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat, seed} from "@strata/base/testing";
import fc from "fast-check";
import {jsonPoints} from "./json-points.ts";
import {jsonFloat, jsonPointsTwin} from "./json-points-twin.ts";

function written(times: readonly number[], values: readonly number[], from = 0, to = times.length): string {
  const parts: Buffer[] = [];
  jsonPoints(Float64Array.from(times), Float64Array.from(values), from, to, (bytes) => parts.push(Buffer.from(bytes)));
  return Buffer.concat(parts).toString();
}

const twin = (times: readonly number[], values: readonly number[]): string =>
  jsonPointsTwin(Float64Array.from(times), Float64Array.from(values), 0, times.length);

test("sample values are written as Prometheus writes them", () => {
  const f = (v: number, want: string) => {
    assert.equal(jsonFloat(v), want);
    assert.equal(written([0], [v]), `[0,"${want}"]`);
  };
  f(1, "1");
  f(-0, "-0");
  f(0.1 + 0.2, "0.30000000000000004");
  f(1e20, "100000000000000000000");
  f(1e21, "1e+21");
  f(1.5e-10, "1.5e-10");
  f(1e-7, "1e-07");
  f(0.000001, "0.000001");
  f(-2.5e300, "-2.5e+300");
  f(5e-324, "5e-324");
  f(Number.NaN, "NaN");
  f(Infinity, "+Inf");
  f(-Infinity, "-Inf");
});

test("times are seconds, with three digits behind the dot where they are not whole", () => {
  const f = (t: number, want: string) => assert.equal(written([t], [1]), `[${want},"1"]`);
  f(0, "0");
  f(1, "0.001");
  f(1_435_781_451_781, "1435781451.781");
  f(-1_500, "-1.500");
  f(-60_000, "-60");
  f(2 ** 53 - 1, "9007199254740.991");
});

test("any floats and times are written as the twin writes them", () => {
  const float = fc.oneof(
    fc.double(),
    fc.integer().map((n) => n / 1000),
    fc.tuple(fc.integer({min: -99, max: 99}), fc.integer({min: -330, max: 310})).map(([m, e]) => Number(`${m}e${e}`)),
    // Powers of two, whose lower neighbour is nearer, with their neighbours.
    fc.tuple(fc.integer({min: -1074, max: 1023}), fc.integer({min: -1, max: 1})).map(([e, d]) => nextTo(2 ** e, d)),
  );
  const time = fc.integer({min: -(2 ** 53) + 1, max: 2 ** 53 - 1});
  fc.assert(
    fc.property(fc.array(fc.tuple(time, float), {minLength: 1, maxLength: 50}), (points) => {
      const [times, values] = [points.map(([t]) => t), points.map(([, v]) => v)];
      assert.equal(written(times, values), twin(times, values));
    }),
    {numRuns: repeat(2000), seed: seed()},
  );
});

test("any bit patterns are, and many points are written in stretches", () => {
  const next = random(seed());
  for (let round = 0; round < repeat(200); round++) {
    const n = 1 + Math.floor(next() * 5000);
    const bits = new Uint32Array(2 * n).map(() => next() * 2 ** 32);
    const values = [...new Float64Array(bits.buffer)];
    const times = values.map((_, i) => 1_700_000_000_000 + 15_000 * i);
    assert.equal(written(times, values), twin(times, values));
    assert.equal(written(times, values, n - 1), twin(times.slice(n - 1), values.slice(n - 1)));
  }
});

function nextTo(v: number, steps: number): number {
  const bits = new BigInt64Array(new Float64Array([v]).buffer);
  bits[0] = (bits[0] as bigint) + BigInt(steps);
  return new Float64Array(bits.buffer)[0] as number;
}
