import {StrataError} from "@strata/base";
import type {Call} from "@strata/promql";
import {goG} from "./annotations.ts";
import type {Evaluation} from "./evaluation.ts";
import type {Batches, Grid} from "./step-batch.ts";

export async function* info(_ev: Evaluation, _call: Call, _grid: Grid, _child: Batches): Batches {
  throw new StrataError("execution", `info() is not supported yet ${goG(0)}`);
}
