import type {SyntaxNode} from "@lezer/common";
import {parser} from "@prometheus-io/lezer-promql";
import {plainFunctions} from "./extended-functions.ts";

/** What an expression gives, as far as its text says. */
export type ExprType = "vector" | "matrix" | "scalar";

/** A part of an expression that can be evaluated by itself. */
export type ExprNode = {
  readonly text: string;
  /** Where in the expression it begins. */
  readonly from: number;
  readonly type: ExprType;
  readonly children: readonly ExprNode[];
};

const EXPRS = new Set([
  "AggregateExpr",
  "BinaryExpr",
  "FunctionCall",
  "MatrixSelector",
  "OffsetExpr",
  "ParenExpr",
  "StepInvariantExpr",
  "SubqueryExpr",
  "UnaryExpr",
  "VectorSelector",
]);
const SCALAR_FUNCTIONS = /^(time|pi|scalar)\b/;

/** The tree of an expression without its literals; undefined where the editor's grammar cannot read it. */
export function exprTree(expr: string): ExprNode | undefined {
  const tree = parser.parse(plainFunctions(expr));
  let broken = false;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) broken = true;
    },
  });
  if (broken) return undefined;
  return nodesIn(tree.topNode, expr)[0];
}

/** The nearest expressions at or below the children of a node. */
function nodesIn(parent: SyntaxNode, expr: string): ExprNode[] {
  const found: ExprNode[] = [];
  for (let child = parent.firstChild; child !== null; child = child.nextSibling) {
    if (EXPRS.has(child.name)) found.push(nodeOf(child, expr));
    else found.push(...nodesIn(child, expr));
  }
  return found;
}

function nodeOf(node: SyntaxNode, expr: string): ExprNode {
  const text = expr.slice(node.from, node.to);
  const children = nodesIn(node, expr);
  return {text, from: node.from, type: typeOf(node.name, text, children), children};
}

function typeOf(name: string, text: string, children: readonly ExprNode[]): ExprType {
  switch (name) {
    case "MatrixSelector":
    case "SubqueryExpr":
      return "matrix";
    case "FunctionCall":
      return SCALAR_FUNCTIONS.test(text) ? "scalar" : "vector";
    case "BinaryExpr":
    case "UnaryExpr":
    case "ParenExpr":
    case "StepInvariantExpr":
    case "OffsetExpr":
      // Of literals alone there is nothing left below.
      return children.find(({type}) => type !== "scalar")?.type ?? "scalar";
    default:
      return "vector";
  }
}

/** The query that counts what a node gives; of a scalar the node itself, for its value says more. */
export function countQuery({text, type}: ExprNode): string {
  if (type === "scalar") return text;
  return type === "matrix" ? `count(present_over_time(${text}))` : `count(${text})`;
}
