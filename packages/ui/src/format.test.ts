import assert from "node:assert/strict";
import {test} from "node:test";
import {
  counted,
  formatAgo,
  formatDuration,
  formatElapsed,
  formatMetric,
  formatTick,
  formatValue,
  parseDuration,
} from "./format.ts";

test("metrics read as selectors", () => {
  const f = (metric: Record<string, string>, want: string): void => assert.equal(formatMetric(metric), want);
  f({}, "{}");
  f({__name__: "up"}, "up");
  f({__name__: "up", job: "a", instance: 'b"c'}, 'up{instance="b\\"c", job="a"}');
  f({__name__: "http.requests", "k8s.pod": "x"}, '{"http.requests", "k8s.pod"="x"}');
  f({job: "a"}, '{job="a"}');
});

test("ticks carry a unit prefix and only the decimals that tell them apart", () => {
  const f = (value: number, step: number, want: string): void => assert.equal(formatTick(value, step), want);
  f(0, 500, "0");
  f(1500, 500, "1.5k");
  f(2000, 500, "2k");
  f(-2000, 1000, "−2k");
  f(12_345_678, 1, "12.345678M");
  f(0.25, 0.05, "250m");
  f(1.25, 0.25, "1.25");
  f(1e-6, 1e-6, "1µ");
  f(3e-12, 1e-12, "3.0e-12");
  f(5e24, 1e24, "5Y");
});

test("values keep six significant digits", () => {
  const f = (value: number, want: string): void => assert.equal(formatValue(value), want);
  f(1234.56789, "1234.57");
  f(0.1 + 0.2, "0.3");
  f(-0.0001, "−0.0001");
  f(1.5e-7, "1.5e-7");
  f(123_456_789_012, "1.2346e+11");
  f(Number.NaN, "NaN");
  f(Number.NEGATIVE_INFINITY, "−Inf");
});

test("durations are read and written back", () => {
  for (const text of ["1h30m", "90d", "1w", "2y", "15s", "500ms"]) {
    assert.equal(formatDuration(parseDuration(text) as number), text);
  }
  assert.equal(parseDuration("90"), 90);
  assert.equal(parseDuration("1.5"), 1.5);
  for (const text of ["", "x", "-5m", "5m3", "1 h"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
  assert.equal(formatDuration(0), "0s");
});

test("counts, load times and ages", () => {
  assert.equal(counted(1, "warning", "warnings"), "1 warning");
  assert.equal(counted(1430, "series", "series"), "1,430 series");
  assert.equal(formatElapsed(84.4), "84 ms");
  assert.equal(formatElapsed(1240), "1.24 s");
  assert.equal(formatAgo(4), "4 s ago");
  assert.equal(formatAgo(7300), "2 h ago");
  assert.equal(formatAgo(-90), "in 1 min");
  assert.equal(formatAgo(0.2), "now");
});
