import assert from "node:assert/strict";
import {test} from "node:test";
import {errorCode} from "@strata/base";
import fc from "fast-check";
import {percentBytes} from "../router.ts";
import {goParseFloat, labelNameParam, limitParam, metadataRange, parseDuration, parseTime} from "./param-values.ts";

test("times are seconds with a fraction or RFC 3339", () => {
  const f = (text: string, want: number) => assert.equal(parseTime(text), want, text);
  f("1709254800", 1_709_254_800_000);
  f("1709254800.7894", 1_709_254_800_789);
  f("-1.5", -1500);
  f("1e3", 1_000_000);
  f("2024-03-01T01:00:00Z", 1_709_254_800_000);
  f("2024-03-01T01:00:00.5+01:00", 1_709_251_200_500);
  for (const bad of ["", "now", "Inf", "NaN", "1 ", "0x10", "2024-03-01"]) {
    assert.throws(() => parseTime(bad), /^StrataError: cannot parse ".*" to a valid timestamp$/, bad);
  }
});

test("durations are seconds with a fraction or a Prometheus duration", () => {
  const f = (text: string, want: number) => assert.equal(parseDuration(text), want, text);
  f("1.5", 1500);
  f("1m30s", 90_000);
  f("-3", -3000);
  f("NaN", Number.NEGATIVE_INFINITY);
  assert.throws(() => parseDuration("1e10"), /cannot parse "1e10" to a valid duration\. It overflows int64/);
  assert.throws(() => parseDuration("1.5h"), /cannot parse "1.5h" to a valid duration$/);
});

test("a range needs its end after its start", () => {
  assert.throws(
    () => metadataRange(new URLSearchParams("start=2&end=1"), 0, 0),
    /end timestamp must not be before start time/,
  );
  assert.deepEqual(metadataRange(new URLSearchParams("start=1&end=1"), 0, 0), {mint: 1000, maxt: 1000});
});

test("label names are any UTF-8 text but the empty one", () => {
  assert.equal(labelNameParam("k8s.pod%2Fname"), "k8s.pod/name");
  assert.equal(labelNameParam("%E6%B8%A9"), "温");
  assert.throws(() => labelNameParam(""), /invalid label name: ""/);
  assert.throws(() => labelNameParam("a%ff%22b"), /invalid label name: "a\\xff\\"b"/);
});

test("any text is a value or a bad_data error", () => {
  const total = (read: () => unknown): void => {
    try {
      read();
    } catch (err) {
      assert.equal(errorCode(err), "bad_data", String(err));
    }
  };
  const text = fc.oneof(fc.string({unit: "binary"}), fc.stringMatching(/^[-+.0-9eEinfaNTZ:hmsdwy]{0,12}$/));
  fc.assert(
    fc.property(text, (s) => {
      total(() => parseTime(s));
      total(() => parseDuration(s));
      total(() => labelNameParam(s));
      total(() => limitParam(new URLSearchParams({limit: s})));
      const float = goParseFloat(s);
      if (float !== undefined && Number.isFinite(float)) assert.equal(float, Number(s));
    }),
    {numRuns: 2000},
  );
});

test("percent-decoding inverts encoding, and takes stray percent signs as they are", () => {
  fc.assert(
    fc.property(fc.string({unit: "grapheme"}), (s) => {
      assert.equal(Buffer.from(percentBytes(encodeURIComponent(s))).toString(), s);
      assert.ok(percentBytes(s).length >= 0);
    }),
  );
});
