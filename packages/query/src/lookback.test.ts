import assert from "node:assert/strict";
import {test} from "node:test";
import {lookbackFor} from "./lookback.ts";

const MINUTE = 60_000;

test("lookback stretches to the resolution that may be read", () => {
  const f = (flag: number | undefined, resolution: number, want: number) =>
    assert.equal(lookbackFor(flag, true, resolution), want, `${flag} ${resolution}`);
  f(undefined, 0, 5 * MINUTE);
  f(undefined, 5 * MINUTE, 5 * MINUTE);
  f(undefined, 5 * MINUTE + 1, 60 * MINUTE);
  f(2 * MINUTE, 3 * MINUTE, 5 * MINUTE);
  f(2 * MINUTE, 2 * MINUTE, 2 * MINUTE);
  f(10 * MINUTE, 8 * MINUTE, 10 * MINUTE);
  f(90 * MINUTE, 100 * MINUTE, 90 * MINUTE);
});

test("without the dynamic form the flag alone decides", () => {
  assert.equal(lookbackFor(undefined, false, 60 * MINUTE), 5 * MINUTE);
  assert.equal(lookbackFor(MINUTE, false, 60 * MINUTE), MINUTE);
});
