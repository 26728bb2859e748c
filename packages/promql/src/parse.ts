import {StrataError} from "@strata/base";
import type {Matcher} from "@strata/model";
import type {Expr} from "./ast.ts";
import {check} from "./check.ts";
import {SyntaxFault, toStrataError} from "./parse-error.ts";
import type {ParseOptions} from "./parse-options.ts";
import {Parser} from "./parser.ts";

/**
 * Parses and type-checks an expression. Throws `bad_data` with `LINE:COLUMN: parse error: …` (columns count bytes from
 * 1); the error's fields are `line`, `column`, and the byte offsets `start` and `end`.
 */
export function parseExpr(source: string, options: ParseOptions = {}): Expr {
  return guarded(source, () => {
    const expr = new Parser(source, options).expression();
    check(expr, source);
    return expr;
  });
}

/**
 * The matchers of a series selector such as a `match[]` parameter of Prometheus, in the order written, the name last. `{}` and
 * selectors that match everything are legal here; whoever cannot serve those has to refuse them.
 */
export function parseSelector(source: string): Matcher[] {
  return guarded(source, () => [...new Parser(source, {}).selector().matchers]);
}

/**
 * The matchers of a `match[]` or `storeMatch[]` parameter as Thanos reads it: a whole expression that has to be an
 * instant selector, whose modifiers are ignored and which may match everything. Prometheus reads them as
 * `parseSelector` does; the two differ in what they say about an empty text and about expressions of another kind.
 */
export function parseMatchParam(source: string): Matcher[] {
  const expr = guarded(source, () => {
    const parsed = new Parser(source, {experimentalFunctions: true, xFunctions: true}).expression();
    if (parsed.kind === "vector") check({...parsed, matchersOnly: true}, source);
    else check(parsed, source);
    return parsed;
  });
  if (expr.kind === "vector") return [...expr.matchers];
  throw new StrataError("bad_data", `expected type *parser.VectorSelector, got *parser.${GO_TYPES[expr.kind]}`);
}

/** The names that the original gives to kinds of nodes. */
const GO_TYPES: Readonly<Record<Expr["kind"], string>> = {
  number: "NumberLiteral",
  string: "StringLiteral",
  vector: "VectorSelector",
  matrix: "MatrixSelector",
  subquery: "SubqueryExpr",
  call: "Call",
  aggregate: "AggregateExpr",
  binary: "BinaryExpr",
  unary: "UnaryExpr",
  paren: "ParenExpr",
};

function guarded<T>(source: string, parse: () => T): T {
  try {
    return parse();
  } catch (err) {
    if (err instanceof SyntaxFault) throw toStrataError(err, source);
    throw err;
  }
}
