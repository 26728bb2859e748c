import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {type Aggregate, formatFloat, quote} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import {Groups} from "./grouping.ts";
import {histogramText} from "./histogram/text.ts";
import {validName} from "./label-functions.ts";
import {labelsKey} from "./metric-name.ts";
import {OutputRows} from "./output-rows.ts";
import {ABSENT, type Batches, FLOAT, type Grid, HISTOGRAM, rowsOf} from "./step-batch.ts";

/** `count_values("label", v)`: how many series of a group have each value. Folds its input. */
export async function* countValues(
  ev: Evaluation,
  aggregate: Aggregate,
  label: string,
  child: Batches,
  grid: Grid,
): Batches {
  if (!validName(label)) throw new StrataError("execution", `invalid label name ${quote(label)}`);
  const grouping = aggregate.without ? aggregate.grouping : [...aggregate.grouping, label];
  const groups = new Groups(ev, {grouping, without: aggregate.without});
  const counts = new OutputRows(ev, grid.count);
  for await (const batch of child) {
    for (const row of rowsOf(batch)) {
      for (let i = 0; i < grid.count; i++) {
        const kind = batch.kind[row.base + i];
        if (kind === ABSENT) continue;
        const at = row.base + i;
        const text = kind === HISTOGRAM ? histogramText(batch.hists![at]!) : formatFloat(batch.values[at]!);
        const labels = groups.groupLabels(row.labels.extend(Labels.fromPairs([[label, text]])));
        const key = labelsKey(labels);
        const count = counts.row(labels, false, key);
        const to = count.base + i;
        // Values of absent points are whatever a batch held before.
        count.batch.values[to] = count.batch.kind[to] === ABSENT ? 1 : count.batch.values[to]! + 1;
        count.batch.kind[to] = FLOAT;
      }
    }
    ev.release(batch);
    ev.check();
  }
  yield* counts.batches();
}
