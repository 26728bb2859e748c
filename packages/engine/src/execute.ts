import {ByteBudget, StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {type Expr, resolveDurations, unparen, valueType} from "@strata/promql";
import type {Selectable} from "@strata/series";
import {scalarColumn, vector} from "./build.ts";
import {withoutDropped} from "./elementwise.ts";
import {Evaluation, type QueryParams} from "./evaluation.ts";
import {planOf} from "./explain.ts";
import {optimise} from "./optimise.ts";
import {DEFAULT_OPTIONS, type EngineOptions} from "./options.ts";
import {stripParens} from "./prepare.ts";
import {type QueryResult, ResultBuilder} from "./query-result.ts";
import {rangeVector} from "./range-vector.ts";
import {ABSENT, HISTOGRAM} from "./step-batch.ts";

/**
 * Evaluates a parsed expression: an instant query with end = start and step 0, else a range query. Pure: keeps no state
 * between calls, runs in any thread. Throws StrataError: `bad_data` for what cannot be asked, `execution` for what
 * cannot be computed, `limit`, `timeout`, `canceled`. Whatever it held is given back before it returns or throws.
 */
export async function execute(
  expr: Expr,
  params: QueryParams,
  queryable: Selectable,
  options: Partial<EngineOptions>,
  signal: AbortSignal,
): Promise<QueryResult> {
  const all = {...DEFAULT_OPTIONS, ...options};
  const budget = new ByteBudget("query", all.maxBytes, all.budget);
  const durations = {step: params.step, range: params.end - params.start};
  const plain = stripParens(resolveDurations(expr, durations));
  const prepared = all.optimise ? optimise(plain, all) : plain;
  const ev = new Evaluation(params, queryable, all, budget, signal, prepared);
  try {
    ev.check();
    ev.limitSteps(ev.grid.count);
    const result = await evaluate(ev, prepared);
    ev.leave();
    return ev.costs === undefined ? result : {...result, plan: planOf(prepared, ev.costs)};
  } catch (err) {
    throw ev.sizes.explain(err);
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
    const builder = new ResultBuilder(ev.budget);
    builder.startSeries(Labels.EMPTY);
    builder.add(grid.start, 0);
    return finish(ev, "string", builder, false, e.kind === "string" ? e.value : "");
  }
  if (type === "scalar") {
    const column = await scalarColumn(ev, expr, grid);
    const builder = new ResultBuilder(ev.budget);
    builder.startSeries(Labels.EMPTY);
    column.forEach((v, i) => void builder.add(grid.start + i * grid.step, v));
    return finish(ev, isRange ? "matrix" : "scalar", builder, false);
  }
  if (type === "matrix") {
    if (isRange) throw invalidType("range vector");
    return finish(ev, "matrix", await rangeVector(ev, expr), true);
  }
  const builder = new ResultBuilder(ev.budget);
  for await (const batch of withoutDropped(ev, vector(ev, expr, grid))) {
    for (let s = 0; s < batch.labels.length; s++) {
      if (batch.hists === undefined) {
        builder.addFloats(batch, s, grid.start, grid.step);
        continue;
      }
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
