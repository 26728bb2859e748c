import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {format} from "./format.ts";
import {parseExpr} from "./parse.ts";
import {resolveDurations} from "./resolve-durations.ts";

const resolved = (source: string): string =>
  format(resolveDurations(parseExpr(source), {step: 30_000, range: 3_600_000}));

test("composite durations become milliseconds wherever they stand", () => {
  const f = (source: string, want: string): void => assert.equal(resolved(source), want, source);
  f("rate(foo[step() * 4] offset -step())", "rate(foo[2m] offset -30s)");
  f(
    "sum_over_time(foo[max_of(step(), 1m):min_of(range(), 10s)] offset (1m % 7s))",
    "sum_over_time(foo[1m:10s] offset 4s)",
  );
  f("foo offset (5m - 300)", "foo");
  f(
    "a + (foo offset (2 ^ 3 ^ 0.5) or max_over_time(foo[(1m + range()) / 2:]))",
    "a + (foo offset 3s321ms or max_over_time(foo[30m30s:]))",
  );
  f("rate(foo[5m] offset +(step() / 4))", "rate(foo[5m] offset 7s500ms)");
  f("foo offset (1m) - 5", "foo offset 55s");
  f("foo offset -(1m) - 5", "foo offset -1m - 5");
  f("foo offset - -30s * 2", "foo offset 1m");
  f("foo offset - - -2 ^ 2", "foo offset -4s");
});

test("a tree without composite durations is returned as it is", () => {
  const expr = parseExpr("sum(rate(foo[5m] offset 1m)) / max_over_time(foo[1h:])");
  assert.equal(resolveDurations(expr, {step: 1, range: 1}), expr);
});

test("impossible durations name the byte offsets of the expression", () => {
  const f = (source: string, want: string): void =>
    assert.throws(
      () => resolveDurations(parseExpr(source), {step: 0, range: 0}),
      (err) => err instanceof StrataError && err.code === "bad_data" && err.message === want,
      source,
    );
  f("rate(foo[step() * 4])", "9:19: duration must be greater than 0");
  f("rate(foo[5m - 10m])", "9:17: duration must be greater than 0");
  f("foo offset (1 / step())", "12:22: division by zero");
  f("foo offset (1 % step())", "12:22: modulo by zero");
  f("foo offset (9e9 * 9e9)", "12:21: duration is out of range");
  f("foo offset (-1 ^ 0.5 + (-8) ^ 0.5)", "12:33: duration is NaN or infinite");
});
