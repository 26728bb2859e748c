import assert from "node:assert/strict";
import {test} from "node:test";
import {formatTimestamp, parseTimestamp, ZERO_TIME} from "./timestamp.ts";

test("a moment keeps its nanoseconds through text", () => {
  const f = (text: string, seconds: number, nanos: number, back = text) => {
    assert.deepEqual(parseTimestamp(text), {seconds, nanos}, text);
    assert.equal(formatTimestamp({seconds, nanos}), back);
  };
  f("2026-11-22T20:40:00.591178047Z", 1_795_380_000, 591_178_047);
  f("2026-11-22T20:40:00Z", 1_795_380_000, 0);
  f("2026-11-22T21:40:00.5+01:00", 1_795_380_000, 500_000_000, "2026-11-22T20:40:00.5Z");
  f("1969-12-31T23:59:59.25Z", -1, 250_000_000);
  f("0001-01-01T00:00:00Z", ZERO_TIME.seconds, 0);
  assert.equal(parseTimestamp("yesterday"), undefined);
});

test("a moment beyond every calendar is never", () => {
  assert.equal(formatTimestamp({seconds: 2 ** 60, nanos: 0}), "0001-01-01T00:00:00Z");
});
