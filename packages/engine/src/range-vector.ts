import {StrataError} from "@strata/base";
import type {Labels} from "@strata/model";
import {type Expr, type MatrixSelector, type Subquery, unparen} from "@strata/promql";
import {vector} from "./build.ts";
import {withoutDropped} from "./elementwise.ts";
import type {Evaluation} from "./evaluation.ts";
import {histogramPoints} from "./histogram/float-histogram.ts";
import {ResultBuilder} from "./query-result.ts";
import {lastReference, reach, references} from "./range-leaf.ts";
import {extendedSamples} from "./rate-anchored.ts";
import {SampleReader} from "./read-samples.ts";
import {SampleColumns} from "./sample-columns.ts";
import {NO_HINTS, selectFor, selectSeries} from "./select-series.ts";
import {pointsOf, scratchFor, subqueryGrid} from "./subquery.ts";

/** An instant query for a range selector or subquery: the samples of the window themselves. */
export async function rangeVector(ev: Evaluation, expr: Expr): Promise<ResultBuilder> {
  const e = unparen(expr) as MatrixSelector | Subquery;
  const builder = new ResultBuilder(ev.budget);
  const columns = new SampleColumns(ev.budget);
  try {
    if (e.kind === "matrix") await selected(ev, e, columns, builder);
    else await computed(ev, e, columns, builder);
    return builder;
  } finally {
    columns.close();
  }
}

async function selected(ev: Evaluation, e: MatrixSelector, columns: SampleColumns, builder: ResultBuilder) {
  const {selector, range} = e;
  const w = references(ev, selector.at, selector.offset, ev.grid, range);
  const {before, after} = reach(ev, selector);
  const [low, high] = [w.start - range, lastReference(w)];
  const asked = ev.ranges.asked(selector, {mint: low - before + 1, maxt: high + after});
  const reader = new SampleReader(ev, NO_HINTS, asked, columns);
  try {
    for await (const batch of selectSeries(ev, selector, selectFor(ev, selector, asked, range, NO_HINTS))) {
      for (const series of batch) {
        reader.read(series);
        columns.dropStale();
        if (selector.mode !== "") extend(columns, selector.mode, low, high, before, after);
        // An extended range has a sample at its very start.
        const from = selector.mode === "" ? low : low - 1;
        const points = addPoints(ev, builder, series.labels, columns, from, high);
        ev.grid.tally.addAt(0, points, points);
      }
    }
  } finally {
    reader.close();
  }
}

async function computed(ev: Evaluation, e: Subquery, columns: SampleColumns, builder: ResultBuilder) {
  const inner = subqueryGrid(ev, e, ev.grid);
  if (inner === undefined) return;
  const end = references(ev, e.at, e.offset, ev.grid, e.range).start;
  const scratch = scratchFor(inner.count);
  for await (const batch of withoutDropped(ev, vector(ev, e.expr, inner))) {
    for (let s = 0; s < batch.labels.length; s++) {
      pointsOf(batch, s, inner, columns, scratch);
      addPoints(ev, builder, batch.labels[s]!, columns, end - e.range, end);
    }
    ev.release(batch);
  }
  ev.grid.tally.addAt(0, inner.tally.total, inner.tally.read);
}

/** Puts the samples of an extended selector in the columns: values at both ends of the range, and those in between. */
function extend(
  columns: SampleColumns,
  mode: "anchored" | "smoothed",
  low: number,
  high: number,
  before: number,
  after: number,
): void {
  const inReach = (t: number) => t > low - before && t <= high + after;
  if (columns.hts.some(inReach)) {
    throw new StrataError("execution", `${mode} modifier is not supported with histograms`);
  }
  const keep = [...columns.ts.keys()].filter((i) => inReach(columns.ts[i]!));
  const [ts, vs] = [keep.map((i) => columns.ts[i]!), keep.map((i) => columns.vs[i]!)];
  const extended = extendedSamples(ts, vs, mode, low, high);
  columns.setFloats(Float64Array.from(extended.ts), Float64Array.from(extended.vs), extended.ts.length);
}

/** Adds the samples in (low, high], by time; returns how many points they count as. */
function addPoints(
  ev: Evaluation,
  builder: ResultBuilder,
  labels: Labels,
  columns: SampleColumns,
  low: number,
  high: number,
): number {
  const {ts, vs, hts, hs} = columns;
  let started = false;
  let points = 0;
  for (let i = 0, j = 0; i < ts.length || j < hts.length; ) {
    const takeFloat = j >= hts.length || (i < ts.length && ts[i]! <= hts[j]!);
    const t = takeFloat ? ts[i]! : hts[j]!;
    const v = takeFloat ? vs[i++]! : hs[j++]!;
    if (t <= low || t > high) continue;
    points += typeof v === "number" ? 1 : histogramPoints(v);
    if (!started) builder.startSeries(labels);
    started = true;
    builder.add(t, v);
  }
  ev.hold(builder.points);
  ev.drop(builder.points);
  return points;
}
