import type {BinaryOp, Position} from "@strata/promql";
import type {Annotations} from "./annotations.ts";
import {addHistograms} from "./histogram/add.ts";
import {histogramsEqual} from "./histogram/compare.ts";
import {compact, divide, type FloatHistogram, HINT, scale, withHint} from "./histogram/float-histogram.ts";
import {trimAbove, trimBelow} from "./histogram/trim.ts";
import {compares, isComparison, scalarOp} from "./scalar-math.ts";

export type Value = number | FloatHistogram;

/** Remarks of an operator; of those of one step only the last is told, as in Prometheus. */
export type Remark = {kind: "warning" | "info"; text: string};

/**
 * Pairs up values where at least one is a histogram, or the operator is a trim. For comparisons the answer is whether
 * the pair passes. undefined: the pair yields nothing, and `remarks` says why.
 */
export class ElementOperator {
  readonly #op: BinaryOp;
  remark: Remark | undefined;

  constructor(op: BinaryOp) {
    this.#op = op;
  }

  /** The value of `left op right`; for comparisons true or false. */
  apply(left: Value, right: Value): Value | boolean | undefined {
    const op = this.#op;
    if (typeof left === "number" && typeof right === "number") {
      if (op === "</" || op === ">/") return this.#incompatible(left, right);
      return isComparison(op) ? compares(op, left, right) : scalarOp(op, left, right);
    }
    if (typeof left === "number") {
      return op === "*" ? compact(scale(right as FloatHistogram, left)) : this.#incompatible(left, right);
    }
    if (typeof right === "number") return this.#histogramByFloat(left, right);
    switch (op) {
      case "+":
        return this.#sum(left, right, 1);
      case "-":
        return this.#sum(left, right, -1);
      case "==":
        return histogramsEqual(left, right);
      case "!=":
        return !histogramsEqual(left, right);
      default:
        return this.#incompatible(left, right);
    }
  }

  #histogramByFloat(h: FloatHistogram, v: number): FloatHistogram | undefined {
    switch (this.#op) {
      case "*":
        return compact(scale(h, v));
      case "/":
        return compact(divide(h, v));
      case "</":
        return trimAbove(h, v);
      case ">/":
        return trimBelow(h, v);
      default:
        return this.#incompatible(h, v);
    }
  }

  #sum(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): FloatHistogram | undefined {
    const {sum, collision, reconciled} = addHistograms(a, b, sign);
    const doing = sign < 0 ? "subtraction" : "addition";
    if (sum === undefined) {
      const text = `incompatible bucket layout encountered for binary operator ${this.#op}`;
      this.remark = {kind: "warning", text};
      return undefined;
    }
    if (collision) {
      this.remark = {kind: "warning", text: `conflicting counter resets during histogram ${doing}`};
      return undefined;
    }
    if (reconciled) this.remark = {kind: "info", text: `mismatched custom buckets were reconciled during ${doing}`};
    return compact(sign < 0 ? withHint(sum, HINT.gauge) : sum);
  }

  #incompatible(left: Value, right: Value): undefined {
    const name = (v: Value) => (typeof v === "number" ? "float" : "histogram");
    const types = `${name(left)} ${this.#op} ${name(right)}`;
    this.remark = {
      kind: "info",
      text: `incompatible sample types encountered for binary operator "${this.#op}": ${types}`,
    };
    return undefined;
  }
}

/** Tells the last remark of a step, if there is any. */
export function tell(annotations: Annotations, element: ElementOperator, pos: Position): void {
  const {remark} = element;
  if (remark === undefined) return;
  if (remark.kind === "warning") annotations.warn(remark.text, pos);
  else annotations.info(remark.text, pos);
  element.remark = undefined;
}
