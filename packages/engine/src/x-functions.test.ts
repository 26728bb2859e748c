import assert from "node:assert/strict";
import {test} from "node:test";
import {Annotations} from "./annotations.ts";
import {Window} from "./window.ts";
import {extendedWindow} from "./x-functions.ts";

/** A window over samples every minute; times in minutes. */
function windowOf(values: number[], start: number, end: number, first = 0): Window {
  const w = new Window(new Annotations());
  w.ts = Float64Array.from(values, (_, i) => (first + i) * 60_000);
  w.vs = Float64Array.from(values);
  w.start = start * 60_000;
  w.end = end * 60_000;
  w.range = w.end - w.start;
  w.from = w.ts.findIndex((t) => t > w.start);
  if (w.from < 0) w.from = w.ts.length;
  w.to = w.ts.findLastIndex((t) => t <= w.end) + 1;
  return w;
}

test("xincrease counts from the last sample before the range, resets included", () => {
  assert.equal(extendedWindow("increase")(windowOf([1, 3, 6, 10, 15, 21], 1.5, 4.5)), 12);
  assert.equal(extendedWindow("increase")(windowOf([1, 3, 6, 2, 5, 9], 1.5, 4.5)), 8);
});

test("xincrease gives the value of a series that has just appeared, xrate nothing but zero", () => {
  assert.equal(extendedWindow("increase")(windowOf([7], 0, 5, 3)), 7);
  assert.equal(extendedWindow("increase")(windowOf([7, 7, 7, 7, 7, 7, 7, 7], 2, 7)), 0);
});

test("xrate of samples that cover the range scales to it, whole seconds", () => {
  assert.equal(extendedWindow("rate")(windowOf([0, 60, 120, 180, 240, 300], 0, 5)), 1);
  assert.equal(extendedWindow("delta")(windowOf([0, 60, 120, 180, 240, 300], 0, 5)), 300);
});

test("a sample further before the range than the spacing is left out of xrate", () => {
  const w = windowOf([0, 60, 120, 180], 4, 7, 4);
  w.ts[0] = 0;
  w.ts.set(
    [5, 6, 7].map((m) => m * 60_000),
    1,
  );
  w.from = 1;
  assert.equal(extendedWindow("rate")(w), 120 / 180);
});

test("without samples there is no result", () => {
  assert.equal(extendedWindow("rate")(windowOf([], 0, 5)), undefined);
});
