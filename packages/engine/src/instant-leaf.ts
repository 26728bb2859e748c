import {StrataError} from "@strata/base";
import {RANGE} from "@strata/kernels";
import {type Labels, METRIC_NAME} from "@strata/model";
import type {VectorSelector} from "@strata/promql";
import {BatchWriter, type Evaluation} from "./evaluation.ts";
import type {FloatHistogram} from "./histogram/float-histogram.ts";
import {HINT, histogramPoints, isCustom, withHint} from "./histogram/float-histogram.ts";
import {lastReference, references, setPoint} from "./range-leaf.ts";
import {interpolate, linear} from "./rate-anchored.ts";
import {SampleReader} from "./read-samples.ts";
import {SampleColumns} from "./sample-columns.ts";
import {type Hints, selectFor, selectSeries} from "./select-series.ts";
import {type Batches, FLOAT, type Grid, HISTOGRAM} from "./step-batch.ts";
import {Window} from "./window.ts";
import {warnMixed, warnMixedSchemas} from "./window-remarks.ts";

/** What of the sample found is the value: itself, its time in seconds (for `info` of floats alone), its start time. */
export type InstantValue = "sample" | "timestamp" | "info" | "start_timestamp";

/** An instant selector: at each step the newest sample within the lookback, unless that is a stale marker. */
export async function* instantSelector(
  ev: Evaluation,
  selector: VectorSelector,
  grid: Grid,
  hints: Hints,
  what: InstantValue = "sample",
): Batches {
  const {lookbackMs} = ev.options;
  const w = references(ev, selector.at, selector.offset, grid, lookbackMs);
  const range = ev.ranges.asked(selector, {
    mint: w.start - lookbackMs + 1,
    maxt: lastReference(w) + (selector.mode === "smoothed" ? lookbackMs : 0),
  });
  const cut = ev.cuts.get(selector);
  const columns = new SampleColumns(ev.budget);
  const reader = new SampleReader(ev, hints, range, columns);
  const writer = new BatchWriter(ev, grid.count);
  const window = new Window(ev.annotations);
  window.pos = selector.pos;
  try {
    for await (const batch of selectSeries(ev, selector, selectFor(ev, selector, range, 0, hints))) {
      for (const series of batch) {
        reader.read(series);
        if (cut !== undefined) columns.cutAfter(cut);
        ev.worked(columns.n + columns.hn + grid.count);
        if (ev.tired) await ev.breathe();
        const out = writer.batch;
        const base = writer.base;
        let results = 0;
        if (selector.mode === "smoothed") {
          window.name = series.labels.get(METRIC_NAME);
          columns.dropStale();
          results = smoothedPoints(columns, w, lookbackMs, window, out, base);
        } else if (columns.hn === 0 && what === "sample") {
          results = columns.slide(RANGE.instant, w, out.values, out.kind, base);
        } else results = generalPoints(series.labels, columns, w, what, out, base);
        if (results === 0) continue;
        // Compat: interpolated values are not counted.
        if (selector.mode !== "smoothed") count(grid, out, base, results);
        writer.commit(series.labels);
        const full = writer.full();
        if (full !== undefined) yield full;
      }
      ev.check();
    }
    const rest = writer.take();
    if (rest !== undefined) yield rest;
  } finally {
    reader.close();
    columns.close();
  }
}

/** Counts the points of a row as samples: a histogram as several. */
function count({tally, count: steps}: Grid, out: BatchWriter["batch"], base: number, results: number): void {
  if (out.hists === undefined && !tally.perStep) {
    tally.add(results, results);
    return;
  }
  for (let i = 0; i < steps; i++) {
    const kind = out.kind[base + i];
    if (kind === FLOAT) tally.addAt(i, 1, 1);
    else if (kind === HISTOGRAM) {
      const points = histogramPoints(out.hists![base + i]!);
      tally.addAt(i, points, points);
    }
  }
}

type Windows = ReturnType<typeof references>;

function generalPoints(
  labels: Labels,
  columns: SampleColumns,
  w: Windows,
  what: InstantValue,
  out: BatchWriter["batch"],
  base: number,
): number {
  const {ts, vs} = columns;
  let i = 0;
  let j = 0;
  let results = 0;
  for (let s = 0; s < w.count; s++) {
    const hi = w.start + s * w.step;
    const lo = hi - w.range;
    while (i < columns.n && ts[i]! <= hi) i++;
    while (j < columns.hn && columns.hts[j]! <= hi) j++;
    const ft = i > 0 ? ts[i - 1]! : -Infinity;
    const ht = j > 0 ? columns.hts[j - 1]! : -Infinity;
    const t = Math.max(ft, ht);
    if (t <= lo) continue;
    const isFloat = ft > ht;
    if (isFloat && columns.isStale(i - 1)) continue;
    results++;
    if (what === "info" && !isFloat) {
      throw new StrataError("execution", `this should be an info metric, with float samples: ${labels}`);
    }
    if (what === "timestamp" || what === "info") setPoint(out, base + s, t / 1000);
    else if (what === "start_timestamp") {
      const st = isFloat ? (columns.st?.[i - 1] ?? 0) : (columns.hst?.[j - 1] ?? 0);
      setPoint(out, base + s, st / 1000);
    } else setPoint(out, base + s, isFloat ? vs[i - 1]! : columns.hs[j - 1]!);
  }
  return results;
}

/** Smoothed selector: the value at the very time, between its neighbours, or the last one before. */
function smoothedPoints(
  columns: SampleColumns,
  w: Windows,
  lookback: number,
  window: Window,
  out: BatchWriter["batch"],
  base: number,
): number {
  const {ts, vs} = columns;
  let results = 0;
  let ffrom = 0;
  let fto = 0;
  let hfrom = 0;
  let hto = 0;
  const mix: Mix<FloatHistogram> = (a, b, from, to, t) => {
    if (isCustom(a) !== isCustom(b)) {
      warnMixedSchemas(window);
      return undefined;
    }
    return interpolate(window, a, from, b, to, t, a.hint !== HINT.gauge || b.hint !== HINT.gauge);
  };
  for (let s = 0; s < w.count; s++) {
    const t = w.start + s * w.step;
    while (fto < columns.n && ts[fto]! <= t + lookback) fto++;
    while (ffrom < fto && ts[ffrom]! <= t - lookback) ffrom++;
    while (hto < columns.hn && columns.hts[hto]! <= t + lookback) hto++;
    while (hfrom < hto && columns.hts[hfrom]! <= t - lookback) hfrom++;
    if (fto > ffrom && hto > hfrom) {
      warnMixed(window);
      continue;
    }
    const value =
      fto > ffrom
        ? between(ts, vs, ffrom, fto, t, linear)
        : between(columns.hts, columns.hs, hfrom, hto, t, mix, (h) => withHint(h, HINT.unknown));
    if (value === undefined) continue;
    results++;
    setPoint(out, base + s, value);
  }
  return results;
}

/** The value at time t between `a` at `from` and `b` at `to`. */
type Mix<T> = (a: T, b: T, from: number, to: number, t: number) => T | undefined;

function between<T>(
  ts: ArrayLike<number>,
  vs: ArrayLike<T>,
  from: number,
  to: number,
  t: number,
  mix: Mix<T>,
  only: (v: T) => T = (v) => v,
): T | undefined {
  let i = from;
  while (i < to && ts[i]! <= t) i++;
  if (i === from) return undefined;
  if (ts[i - 1] === t) return vs[i - 1];
  if (i === to) return only(vs[i - 1]!);
  return mix(vs[i - 1]!, vs[i]!, ts[i - 1]!, ts[i]!, t);
}
