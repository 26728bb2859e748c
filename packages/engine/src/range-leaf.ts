import {RANGE, type RangeFunc, type Windows} from "@strata/kernels";
import {type Labels, METRIC_NAME} from "@strata/model";
import type {MatrixSelector, Position, VectorSelector} from "@strata/promql";
import {BatchWriter, type Evaluation} from "./evaluation.ts";
import {type FloatHistogram, histogramPoints} from "./histogram/float-histogram.ts";
import {dropReserved, hasOneName, MixedNames} from "./metric-name.ts";
import type {RangeFunction} from "./range-functions.ts";
import {SampleReader} from "./read-samples.ts";
import {SampleColumns} from "./sample-columns.ts";
import {type Hints, selectFor, selectSeries} from "./select-series.ts";
import {type Batches, FLOAT, type Grid, HISTOGRAM} from "./step-batch.ts";
import {Window} from "./window.ts";
import {checkCounterName} from "./window-remarks.ts";

/** A call of a range function, its scalar arguments evaluated: one column of `grid.count` values each. */
export type RangeCall = {
  readonly name: string;
  readonly func: RangeFunction;
  readonly args: readonly Float64Array[];
  /** Of the range vector: where most annotations point; and of the first argument. */
  readonly pos: Position;
  readonly firstPos: Position;
};

/** Reference times of a selector: evaluation time or `@`, less the offset. `step` 0 repeats one time. */
export function references(
  ev: Evaluation,
  at: VectorSelector["at"],
  offset: number,
  grid: Grid,
  range: number,
): Windows {
  const {count} = grid;
  if (at === undefined) return {start: grid.start - offset, step: grid.step, count, range};
  const t = at.kind === "time" ? at.t : at.kind === "start" ? ev.params.start : ev.params.end;
  return {start: t - offset, step: 0, count, range};
}

/** The last reference time. */
export const lastReference = (w: Windows): number => w.start + (w.count - 1) * w.step;

/** A range function straight over a range selector: encoded chunks in, step columns out. */
export async function* rangeSelector(
  ev: Evaluation,
  call: RangeCall,
  matrix: MatrixSelector,
  grid: Grid,
  hints: Hints,
  nameless: boolean,
  unseen: boolean,
): Batches {
  const {selector, range} = matrix;
  const w = references(ev, selector.at, selector.offset, grid, range);
  const {before, after} = reach(ev, selector);
  const mint = w.start - range - Math.max(before, call.func.lookback) + 1;
  const asked = ev.ranges.asked(selector, {mint, maxt: lastReference(w) + after});
  const cut = ev.cuts.get(selector);
  const columns = new SampleColumns(ev.budget);
  const reader = new SampleReader(ev, hints, asked, columns);
  const slider = new RangeSlider(ev, call, grid, w, selector.mode, nameless || hasOneName(selector), unseen);
  try {
    for await (const batch of selectSeries(ev, selector, selectFor(ev, selector, asked, range, hints))) {
      for (const series of batch) {
        reader.read(series);
        if (cut !== undefined) columns.cutAfter(cut);
        columns.dropStale();
        const full = slider.push(series.labels, columns, false);
        if (full !== undefined) yield full;
        ev.worked(columns.n + columns.hn + grid.count);
        if (ev.tired) await ev.breathe();
      }
      ev.check();
    }
    const rest = slider.finish();
    if (rest !== undefined) yield rest;
  } finally {
    reader.close();
    columns.close();
  }
}

/** How far before and after its range a selector looks. */
export function reach(ev: Evaluation, selector: VectorSelector): {before: number; after: number} {
  const {lookbackMs} = ev.options;
  return {before: selector.mode === "" ? 0 : lookbackMs, after: selector.mode === "smoothed" ? lookbackMs : 0};
}

/** Samples in windows after which a long row looks whether it is to go on. */
const CHECK_AFTER = 1 << 16;

/** Slides one range function over series after series and collects the rows. */
export class RangeSlider {
  readonly #ev: Evaluation;
  readonly #call: RangeCall;
  readonly #w: Windows;
  readonly #grid: Grid;
  readonly #writer: BatchWriter;
  readonly #window: Window;
  readonly #names: MixedNames | undefined;
  readonly #mode: VectorSelector["mode"];
  readonly #reads: boolean;
  readonly #unseen: boolean;
  /** The kernel to use for a series of floats; undefined where only the general form knows the answer. */
  readonly #kernel: RangeFunc | undefined;

  /**
   * `oneName`: all series have one metric name, so that they stay different without it. `unseen`: nobody
   * looks at names, so they may stay. `reads`: samples come from a
   * source, and count as read.
   */
  constructor(
    ev: Evaluation,
    call: RangeCall,
    grid: Grid,
    w: Windows,
    mode: VectorSelector["mode"],
    oneName: boolean,
    unseen: boolean,
    reads = true,
  ) {
    this.#unseen = unseen;
    this.#ev = ev;
    this.#reads = reads;
    this.#call = call;
    this.#grid = grid;
    this.#w = w;
    this.#mode = mode;
    this.#writer = new BatchWriter(ev, grid.count);
    this.#window = new Window(ev.annotations);
    this.#window.mode = mode;
    this.#window.range = w.range;
    this.#window.pos = call.pos;
    this.#window.firstPos = call.firstPos;
    this.#names = oneName ? undefined : new MixedNames(ev);
    this.#kernel = mode === "" && ev.options.slide ? call.func.kernel : undefined;
  }

  /** Adds a series whose stale markers are gone; a full batch comes back. `drop`: its name is to go at the end. */
  push(labels: Labels, columns: SampleColumns, drop: boolean) {
    const {func} = this.#call;
    const {base, batch} = {base: this.#writer.base, batch: this.#writer.batch};
    this.#window.name = labels.get(METRIC_NAME);
    const useStart = func.counter && this.#ev.options.features.startTimestamps;
    const plain = columns.hn === 0 && this.#kernel !== undefined && !(useStart && columns.st !== undefined);
    const results = plain
      ? columns.slide(this.#kernel as RangeFunc, this.#w, batch.values, batch.kind, base)
      : this.#general(columns, batch, base, useStart);
    if (plain) this.#tally(columns);
    if (results === 0) return undefined;
    if (plain && (this.#kernel === RANGE.rate || this.#kernel === RANGE.increase)) checkCounterName(this.#window);
    if (func.keepsName || (this.#unseen && this.#names === undefined)) this.#writer.commit(labels, drop);
    else if (this.#ev.options.features.delayedNameRemoval) this.#writer.commit(labels, true);
    else this.#writer.commit(checked(this.#names, dropReserved(labels)));
    return this.#writer.full();
  }

  finish() {
    return this.#writer.take();
  }

  /** One call of the window function a step. */
  #general(columns: SampleColumns, batch: BatchWriter["batch"], base: number, useStart: boolean): number {
    const w = this.#window;
    const {before, after} = reachOf(this.#ev, this.#mode);
    w.ts = columns.ts;
    w.vs = columns.vs;
    w.hts = columns.hts;
    w.hs = columns.hs;
    w.st = useStart ? columns.st : undefined;
    w.hst = useStart ? columns.hst : undefined;
    w.from = 0;
    w.to = 0;
    w.hfrom = 0;
    w.hto = 0;
    const {start, step, count, range} = this.#w;
    const {lookback} = this.#call.func;
    let results = 0;
    let [seen, hseen] = [0, 0];
    let work = 0;
    for (let i = 0; i < count; i++) {
      w.end = start + i * step;
      w.start = w.end - range;
      const hi = w.end + after;
      const lo = w.start - before;
      while (w.to < columns.n && w.ts[w.to]! <= hi) w.to++;
      while (w.from < w.to && w.ts[w.from]! <= lo) w.from++;
      while (w.hto < columns.hn && w.hts[w.hto]! <= hi) w.hto++;
      while (w.hfrom < w.hto && w.hts[w.hfrom]! <= lo) w.hfrom++;
      let [total, fresh] = [w.floats, Math.max(0, w.to - Math.max(w.from, seen))];
      for (let h = w.hfrom; h < w.hto; h++) {
        const points = histogramPoints(w.hs[h]!);
        total += points;
        if (h >= hseen) fresh += points;
      }
      this.#grid.tally.addAt(i, total, this.#reads ? fresh : 0);
      [seen, hseen] = [w.to, w.hto];
      if (w.from === w.to && w.hfrom === w.hto && (lookback === 0 || w.from === 0)) continue;
      work += w.floats + w.hto - w.hfrom;
      if (work > CHECK_AFTER) {
        this.#ev.worked(work);
        work = 0;
      }
      w.t = this.#grid.start + i * this.#grid.step;
      for (let a = 0; a < this.#call.args.length; a++) w.args[a] = this.#call.args[a]![i]!;
      const value = this.#call.func.window(w);
      if (value === undefined) continue;
      results++;
      setPoint(batch, base + i, value);
    }
    return results;
  }

  /** Counts the floats that a kernel's windows held. */
  #tally(columns: SampleColumns): void {
    const {tally} = this.#grid;
    if (!tally.perStep) {
      const {total, fresh} = columns.looked;
      tally.add(total, this.#reads ? fresh : 0);
      return;
    }
    const {ts, n} = columns;
    const {start, step, count, range} = this.#w;
    for (let i = 0, from = 0, to = 0, seen = 0; i < count; i++) {
      const hi = start + i * step;
      while (to < n && ts[to]! <= hi) to++;
      while (from < to && ts[from]! <= hi - range) from++;
      tally.addAt(i, to - from, this.#reads ? to - Math.min(to, Math.max(from, seen)) : 0);
      seen = to;
    }
  }
}

const checked = (names: MixedNames | undefined, labels: Labels) =>
  names === undefined ? labels : names.checked(labels);

const reachOf = (ev: Evaluation, mode: VectorSelector["mode"]) => ({
  before: mode === "" ? 0 : ev.options.lookbackMs,
  after: mode === "smoothed" ? ev.options.lookbackMs : 0,
});

/** Writes a float or a histogram as point `at` of a batch. */
export function setPoint(batch: BatchWriter["batch"], at: number, value: number | FloatHistogram): void {
  if (typeof value === "number") {
    batch.kind[at] = FLOAT;
    batch.values[at] = value;
    return;
  }
  batch.kind[at] = HISTOGRAM;
  batch.hists ??= [];
  batch.hists[at] = value;
}
