import type {Binary} from "@strata/promql";
import {ElementOperator, tell, type Value} from "./binary-element.ts";
import {mapBatches} from "./elementwise.ts";
import type {Evaluation} from "./evaluation.ts";
import {setPoint} from "./range-leaf.ts";
import {compares, isComparison, scalarOp} from "./scalar-math.ts";
import {ABSENT, type Batches, FLOAT, HISTOGRAM, type StepBatch} from "./step-batch.ts";

/**
 * A vector and a scalar, point by point. A comparison without `bool` filters and keeps the vector's value. Names are
 * left to the caller.
 */
export function vectorScalar(
  ev: Evaluation,
  expr: Binary,
  child: Batches,
  scalar: Float64Array,
  scalarLeft: boolean,
): Batches {
  const {op, bool} = expr;
  const element = new ElementOperator(op);
  const filter = isComparison(op) && !bool;
  return mapBatches(ev, child, (batch) => {
    const {values, kind, steps} = batch;
    const points = batch.labels.length * steps;
    const plain = batch.hists === undefined && op !== "</" && op !== ">/";
    for (let i = 0, step = 0; i < points; i++) {
      const s = scalar[step]!;
      if (++step === steps) step = 0;
      if (kind[i] === ABSENT) continue;
      if (!plain) {
        general(batch, i, s, scalarLeft, filter, element);
        tell(ev.annotations, element, expr.pos);
        continue;
      }
      const v = values[i]!;
      if (filter) {
        if (!(scalarLeft ? compares(op, s, v) : compares(op, v, s))) kind[i] = ABSENT;
      } else values[i] = scalarLeft ? scalarOp(op, s, v) : scalarOp(op, v, s);
    }
  });
}

function general(
  batch: StepBatch,
  i: number,
  scalar: number,
  scalarLeft: boolean,
  filter: boolean,
  element: ElementOperator,
): void {
  const value: Value = batch.kind[i] === HISTOGRAM ? batch.hists![i]! : batch.values[i]!;
  const result = scalarLeft ? element.apply(scalar, value) : element.apply(value, scalar);
  if (result === undefined || (filter && result === false)) batch.kind[i] = ABSENT;
  else if (typeof result === "boolean") {
    if (filter) return;
    batch.kind[i] = FLOAT;
    batch.values[i] = result ? 1 : 0;
  } else setPoint(batch, i, result);
}
