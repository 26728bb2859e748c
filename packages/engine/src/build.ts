import {StrataError} from "@strata/base";
import {type Aggregate, type Binary, type Call, type Expr, type Subquery, unparen, valueType} from "@strata/promql";
import {absent} from "./absent.ts";
import {foldAggregate} from "./aggregate-fold.ts";
import {drain, quantileAggregate, selectAggregate} from "./aggregate-select.ts";
import {vectorScalar} from "./binary-scalar.ts";
import {intersect, union, vectorVector} from "./binary-vector.ts";
import {countValues} from "./count-values.ts";
import {dropNames, dropNamesStrictly, mapBatches, mapFloats} from "./elementwise.ts";
import type {Evaluation} from "./evaluation.ts";
import type {OperatorCost} from "./explain.ts";
import {scale} from "./histogram/float-histogram.ts";
import {bucketFunction, HISTOGRAM_FIELDS, mapHistograms} from "./histogram-functions.ts";
import {info} from "./info.ts";
import {type InstantValue, instantSelector} from "./instant-leaf.ts";
import {isInvariant, repeatFirst, unpinned} from "./invariant.ts";
import {byLabels, byValue, labelJoin, labelReplace, sortRows} from "./label-functions.ts";
import {DATE_FUNCTIONS, MATH_FUNCTIONS, round} from "./math-functions.ts";
import {hasOneName, isReserved} from "./metric-name.ts";
import {openMetricsFloat} from "./open-metrics.ts";
import {checkMode} from "./prepare.ts";
import {RANGE_FUNCTIONS} from "./range-functions.ts";
import {type RangeCall, rangeSelector} from "./range-leaf.ts";
import {SampleTally} from "./sample-tally.ts";
import {scalarColumn as columnOf, constant} from "./scalar-column.ts";
import {goMax, goMin} from "./scalar-math.ts";
import {type Hints, NO_HINTS} from "./select-series.ts";
import {type Batches, countedBytes, FLOAT, type Grid, HISTOGRAM} from "./step-batch.ts";
import {rangeSubquery, subqueryGrid} from "./subquery.ts";

/** The step columns of a vector-valued expression. Nothing is read before the first batch is asked for. */
export function vector(ev: Evaluation, expr: Expr, grid: Grid, hints: Hints = NO_HINTS): Batches {
  return ev.shared.batches(ev, expr, grid, hints, () => own(ev, expr, grid, hints)) ?? own(ev, expr, grid, hints);
}

function own(ev: Evaluation, expr: Expr, grid: Grid, hints: Hints): Batches {
  const batches = once(ev, expr, grid, hints);
  return ev.costs === undefined || expr.kind === "paren" ? batches : measured(ev, ev.costs, expr, batches);
}

/** Adds up the time spent in an operator and what it gave. */
async function* measured(ev: Evaluation, costs: Map<Expr, OperatorCost>, expr: Expr, child: Batches): Batches {
  const cost = costs.get(expr) ?? {timeMs: 0, series: 0, samples: 0, peakBytes: 0};
  costs.set(expr, cost);
  const {budget} = ev;
  /** What the operator and those below hold between calls. */
  let held = 0;
  try {
    for (;;) {
      const from = performance.now();
      const before = budget.used;
      const outer = budget.beginSearch();
      let next: Awaited<ReturnType<Batches["next"]>>;
      try {
        next = await child.next();
      } finally {
        cost.timeMs += performance.now() - from;
        cost.peakBytes = Math.max(cost.peakBytes, held + budget.endSearch(outer) - before);
      }
      held += budget.used - before;
      if (next.done) return;
      held -= countedBytes(next.value);
      cost.series += next.value.labels.length;
      cost.samples += next.value.labels.length * next.value.steps;
      yield next.value;
    }
  } finally {
    await child.return();
  }
}

function once(ev: Evaluation, expr: Expr, grid: Grid, hints: Hints): Batches {
  if (grid.count > 1 && expr.kind !== "paren" && isInvariant(expr)) {
    const once = {start: grid.start, step: grid.step, count: 1, tally: new SampleTally(0)};
    return repeatFirst(ev, plain(ev, expr, once, hints), grid, once.tally);
  }
  return plain(ev, expr, grid, hints);
}

/** The values of a scalar expression, one a step. */
export const scalarColumn = (ev: Evaluation, expr: Expr, grid: Grid): Promise<Float64Array> =>
  columnOf(ev, expr, grid, vector);

function plain(ev: Evaluation, expr: Expr, grid: Grid, hints: Hints): Batches {
  switch (expr.kind) {
    case "paren":
      return vector(ev, expr.expr, grid, hints);
    case "vector":
      return instantSelector(ev, expr, grid, hints);
    case "unary":
      return unary(ev, vector(ev, expr.expr, grid, hints), expr.op, expr.expr, hints);
    case "aggregate":
      return aggregation(ev, expr, grid, hints.stats);
    case "binary":
      return binary(ev, expr, grid, hints);
    case "call":
      return call(ev, expr, grid, hints);
    default:
      throw new StrataError("internal", `BUG: ${expr.kind} is no instant vector`);
  }
}

/** Whether all series of an expression have one metric name, so that they stay different without it. */
function oneName(expr: Expr): boolean {
  const e = unparen(expr);
  if (e.kind === "vector") return hasOneName(e);
  if (e.kind === "matrix") return hasOneName(e.selector);
  if (e.kind === "subquery" || e.kind === "unary") return oneName(e.expr);
  if (e.kind === "aggregate") {
    if (e.op === "count_values" && stringArg(e.param!) === "__name__") return false;
    if (["topk", "bottomk", "limitk", "limit_ratio"].includes(e.op)) return oneName(e.expr);
    return e.without || !e.grouping.includes("__name__");
  }
  if (e.kind === "binary") {
    if (valueType(e.lhs) === "vector" && e.op !== "or") return oneName(e.lhs);
    return valueType(e.rhs) === "vector" && e.op !== "or" && oneName(e.rhs);
  }
  if (e.kind !== "call" || /^(?:label_|info|sort)/.test(e.func.name)) return false;
  const arg = e.args.find((_, i) => e.func.args[i] === "vector" || e.func.args[i] === "matrix");
  return arg === undefined || oneName(arg);
}

/** Aggregations that look at nothing of a series but the labels they group by. */
const FOLDS_BY_LABELS = new Set(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile"]);

/** Whether a function gives its vector's series on with their labels, apart from the name. */
const PASSES_LABELS = (name: string): boolean =>
  RANGE_FUNCTIONS.has(name) ||
  MATH_FUNCTIONS[name] !== undefined ||
  DATE_FUNCTIONS[name] !== undefined ||
  HISTOGRAM_FIELDS[name] !== undefined ||
  ["round", "clamp", "clamp_min", "clamp_max", "timestamp"].includes(name);

/** Whether an expression's series have their metric names, as far as operators that may leave them on are concerned. */
function keepsNames(expr: Expr): boolean {
  const e = unparen(expr);
  if (e.kind === "unary") return e.op === "+" && keepsNames(e.expr);
  if (e.kind === "binary" && e.matching === undefined) {
    return !e.bool && !isArithmetic(e.op) && keepsNames(valueType(e.lhs) === "vector" ? e.lhs : e.rhs);
  }
  if (e.kind !== "call" || !PASSES_LABELS(e.func.name)) return true;
  return RANGE_FUNCTIONS.get(e.func.name)?.keepsName === true;
}

const isArithmetic = (op: Binary["op"]): boolean => ["+", "-", "*", "/", "%", "^", "atan2"].includes(op);

/** Whether nobody will look at metric name, type and unit, so that they may as well stay. */
const namesUnseen = (ev: Evaluation, {needed}: Hints): boolean =>
  ev.options.optimise && needed !== undefined && !needed.some(isReserved);

/** Takes the names off the series of a function of `arg`, unless nobody would see them. */
function withoutNames(ev: Evaluation, child: Batches, arg: Expr, hints: Hints): Batches {
  const one = oneName(arg);
  if (one && namesUnseen(ev, hints) && !ev.options.features.delayedNameRemoval) return child;
  return dropNames(ev, child, one);
}

function unary(ev: Evaluation, child: Batches, op: "+" | "-", arg: Expr, hints: Hints): Batches {
  if (op === "+") return child;
  const negated = mapBatches(ev, child, (batch) => {
    const points = batch.labels.length * batch.steps;
    for (let i = 0; i < points; i++) {
      if (batch.kind[i] === FLOAT) batch.values[i] = -batch.values[i]!;
      else if (batch.kind[i] === HISTOGRAM) batch.hists![i] = scale(batch.hists![i]!, -1);
    }
  });
  return namesUnseen(ev, hints) && oneName(arg) ? negated : dropNamesStrictly(ev, negated, oneName(arg));
}

/** Runs a batch source that needs something evaluated first. */
async function* later(start: () => Promise<Batches>): Batches {
  yield* await start();
}

/**
 * An operator whose scalars stand behind its vector. They are evaluated first, since the vector streams; but where both
 * fail, the vector's error is the query's, and of equal remarks the scalar's, as in Prometheus.
 */
async function* withScalars<T>(
  ev: Evaluation,
  child: () => Batches,
  scalars: () => Promise<T>,
  make: (scalars: T) => Batches,
): Batches {
  const said = ev.annotations.record();
  let values: T;
  try {
    values = await scalars();
  } catch (err) {
    await drain(ev, child());
    throw err;
  } finally {
    ev.annotations.stopRecording(said);
  }
  yield* make(values);
  ev.annotations.repeat(said, 0);
}

const stringArg = (expr: Expr): string => {
  const e = unparen(expr);
  if (e.kind !== "string") throw new StrataError("internal", "BUG: expected a string");
  return e.value;
};

function aggregation(ev: Evaluation, expr: Aggregate, grid: Grid, stats: Hints["stats"]): Batches {
  const needed = FOLDS_BY_LABELS.has(expr.op) && !expr.without ? expr.grouping : undefined;
  const hints: Hints = {func: expr.op, by: !expr.without, grouping: expr.grouping, stats, needed};
  const child = () => vector(ev, expr.expr, grid, hints);
  const parameter = () => scalarColumn(ev, unpinned(ev, expr.param!, grid), grid);
  switch (expr.op) {
    case "count_values":
      return countValues(ev, expr, stringArg(expr.param!), child(), grid);
    case "topk":
    case "bottomk":
    case "limitk":
    case "limit_ratio":
      return later(async () => selectAggregate(ev, expr, await parameter(), child(), grid));
    case "quantile":
      return later(async () => quantileAggregate(ev, expr, await parameter(), child(), grid));
    default:
      return foldAggregate(ev, expr, child(), grid, ev.options.features.delayedNameRemoval || keepsNames(expr.expr));
  }
}

function binary(ev: Evaluation, expr: Binary, grid: Grid, outer: Hints): Batches {
  const stats = expr.op === "</" || expr.op === ">/" ? "never" : outer.stats;
  const hints: Hints = {...NO_HINTS, stats, needed: expr.matching === undefined ? outer.needed : undefined};
  const leftScalar = valueType(expr.lhs) === "scalar";
  if (leftScalar || valueType(expr.rhs) === "scalar") {
    const [scalar, vec] = leftScalar ? [expr.lhs, expr.rhs] : [expr.rhs, expr.lhs];
    const keeps = !expr.bool && !isArithmetic(expr.op);
    const combine = (column: Float64Array) => {
      const out = vectorScalar(ev, expr, vector(ev, vec, grid, hints), column, leftScalar);
      return keeps ? out : withoutNames(ev, out, vec, outer);
    };
    if (leftScalar) return later(async () => combine(await scalarColumn(ev, scalar, grid)));
    return withScalars(
      ev,
      () => vector(ev, vec, grid, hints),
      () => scalarColumn(ev, scalar, grid),
      combine,
    );
  }
  const lhs = vector(ev, expr.lhs, grid, hints);
  const rhs = vector(ev, expr.rhs, grid, hints);
  if (expr.op === "or") return union(ev, expr, lhs, rhs, grid);
  if (expr.op === "and" || expr.op === "unless") return intersect(ev, expr, lhs, rhs, grid);
  return vectorVector(ev, expr, lhs, rhs, grid);
}

/** Functions below which only counts and sums of native histograms matter, and those that need the buckets again. */
const STATS_ONLY = new Set(["histogram_count", "histogram_sum", "histogram_avg"]);
const NEEDS_BUCKETS = new Set(["histogram_quantile", "histogram_quantiles", "histogram_fraction"]);

function call(ev: Evaluation, expr: Call, grid: Grid, outer: Hints): Batches {
  const {name} = expr.func;
  const {args} = expr;
  const inner = STATS_ONLY.has(name) && outer.stats !== "never" ? "yes" : outer.stats;
  const stats = NEEDS_BUCKETS.has(name) ? "never" : inner;
  const needed = PASSES_LABELS(name) ? outer.needed : undefined;
  const hints: Hints = {func: name, by: false, grouping: [], stats, needed};
  const child = (i = 0) => vector(ev, args[i]!, grid, hints);
  const scalar = (i: number) => scalarColumn(ev, args[i]!, grid);
  const range = RANGE_FUNCTIONS.get(name);
  if (range !== undefined) return later(() => rangeFunction(ev, expr, grid, hints));
  const math = MATH_FUNCTIONS[name];
  if (math !== undefined) return withoutNames(ev, mapFloats(ev, child(), math), args[0]!, hints);
  const part = DATE_FUNCTIONS[name];
  if (part !== undefined) {
    if (args.length === 0) return constant(ev, grid, (t) => part(t / 1000));
    return withoutNames(ev, mapFloats(ev, child(), part), args[0]!, hints);
  }
  const field = HISTOGRAM_FIELDS[name];
  if (field !== undefined) return withoutNames(ev, mapHistograms(ev, child(), field), args[0]!, hints);
  switch (name) {
    case "round":
      return withScalars(
        ev,
        child,
        async () => (args.length > 1 ? await scalar(1) : undefined),
        (to) => {
          const rounded = mapFloats(ev, child(), (v, i) => round(v, to?.[i] ?? 1));
          return withoutNames(ev, rounded, args[0]!, hints);
        },
      );
    case "clamp":
    case "clamp_min":
    case "clamp_max":
      return clamp(ev, expr, grid, child, hints);
    case "vector":
      return later(async () => {
        const column = await scalar(0);
        return constant(ev, grid, (_, i) => column[i]!);
      });
    case "timestamp":
    case "start_timestamp":
      return timestamps(ev, expr, grid, hints);
    case "absent":
      return absent(ev, child(), args[0]!, grid);
    case "absent_over_time":
      return later(async () => {
        const present = {...expr, func: {...expr.func, name: "present_over_time"}};
        return absent(ev, await rangeFunction(ev, present, grid, hints, true), args[0]!, grid);
      });
    case "sort":
    case "sort_desc":
    case "sort_by_label":
    case "sort_by_label_desc":
      return sorted(ev, expr, grid, child());
    case "label_replace":
      return labelReplace(ev, child(), args.slice(1).map(stringArg));
    case "label_join":
      return labelJoin(ev, child(), args.slice(1).map(stringArg));
    case "histogram_quantile":
      return later(async () => {
        const phis = [{values: await scalar(0), label: undefined}];
        return bucketFunction(ev, expr, {kind: "quantile", phis, labelName: ""}, child(1), grid);
      });
    case "histogram_quantiles":
      return later(() => quantiles(ev, expr, grid, child()));
    case "histogram_fraction":
      return later(async () => {
        const [lower, upper] = [await scalar(0), await scalar(1)];
        return bucketFunction(ev, expr, {kind: "fraction", lower, upper}, child(2), grid);
      });
    case "info":
      return info(ev, expr, grid, child());
    default:
      throw new StrataError("execution", `function ${JSON.stringify(name)} is not supported`);
  }
}

async function quantiles(ev: Evaluation, expr: Call, grid: Grid, child: Batches): Promise<Batches> {
  const phis: {values: Float64Array; label: string}[] = [];
  for (const arg of expr.args.slice(2)) {
    const values = await scalarColumn(ev, arg, grid);
    phis.push({values, label: openMetricsFloat(values[0]!)});
  }
  return bucketFunction(ev, expr, {kind: "quantile", phis, labelName: stringArg(expr.args[1]!)}, child, grid);
}

/** A function over a range selector or a subquery. `nameless`: nobody looks at the labels. */
async function rangeFunction(ev: Evaluation, expr: Call, grid: Grid, hints: Hints, nameless = false): Promise<Batches> {
  const {name} = expr.func;
  const at = expr.func.args.indexOf("matrix");
  const args: Float64Array[] = [];
  for (let i = 0; i < expr.args.length; i++) if (i !== at) args.push(await scalarColumn(ev, expr.args[i]!, grid));
  const operand = expr.args[at]!;
  const matrix = unparen(operand);
  // Compat: annotations about a subquery point at the beginning of the query.
  const pos = matrix.kind === "matrix" ? operand.pos : {start: 0, end: 0};
  const firstPos = at === 0 ? pos : expr.args[0]!.pos;
  const rangeCall: RangeCall = {name, func: RANGE_FUNCTIONS.get(name)!, args, pos, firstPos};
  if (matrix.kind === "matrix") {
    checkMode(matrix.selector, nameless ? "absent_over_time" : name);
    return rangeSelector(ev, rangeCall, matrix, grid, hints, nameless, namesUnseen(ev, hints));
  }
  const sub = matrix as Subquery;
  const inner = subqueryGrid(ev, sub, grid);
  if (inner === undefined) return nothing();
  const child = vector(ev, sub.expr, inner, {...NO_HINTS, func: name, stats: "never"});
  return rangeSubquery(ev, rangeCall, sub, grid, inner, child, nameless || oneName(sub.expr), namesUnseen(ev, hints));
}

async function* nothing(): Batches {}

function clamp(ev: Evaluation, expr: Call, grid: Grid, child: () => Batches, hints: Hints): Batches {
  const {name} = expr.func;
  const limits = async (): Promise<[Float64Array, Float64Array]> => {
    const first = await scalarColumn(ev, expr.args[1]!, grid);
    return [first, name === "clamp" ? await scalarColumn(ev, expr.args[2]!, grid) : first];
  };
  return withScalars(ev, child, limits, ([first, second]) =>
    withoutNames(ev, clamped(ev, expr, child(), first, second), expr.args[0]!, hints),
  );
}

function clamped(ev: Evaluation, expr: Call, child: Batches, first: Float64Array, second: Float64Array): Batches {
  const {name} = expr.func;
  const low = name === "clamp_max" ? undefined : first;
  const high = name === "clamp_min" ? undefined : second;
  const within = mapFloats(ev, child, (v, i) => {
    const limited = high === undefined ? v : goMin(high[i]!, v);
    return low === undefined ? limited : goMax(low[i]!, limited);
  });
  const out =
    low === undefined || high === undefined
      ? within
      : mapBatches(ev, within, (batch) => {
          // Limits the wrong way round leave nothing.
          for (let p = 0, i = 0; p < batch.labels.length * batch.steps; p++) {
            if (high[i]! < low[i]!) batch.kind[p] = 0;
            if (++i === batch.steps) i = 0;
          }
        });
  return out;
}

/** Sample times for a bare selector, evaluation times for anything else. */
function timestamps(ev: Evaluation, expr: Call, grid: Grid, hints: Hints): Batches {
  const arg = unparen(expr.args[0]!);
  const what = expr.func.name as InstantValue;
  // Without the feature nothing knows start times: the samples are looked at, and none comes out.
  if (what === "start_timestamp" && !ev.options.features.startTimestamps && arg.kind === "vector") {
    return mapBatches(ev, instantSelector(ev, arg, grid, hints, "timestamp"), (batch) => void batch.kind.fill(0));
  }
  if (arg.kind === "vector") return withoutNames(ev, instantSelector(ev, arg, grid, hints, what), arg, hints);
  const times = mapBatches(ev, vector(ev, arg, grid, hints), (batch) => {
    for (let p = 0, i = 0; p < batch.labels.length * batch.steps; p++) {
      if (what === "start_timestamp") batch.kind[p] = 0;
      else if (batch.kind[p] !== 0) {
        batch.kind[p] = FLOAT;
        batch.values[p] = (grid.start + i * grid.step) / 1000;
      }
      if (++i === batch.steps) i = 0;
    }
    batch.hists = undefined;
  });
  return withoutNames(ev, times, arg, hints);
}

function sorted(ev: Evaluation, expr: Call, grid: Grid, child: Batches): Batches {
  const {name} = expr.func;
  if (grid.count > 1) {
    const text = "sort is ineffective for range queries since results are always ordered by labels";
    ev.annotations.warn(text, expr.pos);
    const floatsOnly = name === "sort" || name === "sort_desc";
    return floatsOnly ? mapFloats(ev, child, (v) => v) : child;
  }
  if (name === "sort" || name === "sort_desc") return sortRows(ev, child, byValue(name === "sort_desc"), true);
  const labels = expr.args.slice(1).map(stringArg);
  return sortRows(ev, child, byLabels(labels, name === "sort_by_label_desc"), false);
}
