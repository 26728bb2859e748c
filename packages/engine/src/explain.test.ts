import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {execute} from "./execute.ts";
import {explain, type PlanNode} from "./explain.ts";
import {MemoryStore} from "./testing/memory-store.ts";

const lines = (node: PlanNode, depth = 0): string[] => [
  `${"  ".repeat(depth)}${node.name}: ${node.detail}`,
  ...node.children.flatMap((c) => lines(c, depth + 1)),
];

test("a plan says which operators hold, fold and slide", () => {
  const expr = parseExpr('topk(3, sum by (job) (rate(x{a="b"}[5m]))) / on (job) max_over_time(y[1h:5m])');
  assert.deepEqual(lines(explain(expr)), [
    "vector match: / on (job)",
    "  aggregate (hold): topk by ()",
    "    constant: 3",
    "    aggregate (fold): sum by (job)",
    '      range function (sliding kernel): rate over 300000 ms of x{a="b"}',
    "  range function over subquery: max_over_time",
    "    subquery: 3600000 ms, every 300000 ms",
    "      instant selector: y",
  ]);
});

test("a plan is that of the optimised expression", () => {
  assert.deepEqual(lines(explain(parseExpr('x{job="a"} / (y) * (2 ^ 10)'))), [
    "scalar operator: *",
    "  vector match: / ignoring ()",
    '    instant selector: x{job="a"}',
    '    instant selector: y{job="a"}',
    "  constant: 1024",
  ]);
});

test("analysis counts what each operator gave", async () => {
  const samples = Array.from({length: 20}, (_, k) => ({t: k * 15_000, v: 0n}));
  const store = new MemoryStore(["a", "b", "c"].map((i) => ({labels: Labels.fromObject({__name__: "x", i}), samples})));
  const params = {start: 0, end: 270_000, step: 30_000};
  const signal = new AbortController().signal;
  const {plan} = await execute(parseExpr("sum(x) + 1"), params, store, {analyze: true}, signal);
  const sum = plan!.children[0]!;
  assert.equal(plan!.cost!.series, 1);
  assert.equal(sum.cost!.samples, 10);
  assert.deepEqual([sum.children[0]!.cost!.series, sum.children[0]!.cost!.samples], [3, 30]);
  // A batch of three rows of ten steps, and beside it the samples that it is made from.
  const leaf = sum.children[0]!.cost!.peakBytes;
  assert.ok(leaf > 3 * 10 * 9 && leaf < 1 << 20, String(leaf));
  assert.ok(sum.cost!.peakBytes > 10 * 24 && plan!.cost!.peakBytes > 0);
  assert.ok(plan!.cost!.timeMs >= sum.children[0]!.cost!.timeMs);
  assert.equal((await execute(parseExpr("x"), params, store, {}, signal)).plan, undefined);
});
