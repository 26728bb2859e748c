import assert from "node:assert/strict";
import {test} from "node:test";
import {format} from "./format.ts";
import {parseExpr} from "./parse.ts";
import {prettify} from "./prettify.ts";
import {formatFloat} from "./text.ts";

const ALL = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};

test("format writes the canonical form", () => {
  const f = (source: string, want = source): void => assert.equal(format(parseExpr(source, ALL)), want);
  f('foo{b="2", a=~"1"}', 'foo{a=~"1",b="2"}');
  f('{"foo"}', '{__name__="foo"}');
  f('{"a.b", "c d"!="e"}', '{"c d"!="e",__name__="a.b"}');
  f('{__name__!="bar",__name__="foo"}');
  f("foo offset -300 @ 12.3456", "foo @ 12.346 offset -5m");
  f("foo[90m] offset 1d @ end() smoothed", "foo[1h30m] smoothed @ end() offset 1d");
  f("sum(a)by(b,c)", "sum by (b, c) (a)");
  f("sum by () (a)", "sum(a)");
  f("a+on()b", "a + on () b");
  f("a+ignoring()b", "a + b");
  f("a+ignoring()group_left b", "a + ignoring () group_left () b");
  f(
    "a == bool on (x) group_right (y, z) fill_left (1) fill_right (1) b",
    "a == bool on (x) group_right (y, z) fill (1) b",
  );
  f("a + fill_right (2) fill_left (NaN) b", "a + fill_left (NaN) fill_right (2) b");
  f("1e-8 + 379d + 0s + -1h", "0.00000001 + 379d + 0s + -1h");
  f("+foo");
  f("((foo))");
  f(
    "sum_over_time((foo)[5m:step() + 1m] @ 0 offset (1m*2))",
    "sum_over_time((foo)[5m:step() + 1m] @ 0.000 offset (1m * 2))",
  );
  f("foo[((5m)):-(1m)] offset (90)", "foo[(5m):-(1m)] offset (90)");
  f("foo offset -(-1m)", "foo offset -(-1m)");
  f("foo[+(5m) * 2] offset - -30s", "foo[(5m) * 2] offset 30s");
  f("foo offset +step()", "foo offset step()");
  f("foo offset (1m) - 5", "foo offset (1m) - 5");
  f("foo offset - -30s * 2", "foo offset (30s * 2)");
  f("foo offset (1m) @ 5 - 5", "foo @ 5.000 offset +(1m) - 5");
  f("-bar ^ foo offset (1m) - 5 smoothed * 2", "-bar ^ foo smoothed offset +((1m) - 5) * 2");
  f('label_replace(a, "x", "\\t$1", `y\\n`, \'\\\'\')', 'label_replace(a, "x", "\\t$1", "y\\\\n", "\'")');
});

test("prettify splits what is longer than a hundred bytes", () => {
  const long = (n: number): string => `metric_with_a_rather_long_name_${"x".repeat(n)}`;
  const source = `topk(3, ${long(30)} + -${long(40)}) > bool 1`;
  assert.equal(
    prettify(parseExpr(source)),
    ["  topk(", "    3,", `      ${long(30)}`, "    +", `      -${long(40)}`, "  )", "> bool", "  1"].join("\n"),
  );
  assert.equal(prettify(parseExpr(`(${long(80)})`)), `(\n  ${long(80)}\n)`);
});

test("floats are written without exponent, with the fewest digits that read back", () => {
  const f = (value: number, want: string): void => assert.equal(formatFloat(value), want);
  f(0, "0");
  f(-0, "-0");
  f(1e21, "1000000000000000000000");
  f(1.25e-10, "0.000000000125");
  f(-1.7976931348623157e308, `-17976931348623157${"0".repeat(292)}`);
  f(123456.789, "123456.789");
});
