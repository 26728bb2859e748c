import type {Labels} from "@strata/model";
import type {VectorSelector} from "@strata/promql";
import {AGGREGATE, type Aggregate, type Select, type SeriesBatch} from "@strata/series";
import type {Evaluation} from "./evaluation.ts";
import type {TimeRange} from "./read-ranges.ts";

/** What encloses a selector, told to the source and deciding which downsampled column is read. */
export type Hints = {
  readonly func: string;
  readonly by: boolean;
  readonly grouping: readonly string[];
  /** Whether only counts and sums of native histograms are looked at; "never": buckets are needed further up. */
  readonly stats: "yes" | "no" | "never";
  /** The only labels of the result that anybody looks at; undefined: all of them. */
  readonly needed: readonly string[] | undefined;
};

export const NO_HINTS: Hints = {func: "", by: false, grouping: [], stats: "no", needed: undefined};

/** A stretch of a batch's chunk entries that belong to one series. */
export type SeriesPart = {readonly batch: SeriesBatch; readonly from: number; readonly to: number};

/** All that the source has of one label set. */
export type SourceSeries = {readonly labels: Labels; readonly parts: readonly SeriesPart[]};

/** Functions whose downsampled input is the counter aggregate. */
const COUNTERS = new Set(["increase", "rate", "irate", "resets", "xincrease", "xrate"]);
/** Functions that need two points in a window, so that half the range is the coarsest useful resolution. */
const TWO_POINTS = new Set([
  ...["rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "holt_winters"],
  "double_exponential_smoothing",
]);

/** Whether replica dedup treats the samples as a counter. */
export const isCounterFunc = (func: string): boolean =>
  func === "increase" || func === "rate" || func === "irate" || func === "resets";

/** The downsampled columns that stand for the raw samples under a function. */
export function aggregatesFor(func: string): readonly Aggregate[] {
  if (func === "min" || func.startsWith("min_")) return [AGGREGATE.min];
  if (func === "max" || func.startsWith("max_")) return [AGGREGATE.max];
  if (func === "count" || func.startsWith("count_")) return [AGGREGATE.count];
  if (func.startsWith("sum_")) return [AGGREGATE.sum];
  if (COUNTERS.has(func)) return [AGGREGATE.counter];
  return [AGGREGATE.count, AGGREGATE.sum];
}

/** The request for a selector's samples of that time; `range` is that of a range selector, else 0. */
export function selectFor(
  ev: Evaluation,
  selector: VectorSelector,
  {mint, maxt}: TimeRange,
  range: number,
  hints: Hints,
): Select {
  const {dedup, maxResolution, partialResponse} = ev.options;
  const cap = TWO_POINTS.has(hints.func) && range > 0 ? Math.floor(range / 2) : Infinity;
  return {
    matchers: selector.matchers,
    mint,
    maxt,
    step: ev.params.step,
    range,
    func: hints.func,
    by: hints.by,
    grouping: hints.grouping,
    maxResolution: Math.min(maxResolution, cap),
    aggregates: aggregatesFor(hints.func),
    withoutReplicaLabels: dedup.enabled ? dedup.replicaLabels : [],
    skipChunks: false,
    limit: 0,
    partialResponse,
    budget: ev.budget,
  };
}

/**
 * The series of a request, in label order, a list per batch of the source. The last series of a batch is held back
 * until the next one shows whether it goes on there.
 */
export async function* selectSeries(
  ev: Evaluation,
  selector: VectorSelector,
  select: Select,
): AsyncGenerator<SourceSeries[], void, undefined> {
  let open: {labels: Labels; parts: SeriesPart[]} | undefined;
  for await (const batch of ev.merged.select(ev, selector, select)) {
    ev.check();
    ev.sizes.add(selector, batch);
    for (const text of batch.warnings) ev.annotations.note(text);
    const done: SourceSeries[] = [];
    for (let s = 0; s < batch.labels.length; s++) {
      const labels = batch.labels[s] as Labels;
      const part = {batch, from: batch.firstChunk[s] as number, to: batch.firstChunk[s + 1] as number};
      if (open?.labels.equals(labels)) {
        open.parts.push(part);
        continue;
      }
      if (open !== undefined) done.push(open);
      open = {labels, parts: [part]};
    }
    if (done.length > 0) yield done;
    await ev.breathe();
  }
  if (open !== undefined) yield [open];
}
