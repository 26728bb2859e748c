import {ByteBudget, StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {type Expr, type MatrixSelector, resolveDurations, type Subquery, unparen, valueType} from "@strata/promql";
import type {Queryable} from "@strata/series";
import {scalarColumn, vector} from "./build.ts";
import {mergeEqual} from "./elementwise.ts";
import {Evaluation, type QueryParams} from "./evaluation.ts";
import {explain} from "./explain.ts";
import {foldConstants} from "./fold-constants.ts";
import {dropReserved} from "./metric-name.ts";
import {DEFAULT_OPTIONS, type EngineOptions} from "./options.ts";
import {checkModes} from "./prepare.ts";
import {type QueryResult, ResultBuilder} from "./query-result.ts";
import {lastReference, reach, references} from "./range-leaf.ts";
import {SampleReader} from "./read-samples.ts";
import {SampleColumns} from "./sample-columns.ts";
import {NO_HINTS, selectFor, selectSeries} from "./select-series.ts";
import {ABSENT, type Batches, HISTOGRAM} from "./step-batch.ts";
import {pointsOf, scratchFor, subqueryGrid} from "./subquery.ts";

/**
 * Evaluates a parsed expression: an instant query with end = start and step 0, else a range query. Pure: keeps no state
 * between calls, runs in any thread. Throws StrataError: `bad_data` for what cannot be asked, `execution` for what
 * cannot be computed, `limit`, `timeout`, `canceled`. Whatever it held is given back before it returns or throws.
 */
export async function execute(
  expr: Expr,
  params: QueryParams,
  queryable: Queryable,
  options: Partial<EngineOptions>,
  signal: AbortSignal,
): Promise<QueryResult> {
  const all = {...DEFAULT_OPTIONS, ...options};
  const budget = new ByteBudget("query", all.maxBytes, all.budget);
  const durations = {step: params.step, range: params.end - params.start};
  const prepared = foldConstants(resolveDurations(expr, durations));
  checkModes(prepared);
  const ev = new Evaluation(params, queryable, all, budget, signal, prepared);
  try {
    ev.check();
    ev.limitSteps(ev.grid.count);
    const result = await evaluate(ev, prepared);
    return ev.costs === undefined ? result : {...result, plan: explain(prepared, ev.costs)};
  } finally {
    budget.give(budget.used);
  }
}

async function evaluate(ev: Evaluation, expr: Expr): Promise<QueryResult> {
  const type = valueType(expr);
  const isRange = ev.params.step !== 0;
  const grid = ev.grid;
  if (type === "string") {
    if (isRange) throw invalidType("string");
    const e = unparen(expr);
    const builder = new ResultBuilder();
    builder.startSeries(Labels.EMPTY);
    builder.add(grid.start, 0);
    return finish(ev, "string", builder, false, e.kind === "string" ? e.value : "");
  }
  if (type === "scalar") {
    const column = await scalarColumn(ev, expr, grid);
    const builder = new ResultBuilder();
    builder.startSeries(Labels.EMPTY);
    column.forEach((v, i) => void builder.add(grid.start + i * grid.step, v));
    return finish(ev, isRange ? "matrix" : "scalar", builder, false);
  }
  if (type === "matrix") {
    if (isRange) throw invalidType("range vector");
    return finish(ev, "matrix", await rangeVector(ev, expr), true);
  }
  const builder = new ResultBuilder();
  for await (const batch of withoutDropped(ev, vector(ev, expr, grid))) {
    for (let s = 0; s < batch.labels.length; s++) {
      const base = s * batch.steps;
      let started = false;
      for (let i = 0; i < batch.steps; i++) {
        const kind = batch.kind[base + i];
        if (kind === ABSENT) continue;
        if (!started) builder.startSeries(batch.labels[s]!);
        started = true;
        const value = kind === HISTOGRAM ? batch.hists![base + i]! : batch.values[base + i]!;
        builder.add(grid.start + i * grid.step, value);
      }
    }
    ev.hold(builder.points);
    ev.drop(builder.points);
    ev.release(batch);
  }
  return finish(ev, isRange ? "matrix" : "vector", builder, isRange);
}

/** Takes off the names that operators only marked, if name removal is delayed. */
function withoutDropped(ev: Evaluation, child: Batches): Batches {
  if (!ev.options.features.delayedNameRemoval) return child;
  return mergeEqual(ev, child, (labels, batch, s) => (batch.dropName?.[s] === 1 ? dropReserved(labels) : labels));
}

const invalidType = (type: string): StrataError =>
  new StrataError("bad_data", `invalid expression type "${type}" for range query, must be Scalar or instant Vector`);

function finish(
  ev: Evaluation,
  type: QueryResult["type"],
  builder: ResultBuilder,
  sort: boolean,
  text = "",
): QueryResult {
  const {query} = ev.options;
  return {
    type,
    ...builder.finish(sort),
    text,
    warnings: ev.annotations.render("warning", query),
    infos: ev.annotations.render("info", query),
    stats: ev.stats,
    plan: undefined,
  };
}

/** An instant query for a range selector or subquery: the samples of the window themselves. */
async function rangeVector(ev: Evaluation, expr: Expr): Promise<ResultBuilder> {
  const e = unparen(expr) as MatrixSelector | Subquery;
  const builder = new ResultBuilder();
  const columns = new SampleColumns(ev.budget);
  try {
    if (e.kind === "matrix") {
      const {selector, range} = e;
      const w = references(ev, selector.at, selector.offset, ev.grid, range);
      const {before, after} = reach(ev, selector);
      const [low, high] = [w.start - range - before, lastReference(w) + after];
      const asked = ev.ranges.asked(selector, {mint: low + 1, maxt: high});
      const reader = new SampleReader(ev, NO_HINTS, asked, columns);
      try {
        for await (const batch of selectSeries(ev, selectFor(ev, selector, asked, range, NO_HINTS))) {
          for (const series of batch) {
            reader.read(series);
            columns.dropStale();
            addPoints(ev, builder, series.labels, columns, low, high);
          }
        }
      } finally {
        reader.close();
      }
      return builder;
    }
    const inner = subqueryGrid(ev, e, ev.grid);
    if (inner === undefined) return builder;
    const end = references(ev, e.at, e.offset, ev.grid, e.range).start;
    const scratch = scratchFor(inner.count);
    for await (const batch of withoutDropped(ev, vector(ev, e.expr, inner))) {
      for (let s = 0; s < batch.labels.length; s++) {
        pointsOf(batch, s, inner, columns, scratch);
        addPoints(ev, builder, batch.labels[s]!, columns, end - e.range, end);
      }
      ev.release(batch);
    }
    return builder;
  } finally {
    columns.close();
  }
}

/** The samples in (low, high], by time. */
function addPoints(
  ev: Evaluation,
  builder: ResultBuilder,
  labels: Labels,
  columns: SampleColumns,
  low: number,
  high: number,
): void {
  const {ts, vs, hts, hs} = columns;
  let started = false;
  for (let i = 0, j = 0; i < ts.length || j < hts.length; ) {
    const takeFloat = j >= hts.length || (i < ts.length && ts[i]! <= hts[j]!);
    const t = takeFloat ? ts[i]! : hts[j]!;
    const v = takeFloat ? vs[i++]! : hs[j++]!;
    if (t <= low || t > high) continue;
    ev.looked(ev.grid, 1, 1);
    if (!started) builder.startSeries(labels);
    started = true;
    builder.add(t, v);
  }
  ev.hold(builder.points);
  ev.drop(builder.points);
}
