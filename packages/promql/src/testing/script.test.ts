import assert from "node:assert/strict";
import {test} from "node:test";
import {parseExpr} from "../parse.ts";
import {atVariants} from "./at-variants.ts";
import {type EvalCommand, type LoadCommand, parseScript, textMatches} from "./script.ts";
import {parseSeriesDescription, type SequenceValue} from "./series-description.ts";

const show = (value: SequenceValue): string =>
  value.kind === "gap" ? "_" : value.kind === "stale" ? "stale" : value.kind === "float" ? String(value.value) : "H";

test("series values are written out", () => {
  const f = (text: string, want: string): void => {
    const {labels, values} = parseSeriesDescription(`a{b="c", "d e"="f"} ${text}`);
    assert.equal(labels.toString(), '{__name__="a", b="c", "d e"="f"}');
    assert.equal(values.map(show).join(" "), want, text);
  };
  f("1 _ -2.5 stale NaN", "1 _ -2.5 stale NaN");
  f("_x3 5x2", "_ _ _ 5 5 5");
  f("0x3", "0 0 0 0");
  f("1+1.5x2 3-1x1 -1-1x1", "1 2.5 4 3 2 -1 -2");
  f("1e3+1e1x1 Inf -inf +Inf", "1000 1010 Infinity -Infinity Infinity");
  f("5m 1m+30sx1", "300 60 90");
  f("stalex1", "stale stale");
});

test("histograms read all their keys and grow by increments", () => {
  const text =
    "{} {{schema:-1 sum:-3 count:1e1 z_bucket:2 z_bucket_w:0.5 buckets:[1 0 2] n_buckets:[4] offset:-3 n_offset:1}}" +
    "+{{schema:0 count:1 buckets:[1 1] counter_reset_hint:gauge}}x1";
  const [first, second] = parseSeriesDescription(text).values;
  assert.ok(first?.kind === "histogram" && second?.kind === "histogram");
  assert.deepEqual(first.histogram, {
    schema: -1,
    count: 10,
    sum: -3,
    zeroCount: 2,
    zeroThreshold: 0.5,
    positive: {offset: -3, counts: [1, 0, 2]},
    negative: {offset: 1, counts: [4]},
    customValues: [],
    hint: "unknown",
    hintGiven: true,
  });
  // Buckets 0 and 1 of schema 0 are buckets 0 and 1 of schema −1.
  assert.deepEqual(second.histogram.positive, {offset: -3, counts: [1, 0, 2, 1, 1]});
  assert.equal(second.histogram.count, 11);
  assert.equal(second.histogram.hint, "gauge");
  assert.throws(() => parseSeriesDescription("a {{sum:1 sum:2}}"), /duplicate key "sum" in histogram/);
  assert.throws(() => parseSeriesDescription("a {{schema:1}}+{{schema:0}}x1"), /cannot merge from schema 0 to 1/);
});

test("a script becomes commands with their lines", () => {
  const source = `
    # comment
    load_with_nhcb 30s
      a{x="1"}@st  _ -30s-1mx1
      a{x="1"}     _ 1+1x1
      b            7
      b            8

    clear
    eval_ordered instant at 1h30m topk(1, a)
      expect warn msg: PromQL warning: x
      expect no_info
      {x="1"} 3
      b _
    eval range from 1m to 3m step 1m a
  # cut
    eval instant at 0 1 + 1
      2
  `;
  const [load, clear, instant, scalar] = parseScript(source.replace(/^ {4}eval range.*\n/m, ""), "t.test");
  assert.ok(load?.kind === "load" && instant?.kind === "eval" && scalar?.kind === "eval");
  assert.deepEqual(
    (load as LoadCommand).series.map((s) => [s.labels.toString(), s.values.map(show), s.startOffsets, s.line]),
    [
      ['{__name__="a", x="1"}', ["_", "1", "2"], [undefined, -30_000, -90_000], 5],
      ['{__name__="b"}', ["8"], undefined, 7],
    ],
  );
  assert.deepEqual([load.gap, load.withNhcb, load.line, clear?.kind], [30_000, true, 3, "clear"]);
  const {grid, ordered, warnings, noInfos, series, expr} = instant as EvalCommand;
  assert.deepEqual(grid, {start: 5_400_000, end: 5_400_000, step: 0});
  assert.deepEqual([ordered, noInfos, expr], [true, true, "topk(1, a)"]);
  assert.deepEqual(warnings, [{kind: "message", text: "PromQL warning: x"}]);
  assert.deepEqual(
    series.map((s) => [s.position, s.values.map(show)]),
    [
      [1, ["3"]],
      [2, ["_"]],
    ],
  );
  assert.equal(scalar.scalar, 2);
});

test("range evals, strings, range vectors and failures", () => {
  const parse = (text: string): EvalCommand => parseScript(text, "t.test")[0] as EvalCommand;
  assert.deepEqual(parse("eval range from 1m to 3m step 1m a\n{} 1 2 _").grid, {
    start: 60_000,
    end: 180_000,
    step: 60_000,
  });
  assert.equal(parse('eval instant at 0m "x"\nexpect string "x\\ty"').string, "x\ty");
  const rangeVector = parse("eval instant at 1m a[1m]\nexpect range vector from 10s to 20s step 10s\na 1 2");
  assert.deepEqual(rangeVector.rangeVector, {start: 10_000, end: 20_000, step: 10_000});
  assert.deepEqual(parse("eval_fail instant at 1m a\nexpected_fail_regexp b+").fail, {kind: "regex", pattern: "b+"});
  assert.deepEqual(parse("eval instant at 1m a\nexpect fail msg: no").fail, {kind: "message", text: "no"});
  assert.ok(textMatches({kind: "regex", pattern: "b+$"}, "aabb") && !textMatches({kind: "regex", pattern: "^b"}, "ab"));
});

test("mistakes name file and line", () => {
  const f = (text: string, want: RegExp): void => assert.throws(() => parseScript(text, "t.test"), want, text);
  f("nonsense", /^StrataError: t\.test:1: invalid command "nonsense"/);
  f("load 5m\n a 1\n b{ 2", /^StrataError: t\.test:3: /);
  f("load 5m\n a@st 1s\n b 2", /t\.test:3: @st metric does not match the following sample line metric/);
  f("load 5m\n a@st 1s 2s\n a 2", /t\.test:3: @st line has 2 values but sample line has 1/);
  f("load 5m\n a@st 1s", /t\.test:1: @st line has no following sample line/);
  f("\neval range from 2m to 1m step 1m a", /t\.test:2: invalid range/);
  f("eval instant at 1m a\n{} 1 2", /t\.test:2: expected 2 points/);
  f("eval instant at 1m a\nexpect warn\nexpect no_warn", /cannot expect both warnings and no warnings/);
});

test("pinned variants put @ on selectors and outermost subqueries", () => {
  const f = (source: string, want: string | undefined): void =>
    assert.equal(atVariants(parseExpr(source), 5000)?.expr, want, source);
  f("a + rate(b[5m] @ 1) - c @ start()", "a @ 5.000 + rate(b[5m] @ 1.000) - c @ 5.000");
  f("max_over_time(rate(a[1m])[5m:1m])", "max_over_time(rate(a[1m])[5m:1m] @ 5.000)");
  f("max_over_time(vector(time())[5m:1m])", "max_over_time(vector(time())[5m:1m] @ 5.000)");
  f("a * time()", undefined);
  assert.deepEqual(atVariants(parseExpr("a"), 7)?.times, [-70, 0, 1, 7, 70]);
  assert.deepEqual(atVariants(parseExpr("a"), 0)?.times, [-1000, 0, 1000]);
});
