import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {valueType} from "./ast.ts";
import {format} from "./format.ts";
import {parseExpr, parseMatchParam, parseSelector} from "./parse.ts";
import type {ParseOptions} from "./parse-options.ts";

const ALL: ParseOptions = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};

const failure = (run: () => unknown): StrataError => {
  try {
    run();
  } catch (err) {
    assert.ok(err instanceof StrataError, String(err));
    assert.equal(err.code, "bad_data");
    return err;
  }
  return assert.fail("did not throw");
};

const refuses = (source: string, message: string, options: ParseOptions = ALL): void =>
  assert.equal(failure(() => parseExpr(source, options)).message.replace(": parse error", ""), message, source);

test("unclosed and surplus brackets are named where the text ends", () => {
  refuses("foo[5m", "1:7: unclosed left bracket");
  refuses("sum(", "1:5: unclosed left parenthesis");
  refuses("foo )", "1:6: unexpected right parenthesis ')'");
  refuses("foo]", "1:4: unexpected right bracket ']'");
  refuses("foo[", "1:5: unexpected end of input in duration expression");
  refuses("foo{{", "1:5: unexpected left brace '{'");
});

test("syntax errors say in which construct and what was expected", () => {
  const duration = "expected number, duration, step(), or range()";
  refuses("foo @ start", "1:12: unexpected end of input in @, expected timestamp");
  refuses("foo offset", `1:11: unexpected end of input in offset, ${duration}`);
  refuses("foo[5m*]", `1:8: unexpected "]" in subquery or range selector, ${duration}`);
  refuses("foo[5m 5m]", '1:8: unexpected duration "5m" in subquery or range, expected ":" or "]"');
  refuses("foo[5m:1m 5m]", '1:11: unexpected duration "5m" in subquery selector, expected "]"');
  refuses("foo{,}", '1:5: unexpected "," in label matching, expected identifier or "}"');
  refuses("foo{a}", '1:6: unexpected "}" in label matching, expected label matching operator');
  refuses("foo{a=b}", '1:7: unexpected identifier "b" in label matching, expected string');
  refuses('foo{a="b" c="d"}', '1:11: unexpected identifier "c" in label matching, expected "," or "}"');
  refuses("foo=bar", '1:4: unexpected "="');
  refuses("1 2", '1:3: unexpected number "2"');
  refuses("sum by (1) (foo)", '1:9: unexpected number "1" in grouping opts, expected label');
  refuses("sum by a (foo)", '1:8: unexpected identifier "a" in grouping opts, expected "("');
  refuses("sum by (a) (foo) by (b)", "1:18: unexpected <by>");
  refuses("sum by (a) foo", '1:12: unexpected identifier "foo" in aggregation');
  refuses("on", "1:1: unexpected <on>");
  refuses("a + ", "1:5: unexpected end of input");
});

test("the innermost construct with an opinion speaks", () => {
  refuses("sum(abs(1 2))", '1:11: unexpected number "2" in aggregation');
  refuses("abs(1 2)", '1:7: unexpected number "2"');
  refuses('foo @ bar{a="b"}', '1:7: unexpected identifier "bar" in @, expected timestamp');
});

test("lexer errors name the character", () => {
  refuses("foo!bar", "1:4: unexpected character after '!': 'b'");
  refuses("foo =~ bar", "1:5: unexpected character after '=': '~'");
  refuses("é", "1:1: unexpected character: 'é'");
  refuses('foo{é="x"}', "1:5: unexpected character inside braces: 'é'");
  refuses("foo[:5m]", "1:6: unexpected colon before duration in duration expression");
  refuses("foo[5m:1m:1m]", "1:10: unexpected colon ':'");
  refuses('"\\q"', "1:1: unknown escape sequence U+0071 'q'");
  refuses('"\\u12"', "1:1: illegal character U+0022 '\"' in escape sequence");
  refuses('"\\ud800"', "1:1: escape sequence is an invalid Unicode code point");
  refuses('"\\', "1:1: escape sequence not terminated");
  refuses("`abc", "1:1: unterminated raw string");
});

test("numbers and durations that are none", () => {
  refuses("0b1", '1:1: bad number or duration syntax: "0"');
  refuses("1e", '1:1: bad number or duration syntax: "1e"');
  refuses("5m3", '1:1: bad number or duration syntax: "5m3"');
  refuses("1_", '1:1: bad number or duration syntax: "1_"');
  refuses("1__0", '1:1: bad number or duration syntax: "1__"');
  refuses("0x1.8", '1:1: bad number or duration syntax: "0x1."');
  refuses("1e999", '1:1: error parsing number: strconv.ParseFloat: parsing "1e999": value out of range');
  refuses("1d1w", '1:1: not a valid duration string: "1d1w"');
  refuses("3hs", '1:1: unknown unit "hs" in duration "3hs"');
});

test("number literals have the values of the original", () => {
  const f = (source: string, want: number): void => {
    const expr = parseExpr(source);
    assert.ok(expr.kind === "number", source);
    assert.equal(expr.value, want, source);
  };
  f("010", 8);
  f("08", 8);
  f("0x1F", 31);
  f("0X_1F", 31);
  f("1_000", 1000);
  f("1_0e1_0", 1e11);
  f(".5", 0.5);
  f("5.", 5);
  f("1h30m", 5400);
  f("- -1", 1);
  f("-Inf", Number.NEGATIVE_INFINITY);
  f("iNf", Number.POSITIVE_INFINITY);
  f("nAn", Number.NaN);
  f("+-+1", -1);
});

test("columns count bytes and lines", () => {
  const err = failure(() => parseExpr('"é" +\n "日本" + )'));
  assert.equal(err.message, "2:14: parse error: unexpected right parenthesis ')'");
  assert.deepEqual(err.fields, {line: 2, column: 14, start: 20, end: 20});
});

test("durations that cannot be are refused where they stand", () => {
  for (const source of ["foo[0]", "foo[-5m]", "foo[0s]"]) refuses(source, "1:5: duration must be greater than 0");
  refuses("foo[1m:0]", "1:8: duration must be greater than 0");
  refuses("foo[999y]", "1:5: duration out of range");
  refuses("foo[1e10]", "1:5: duration out of range");
  refuses("foo offset 999y", "1:12: duration out of range");
  refuses("foo[5m/0]", "1:7: division by zero");
  refuses("foo[5m%0]", "1:7: modulo by zero");
});

test("modifiers stand behind selectors, ranges and subqueries only, each once", () => {
  const behind = "must be preceded by an instant vector selector or range vector selector or a subquery";
  refuses("foo offset 5m offset 5m", "1:1: offset may not be set multiple times");
  refuses("foo @ 1 @ 2", "1:1: @ <timestamp> may not be set multiple times");
  refuses("foo @ start() @ 2", "1:1: @ <timestamp> may not be set multiple times");
  refuses("1 offset 5m", `1:1: offset modifier ${behind}`);
  refuses("sum(foo) @ 1", `1:1: @ modifier ${behind}`);
  refuses("foo @ 10 [5m]", "1:10: no @ modifiers allowed before range");
  refuses("foo offset 5m [5m]", "1:15: no offset modifiers allowed before range");
  refuses("foo @ Inf", "1:1: timestamp out of bounds for @ modifier: +Inf");
  refuses("foo anchored smoothed", "1:1: anchored and smoothed modifiers cannot be used together");
  refuses("foo[5m:1m] smoothed", "1:1: smoothed modifier is not supported for subqueries");
});

test("parts behind a flag are refused without it", () => {
  const flag = "must be enabled with --enable-feature=promql-experimental-functions";
  refuses("limitk(1, foo)", `1:1: limitk() is experimental and ${flag}`, {});
  refuses("mad_over_time(foo[5m])", '1:1: function "mad_over_time" is not enabled', {});
  refuses("foo[5m] anchored", "1:1: anchored modifier is experimental and not enabled", {});
  refuses("a + fill(0) b", "1:1: binop fill modifiers are experimental and not enabled", {});
  refuses("xrate(foo[5m])", '1:1: unknown function with name "xrate"', ALL);
  assert.equal(valueType(parseExpr("xrate(foo[5m])", {xFunctions: true})), "vector");
});

test("types are checked from the leaves up", () => {
  refuses("abs(foo,)", "1:8: trailing commas not allowed in function call args");
  refuses("info(up, foo)", "1:10: expected label selectors only, got vector selector instead");
  refuses("info(up, up + up)", "1:10: expected label selectors only");
  refuses("1 + on(a) foo", "1:1: vector matching only allowed between instant vectors");
  refuses("1 + fill(1) foo", "1:1: filling in missing series only allowed between instant vectors");
  refuses("a and fill(1) b", "1:1: filling in missing series not allowed for set operators");
  refuses("label_join(foo, 1)", '1:1: expected at least 3 argument(s) in call to "label_join", got 2');
  refuses(
    'histogram_quantiles(a, "q")',
    '1:1: expected at least 3 argument(s) in call to "histogram_quantiles", got 2',
  );
  refuses("abs(nosuch(1)) + abs(1)", '1:5: unknown function with name "nosuch"');
  assert.equal(format(parseExpr("info(up, {})", ALL)), "info(up, {})");
});

test("keywords are names where nothing else fits", () => {
  for (const name of ["sum", "by", "without", "offset", "start", "end", "step", "range", "anchored", "fill", "or"]) {
    assert.equal(format(parseExpr(name)), name);
    assert.equal(format(parseExpr(`${name}{a="b"}[5m]`)), `${name}{a="b"}[5m]`);
  }
  const labels = "by, on, bool, atan2, sum, group_left, offset, start";
  assert.equal(format(parseExpr(`sum by (${labels},) (a)`)), `sum by (${labels}) (a)`);
});

test("operators bind as documented", () => {
  const f = (source: string, want: string): void => {
    // Shows the tree by putting every binary operation in parentheses.
    const show = (e: ReturnType<typeof parseExpr>): string =>
      e.kind === "binary"
        ? `(${show(e.lhs)} ${e.op} ${show(e.rhs)})`
        : e.kind === "unary"
          ? `${e.op}${show(e.expr)}`
          : format(e);
    assert.equal(show(parseExpr(source)), want, source);
  };
  f("a + b * c ^ d ^ e", "(a + (b * (c ^ (d ^ e))))");
  f("-a ^ b * c", "(-(a ^ b) * c)");
  f("a ^ -b * c", "((a ^ -b) * c)");
  f("a or b and c unless d == e", "(a or ((b and c) unless (d == e)))");
  f("a atan2 b % c", "((a atan2 b) % c)");
  f("a - b - c offset 5m", "((a - b) - c offset 5m)");
  f("a < b </ 1 > c", "(((a < b) </ 1) > c)");
  f("foo offset -2^2", "(foo offset -2s ^ 2)");
});

test("a match[] selector may match everything, but must be one selector", () => {
  assert.deepEqual(parseSelector("{}"), []);
  assert.deepEqual(
    parseSelector('up{a!="b"}').map((m) => [m.name, m.op, m.value]),
    [
      ["a", "!=", "b"],
      ["__name__", "=", "up"],
    ],
  );
  const message = (source: string): string => failure(() => parseSelector(source)).message;
  assert.equal(message(""), "unknown position: parse error: unexpected end of input");
  assert.equal(message("up offset 5m"), "1:4: parse error: unexpected <offset>");
  assert.equal(message("up{"), "1:4: parse error: unexpected end of input inside braces");
});

test("a match[] parameter as Thanos reads it is an expression that has to be a selector", () => {
  const names = (source: string): string[] => parseMatchParam(source).map((m) => m.name + m.op + m.value);
  assert.deepEqual(names("{}"), []);
  assert.deepEqual(names('{job=~".*"}'), ["job=~.*"]);
  assert.deepEqual(names('up{a!="b"} offset 5m'), ["a!=b", "__name__=up"]);
  const message = (source: string): string => failure(() => parseMatchParam(source)).message;
  assert.equal(message(""), "unknown position: parse error: no expression found in input");
  assert.equal(message("sum(up)"), "expected type *parser.VectorSelector, got *parser.AggregateExpr");
  assert.equal(message("up[5m]"), "expected type *parser.VectorSelector, got *parser.MatrixSelector");
  assert.equal(message('up{__name__="x"}'), '1:1: parse error: metric name must not be set twice: "up" or "x"');
  assert.equal(message('up{__name__!~"x"}'), '1:1: parse error: metric name must not be set twice: "up" or "x"');
});

test("bytes that are not UTF-8 survive in strings", () => {
  const expr = parseExpr('"a\\xff\\xc3\\xa9\\xe2\\x82"');
  assert.ok(expr.kind === "string");
  assert.equal(expr.value, "a\udcffé\udce2\udc82");
  assert.equal(format(expr), '"a\\xffé\\xe2\\x82"');
  assert.equal(format(parseExpr('"\\ufffd"')), '"\\ufffd"');
});

test("hostile nesting ends in a clear error, not in a full stack", () => {
  const n = 100_000;
  const nested = [
    "(".repeat(n),
    "-".repeat(n),
    "abs(".repeat(n),
    "sum by (a) (".repeat(n),
    "x ^ ".repeat(n),
    "x + ".repeat(n),
    `x[${"(".repeat(n)}`,
    `x[${"5m + ".repeat(n)}`,
    `x[${"max_of(1, ".repeat(n)}`,
    `x${"[5m:1m]".repeat(n)}`,
  ];
  for (const source of nested) {
    assert.match(failure(() => parseExpr(source)).message, /expression nests deeper than \d+ levels$/);
  }
});
