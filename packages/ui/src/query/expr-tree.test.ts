import assert from "node:assert/strict";
import {test} from "node:test";
import {countQuery, type ExprNode, exprTree} from "./expr-tree.ts";

/** Queries that count each node, as nested lists. */
const shape = (node: ExprNode): unknown[] => [countQuery(node), ...node.children.map(shape)];

test("each part is counted the way its type allows, literals are left out", () => {
  const f = (expr: string, want: unknown): void => {
    const tree = exprTree(expr);
    assert.deepEqual(tree && shape(tree), want, expr);
  };
  f("up", ["count(up)"]);
  f("sum by (job) (rate(x{a='b'}[5m])) > 0.5", [
    "count(sum by (job) (rate(x{a='b'}[5m])) > 0.5)",
    [
      "count(sum by (job) (rate(x{a='b'}[5m])))",
      ["count(rate(x{a='b'}[5m]))", ["count(present_over_time(x{a='b'}[5m]))", ["count(x{a='b'})"]]],
    ],
  ]);
  f("max_over_time((time() - y)[1h:5m])", [
    "count(max_over_time((time() - y)[1h:5m]))",
    [
      "count(present_over_time((time() - y)[1h:5m]))",
      ["count((time() - y))", ["count(time() - y)", ["time()"], ["count(y)"]]],
    ],
  ]);
  f("scalar(x) * 2", ["scalar(x) * 2", ["scalar(x)", ["count(x)"]]]);
  f("-(x offset 5m)", ["count(-(x offset 5m))", ["count((x offset 5m))", ["count(x offset 5m)", ["count(x)"]]]]);
});

test("the extended functions are known", () => {
  const f = (expr: string, want: unknown): void => assert.deepEqual(shape(exprTree(expr) as ExprNode), want, expr);
  f('sum(xrate(x{a="xrate(y)"}[5m])) / xincrease (y[1h])', [
    'count(sum(xrate(x{a="xrate(y)"}[5m])) / xincrease (y[1h]))',
    [
      'count(sum(xrate(x{a="xrate(y)"}[5m])))',
      [
        'count(xrate(x{a="xrate(y)"}[5m]))',
        ['count(present_over_time(x{a="xrate(y)"}[5m]))', ['count(x{a="xrate(y)"})']],
      ],
    ],
    ["count(xincrease (y[1h]))", ["count(present_over_time(y[1h]))", ["count(y)"]]],
  ]);
  f("xdelta(y[1m])", ["count(xdelta(y[1m]))", ["count(present_over_time(y[1m]))", ["count(y)"]]]);
  f("xrate", ["count(xrate)"]);
});

test("what is no expression, or a literal, has no tree", () => {
  for (const expr of ["", "sum(", "1", "x)"]) assert.equal(exprTree(expr), undefined, expr);
});
