import {StrataError} from "@strata/base";
import {goQuote, Labels} from "@strata/model";
import {type Aggregate, formatFloat} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import {Groups} from "./grouping.ts";
import {histogramText} from "./histogram/text.ts";
import {validName} from "./label-functions.ts";
import {labelsKey} from "./metric-name.ts";
import {ABSENT, type Batches, FLOAT, type Grid, HISTOGRAM, rowsOf, type StepBatch} from "./step-batch.ts";

/** `count_values("label", v)`: how many series of a group have each value. Folds its input. */
export async function* countValues(
  ev: Evaluation,
  aggregate: Aggregate,
  label: string,
  child: Batches,
  grid: Grid,
): Batches {
  if (!validName(label)) throw new StrataError("execution", `invalid label name ${goQuote(label)}`);
  const grouping = aggregate.without ? aggregate.grouping : [...aggregate.grouping, label];
  const groups = new Groups(ev, {grouping, without: aggregate.without});
  const counts = new Map<string, StepBatch>();
  for await (const batch of child) {
    for (const row of rowsOf(batch)) {
      for (let i = 0; i < grid.count; i++) {
        const kind = batch.kind[row.base + i];
        if (kind === ABSENT) continue;
        const at = row.base + i;
        const text = kind === HISTOGRAM ? histogramText(batch.hists![at]!) : formatFloat(batch.values[at]!);
        const labels = groups.groupLabels(row.labels.extend(Labels.fromPairs([[label, text]])));
        const key = labelsKey(labels);
        let count = counts.get(key);
        if (count === undefined) {
          count = ev.newBatch(1, grid.count);
          ev.hold(grid.count);
          count.labels.push(labels);
          if (row.drop) count.dropName = Uint8Array.of(1);
          counts.set(key, count);
        }
        count.kind[i] = FLOAT;
        count.values[i]!++;
      }
    }
    ev.release(batch);
    ev.check();
  }
  yield* counts.values();
}
