import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {
  formatGoDuration,
  formatPrometheusDuration,
  formatRfc3339,
  parseGoDuration,
  parsePrometheusDuration,
  parseRfc3339,
  parseTimeOrDuration,
  resolveTime,
} from "./durations.ts";

const HOUR = 3_600_000;

test("Prometheus durations are whole numbers with units from large to small", () => {
  const f = (text: string, want: number) => assert.equal(parsePrometheusDuration(text), want, text);
  f("0", 0);
  f("0s", 0);
  f("1d12h", 36 * HOUR);
  f("1y2w3d4h5m6s7ms", (365 + 14 + 3) * 24 * HOUR + 4 * HOUR + 306_007);
  for (const bad of ["", "1", "1.5h", "1h1d", "1h1h", "-1h", "1x", "h", "300y", "1h "]) {
    assert.throws(() => parsePrometheusDuration(bad), {code: "bad_data"}, bad);
  }
  assert.throws(() => parsePrometheusDuration("1x"), {message: 'unknown unit "x" in duration "1x"'});
  assert.throws(() => parsePrometheusDuration("1.5h"), {message: 'unknown unit "." in duration "1.5h"'});
});

test("Prometheus durations print with weeks and years only where they come out even", () => {
  const f = (ms: number, want: string) => assert.equal(formatPrometheusDuration(ms), want);
  f(0, "0s");
  f(90 * 60_000, "1h30m");
  f(7 * 24 * HOUR, "1w");
  f(8 * 24 * HOUR, "8d");
  f(365 * 24 * HOUR, "1y");
  f(366 * 24 * HOUR, "366d");
  f(-1500, "-1s500ms");
});

test("a printed Prometheus duration reads back", () => {
  fc.assert(
    fc.property(fc.integer({min: 0, max: 9e12}), (ms) =>
      assert.equal(parsePrometheusDuration(formatPrometheusDuration(ms)), ms),
    ),
  );
});

test("Go durations know fractions, signs and, as flags, days and weeks", () => {
  assert.equal(parseGoDuration("1h30m"), 1.5 * HOUR);
  assert.equal(parseGoDuration("1.5h"), 1.5 * HOUR);
  assert.equal(parseGoDuration("-20ms"), -20);
  assert.equal(parseGoDuration("1us"), 0.001);
  assert.equal(parseGoDuration("0"), 0);
  assert.equal(parseGoDuration("2d3h", {withDays: true}), 51 * HOUR);
  for (const bad of ["", "1", "2d", "h", "1h x", ".s", "--1s"])
    assert.throws(() => parseGoDuration(bad), {code: "bad_data"}, bad);
});

test("Go durations print as Go does", () => {
  const f = (ms: number, want: string) => assert.equal(formatGoDuration(ms), want);
  f(0, "0s");
  f(1.5 * HOUR, "1h30m0s");
  f(300, "300ms");
  f(1500, "1.5s");
  f(60_100, "1m0.1s");
  f(0.0015, "1.5µs");
  f(-2 * HOUR, "-2h0m0s");
});

test("RFC 3339 times read with zone and fraction and refuse impossible dates", () => {
  const f = (text: string, want: number | undefined) => assert.equal(parseRfc3339(text), want, text);
  f("2024-06-04T00:00:00Z", 1717459200000);
  f("2024-06-04T02:00:00.1259+02:00", 1717459200125);
  f("0001-01-01T00:00:00Z", -62135596800000);
  f("2024-02-30T00:00:00Z", undefined);
  f("2024-06-04 00:00:00Z", undefined);
  f("2024-06-04T24:00:00Z", undefined);
  assert.equal(formatRfc3339(1717459200000), "2024-06-04T00:00:00Z");
  assert.equal(formatRfc3339(1717459200250), "2024-06-04T00:00:00.25Z");
});

test("the flag type time|dur takes a time or an offset from now", () => {
  assert.equal(resolveTime(parseTimeOrDuration("2024-06-04T00:00:00Z"), 5), 1717459200000);
  assert.equal(resolveTime(parseTimeOrDuration("-1h"), 2 * HOUR), HOUR);
  assert.equal(resolveTime(parseTimeOrDuration("1h"), 0), HOUR);
  assert.throws(() => parseTimeOrDuration("yesterday"), {code: "bad_data"});
  assert.throws(() => parseTimeOrDuration(""), {code: "bad_data"});
});
