import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {Annotations} from "./annotations.ts";
import {quantileOf} from "./range-functions.ts";
import {SortedWindow} from "./sorted-window.ts";
import {Window} from "./window.ts";

test("quantiles of a sliding window equal those of each window sorted anew", () => {
  const value = fc.oneof(fc.integer({min: -5, max: 5}), fc.double(), fc.constantFrom(Number.NaN, -0, Infinity));
  fc.assert(
    fc.property(
      fc.array(value, {minLength: 1, maxLength: 200}),
      fc.array(fc.tuple(fc.nat(40), fc.nat(40)), {maxLength: 30}),
      fc.double({min: 0, max: 1, noNaN: true}),
      (values, moves, phi) => {
        const w = new Window(new Annotations());
        w.vs = Float64Array.from(values);
        const sorted = new SortedWindow();
        for (const [head, tail] of moves) {
          w.to = Math.min(w.to + head, values.length);
          w.from = Math.min(w.from + tail, w.to);
          if (w.floats === 0) continue;
          sorted.update(w);
          const want = quantileOf(phi, w.vs.slice(w.from, w.to));
          const got = sorted.quantile(phi);
          assert.ok(got === want || (Number.isNaN(got) && Number.isNaN(want)), `${got} is not ${want}`);
        }
      },
    ),
    {numRuns: 500},
  );
});
