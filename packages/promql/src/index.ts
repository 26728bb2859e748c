export {
  type Aggregate,
  type AggregateOp,
  type ArithmeticOp,
  type At,
  type Binary,
  type BinaryOp,
  type Call,
  type Cardinality,
  type ComparisonOp,
  children,
  type DurationExpr,
  type DurationOp,
  type DurationOperation,
  type Expr,
  type MatrixSelector,
  mapChildren,
  type NumberLiteral,
  type Paren,
  type Position,
  type SelectorMode,
  type SetOp,
  type StringLiteral,
  type Subquery,
  selectorsOf,
  type TrimOp,
  transform,
  type Unary,
  unparen,
  type ValueType,
  type VectorMatching,
  type VectorSelector,
  valueType,
  walk,
} from "./ast.ts";
export {documentedType} from "./check.ts";
export {format, formatDurationExpr} from "./format.ts";
export {type FunctionSignature, functionSignature, functionSignatures} from "./functions.ts";
export {parseExpr, parseMatchParam, parseSelector} from "./parse.ts";
export {lineColumn} from "./parse-error.ts";
export type {ParseOptions} from "./parse-options.ts";
export {prettify} from "./prettify.ts";
export {type QueryDurations, resolveDurations} from "./resolve-durations.ts";
export {formatFloat, quote} from "./text.ts";
export {type JsonValue, toJson} from "./to-json.ts";
export {MAX_DEPTH, MAX_NESTING} from "./token-stream.ts";
