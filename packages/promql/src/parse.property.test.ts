import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {repeat, seed} from "@strata/base/testing";
import fc from "fast-check";
import type {Expr} from "./ast.ts";
import {format} from "./format.ts";
import {functionSignatures} from "./functions.ts";
import {parseExpr, parseSelector} from "./parse.ts";
import {prettify} from "./prettify.ts";
import {resolveDurations} from "./resolve-durations.ts";
import {toJson} from "./to-json.ts";

const ALL = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true, xFunctions: true};
const runs = (n: number): {numRuns: number; seed: number} => ({numRuns: repeat(n), seed: seed()});

const name = fc.constantFrom("foo", "bar:baz", "sum", "offset", "up", ":x", "by");
const label = fc.constantFrom("a", "job", "by", "on", '"b c"', '"\\u65e5"', "group_left");
const text = fc
  .string({unit: "binary", maxLength: 6})
  .map((s) => JSON.stringify(s.toWellFormed().replaceAll("\ufffd", "?")));
const regex = fc.constantFrom('"a|b"', '".+"', '"x.*"', "`\\\\d+`");
const duration = fc.constantFrom(
  "5m",
  "1h30m",
  "0.5",
  "300",
  "1d",
  "90s",
  "2w",
  "step()",
  "(1m + step() * 2)",
  "-(-5m ^ 1)",
);
const positive = fc.constantFrom("5m", "1h30m", "0.5", "1y", "max_of(1m, range())", "5m + 1 % 7", "-step()", "10s / 3");
// Not Inf: as in the original, `Inf ^ x` prints as `+Inf ^ x`, whose sign binds less tightly.
const number = fc.constantFrom("1", "0x1F", "NaN", "1e-9", "5m", ".5", "1_000", "-3", "+2", "0");
const list = (item: fc.Arbitrary<string>, max: number): fc.Arbitrary<string> =>
  fc.array(item, {maxLength: max}).map((items) => items.join(", "));

const matcher = fc.oneof(
  fc.tuple(label, fc.constantFrom("=", "!="), text).map(([l, op, v]) => `${quoted(l)}${op}${v}`),
  fc.tuple(label, fc.constantFrom("=~", "!~"), regex).map(([l, op, v]) => `${quoted(l)}${op}${v}`),
);
const quoted = (l: string): string => l;
const at = fc.constantFrom("", "", " @ 12.5", " @ start()", " @ end()", " @ -3");
const offset = fc.option(duration, {freq: 3, nil: ""}).map((d) => (d === "" ? "" : ` offset ${d}`));
const modifiers = fc.tuple(at, offset, fc.boolean()).map(([a, o, swap]) => (swap ? o + a : a + o));
const mode = fc.constantFrom("", "", "", " anchored", " smoothed");
const braces = list(matcher, 3).map((m) => (m === "" ? "" : `{${m}}`));
const selector = fc.tuple(name, braces).map(([n, b]) => n + b);

/** Sources of every type, well-typed by construction. */
const {vector, scalar} = fc.letrec<{vector: string; scalar: string; matrix: string}>((tie) => {
  const grouping = fc.tuple(fc.constantFrom("by", "without"), list(label, 3)).map(([w, l]) => `${w} (${l})`);
  const byType = {
    scalar: tie("scalar"),
    vector: tie("vector"),
    matrix: tie("matrix"),
    string: text,
    none: tie("scalar"),
  };
  const call = (returns: string): fc.Arbitrary<string> =>
    fc
      .constantFrom(...functionSignatures().filter((f) => f.returns === returns && f.name !== "info"))
      .chain((f) => fc.tuple(...f.args.map((t) => byType[t])).map((args) => `${f.name}(${args.join(", ")})`));
  const matching = fc.oneof(
    fc.constantFrom("", "", "on () ", "ignoring (a) ", "fill(0) ", "fill_left(-1) ", "fill_right(2) fill_left(NaN) "),
    fc
      .tuple(fc.constantFrom("on (x)", "ignoring (y)"), fc.constantFrom("", "group_left", "group_right (z)"))
      .map(([m, g]) => `${m} ${g} `),
  );
  const arithmetic = fc.constantFrom(
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "==",
    "!= bool",
    "<",
    ">= bool",
    "</",
    ">/",
  );
  return {
    scalar: fc.oneof(
      {maxDepth: 4},
      number,
      call("scalar"),
      tie("scalar").map((s) => `(${s})`),
      fc.tuple(tie("scalar"), fc.constantFrom("+", "-", "^", "*", "== bool"), tie("scalar")).map((p) => p.join(" ")),
    ),
    matrix: fc.oneof(
      {maxDepth: 4},
      fc.tuple(selector, positive, mode, modifiers).map(([s, d, m, t]) => `${s}[${d}]${m}${t}`),
      fc
        .tuple(tie("vector"), positive, fc.oneof(fc.constant(""), positive), modifiers)
        .map(([v, d, s, m]) => `(${v})[${d}:${s}]${m}`),
    ),
    vector: fc.oneof(
      {maxDepth: 4},
      fc.tuple(selector, mode, modifiers).map((parts) => parts.join("")),
      call("vector"),
      tie("vector").map((v) => `(${v})`),
      fc.tuple(fc.constantFrom("-", "+"), tie("vector")).map((p) => p.join("")),
      fc
        .tuple(fc.constantFrom("sum", "count", "group"), fc.oneof(fc.constant(""), grouping), tie("vector"))
        .map(([op, g, v]) => `${op} ${g} (${v})`),
      fc
        .tuple(fc.constantFrom("topk", "limit_ratio"), tie("scalar"), tie("vector"))
        .map(([op, k, v]) => `${op}(${k}, ${v})`),
      fc.tuple(tie("vector"), arithmetic, matching, tie("vector")).map((p) => p.join(" ")),
      fc.tuple(tie("vector"), fc.constantFrom("and", "or", "unless on (a)"), tie("vector")).map((p) => p.join(" ")),
      fc.tuple(tie("vector"), arithmetic, tie("scalar")).map((p) => p.join(" ")),
    ),
  };
});

/** The tree without positions, and with matchers in printed order. */
const shape = (expr: Expr): string =>
  JSON.stringify(toJson(expr), (key, value) =>
    key === "matchers" ? (value as object[]).map((m) => JSON.stringify(m)).sort() : value,
  );

test("what is printed parses to the same tree, on one line and on many", () => {
  const check = (source: string): void => {
    let expr: Expr;
    try {
      expr = parseExpr(source, ALL);
    } catch (err) {
      // The generator may build what the type check refuses (a constant comparison without bool, a label used twice).
      assert.ok(err instanceof StrataError && err.code === "bad_data", `${source}: ${String(err)}`);
      return;
    }
    const printed = format(expr);
    const again = parseExpr(printed, ALL);
    assert.equal(shape(again), shape(expr), `${source} printed as ${printed}`);
    assert.equal(format(again), printed);
    assert.equal(shape(parseExpr(prettify(expr), ALL)), shape(expr), `${source} made pretty`);
  };
  fc.assert(fc.property(fc.oneof(vector, scalar), check), runs(5000));
});

test("most generated expressions are accepted", () => {
  const accepted = fc.sample(vector, {numRuns: 300, seed: seed()}).filter((source) => {
    try {
      parseExpr(source, ALL);
      return true;
    } catch {
      return false;
    }
  });
  assert.ok(accepted.length > 150, `only ${accepted.length} of 300`);
});

const survives = (source: string): void => {
  for (const run of [
    () => resolveDurations(parseExpr(source, ALL), {step: 15_000, range: 3_600_000}),
    () => parseSelector(source),
  ]) {
    try {
      run();
    } catch (err) {
      assert.ok(err instanceof StrataError && err.code === "bad_data", `${JSON.stringify(source)}: ${String(err)}`);
    }
  }
};

test("any text gives a tree or bad_data", () => {
  fc.assert(fc.property(fc.string({unit: "binary", maxLength: 40}), survives), runs(5000));
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 60}), (bytes) => survives(Buffer.from(bytes).toString("utf8"))),
    runs(5000),
  );
});

test("any row of tokens gives a tree or bad_data", () => {
  const token = fc.constantFrom(
    ..."foo sum by without ( ) { } [ ] , : = != =~ == < <= </ >/ + - * / % ^ @ offset bool on ignoring group_left".split(
      " ",
    ),
    ..."1 5m 1e3 Inf `x` 'y' \"\\\\xff\" start end step range max_of fill fill_left anchored smoothed and # é a:b".split(
      " ",
    ),
    "\n",
    "rate(foo[5m])",
    "foo{a=~'b'}",
  );
  fc.assert(
    fc.property(fc.array(token, {maxLength: 14}), fc.constantFrom(" ", ""), (tokens, gap) =>
      survives(tokens.join(gap)),
    ),
    runs(20_000),
  );
});
