import {type ByteBudget, StrataError} from "@strata/base";
import type {Labels} from "@strata/model";
import type {Expr, VectorSelector} from "@strata/promql";
import type {Selectable} from "@strata/series";
import {Annotations} from "./annotations.ts";
import type {OperatorCost} from "./explain.ts";
import {MergedSelects} from "./merged-selects.ts";
import type {EngineOptions} from "./options.ts";
import type {QueryStats} from "./query-result.ts";
import {ReadRanges} from "./read-ranges.ts";
import {SampleTally} from "./sample-tally.ts";
import {SelectorSizes} from "./selector-sizes.ts";
import {SharedResults} from "./share.ts";
import {batchBytes, countedBytes, type Grid, type StepBatch} from "./step-batch.ts";

/** What the whole query asks for. An instant query has end = start and step 0. */
export type QueryParams = {readonly start: number; readonly end: number; readonly step: number};

/** Everything that one execution shares: source, options, limits, annotations and counts. Never outlives `execute`. */
export class Evaluation {
  readonly params: QueryParams;
  /** The grid of the query itself. */
  readonly grid: Grid;
  readonly queryable: Selectable;
  readonly options: EngineOptions;
  readonly signal: AbortSignal;
  readonly budget: ByteBudget;
  readonly annotations = new Annotations();
  readonly shared: SharedResults;
  readonly ranges: ReadRanges;
  readonly merged: MergedSelects;
  readonly sizes = new SelectorSizes();
  /** Selectors of which samples after some time are not there. */
  readonly cuts = new Map<VectorSelector, number>();
  /** What each operator cost, if that is asked for. */
  readonly costs: Map<Expr, OperatorCost> | undefined;
  readonly #deadline: number;
  /** Points held in step columns and decoded samples, for the sample limit. */
  #points = 0;
  #peakPoints = 0;
  #samplesDecoded = 0;
  #worked = 0;
  #lastTurn = performance.now();
  /**
   * Columns of the batch released last. PERF: a streaming query needs a batch at a time, and its columns go from one to the
   * next instead of to the collector.
   */
  #spare: Columns | undefined;

  constructor(
    params: QueryParams,
    queryable: Selectable,
    options: EngineOptions,
    budget: ByteBudget,
    signal: AbortSignal,
    expr: Expr,
  ) {
    this.params = params;
    this.#spare = left;
    left = undefined;
    const {start, end, step} = params;
    const count = step === 0 ? 1 : Math.floor((end - start) / step) + 1;
    this.grid = {start, step: step || 1, count, tally: new SampleTally(options.perStepStats ? count : 0)};
    this.queryable = queryable;
    this.options = options;
    this.budget = budget;
    this.signal = signal;
    this.shared = new SharedResults(expr);
    this.ranges = new ReadRanges(expr, params, options.lookbackMs);
    const {dedup, optimise} = options;
    const unseen = dedup.enabled ? dedup.replicaLabels : [];
    this.merged = new MergedSelects(
      expr,
      (selector) => (optimise ? this.ranges.of(selector) : undefined),
      unseen,
      this.shared.repeats(),
    );
    this.costs = options.analyze ? new Map() : undefined;
    this.#deadline = options.timeoutMs > 0 ? performance.now() + options.timeoutMs : Infinity;
  }

  get stats(): QueryStats {
    return {
      totalQueryableSamples: this.grid.tally.total,
      samplesRead: this.grid.tally.read,
      totalQueryableSamplesPerStep: this.grid.tally.totals,
      samplesReadPerStep: this.grid.tally.reads,
      samplesDecoded: this.#samplesDecoded,
      peakSamples: this.#peakPoints,
    };
  }

  /** Throws when the caller left or time is up. Called once a batch. */
  check(): void {
    if (this.signal.aborted) {
      if ((this.signal.reason as {name?: string} | undefined)?.name === "TimeoutError") throw timedOut();
      throw new StrataError("canceled", "query was canceled in expression evaluation");
    }
    const {progress} = this.options;
    if (progress !== undefined && !progress(this.#samplesDecoded, this.budget.used, this.budget.peak)) {
      throw new StrataError("canceled", "query was canceled in expression evaluation");
    }
    if (performance.now() > this.#deadline) throw timedOut();
  }

  /** Counts samples and points that were worked on within a batch, and checks once there were many. */
  worked(n: number): void {
    this.#worked += n;
    if (this.#worked < CHECK_AFTER) return;
    this.#worked = 0;
    this.check();
  }

  /** Whether others have waited long enough for `breathe` to be awaited: asked after each series. */
  get tired(): boolean {
    return performance.now() - this.#lastTurn >= TURN_MS;
  }

  /**
   * Lets the event loop take a turn if it has not had one for a while. Sources in memory never wait for anything, and
   * a cancellation could not arrive otherwise.
   */
  async breathe(): Promise<void> {
    if (!this.tired) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#lastTurn = performance.now();
  }

  /** Counts samples decoded from the source's chunks. */
  decoded(n: number): void {
    this.#samplesDecoded += n;
  }

  /** Counts `points` as held, or throws the sample limit's error. */
  hold(points: number): void {
    this.#points += points;
    if (this.#points > this.#peakPoints) this.#peakPoints = this.#points;
    this.#limit(this.#points);
  }

  /** Refuses grids of which not even one column could be held. Small ones may turn out to have no series at all. */
  limitSteps(steps: number): void {
    if (steps > FREE_STEPS) this.#limit(steps > MAX_STEPS ? Infinity : steps);
  }

  /** Throws the sample limit's error for more points than it allows. */
  #limit(points: number): void {
    if (points > this.options.maxSamples || points === Infinity) {
      throw new StrataError(
        "execution",
        "query processing would load too many samples into memory in query execution",
        {fields: {limit: this.options.maxSamples}},
      );
    }
  }

  drop(points: number): void {
    this.#points -= points;
  }

  /** A batch of absent points for up to `rows` series; counted until `release`. */
  newBatch(rows: number, steps: number): StepBatch {
    this.budget.take(batchBytes(rows, steps), "step columns");
    const spare = this.#spare;
    if (spare !== undefined && spare.steps === steps && spare.values.length === rows * steps) {
      const {values, kind} = spare;
      this.#spare = undefined;
      kind.fill(0);
      return {labels: [], steps, values, kind, hists: undefined, dropName: undefined};
    }
    return {
      labels: [],
      steps,
      values: new Float64Array(rows * steps),
      kind: new Uint8Array(rows * steps),
      hists: undefined,
      dropName: undefined,
    };
  }

  /** Gives back what the batch was counted with. Once a batch, by its last owner, who must not touch it again. */
  release(batch: StepBatch): void {
    this.budget.give(countedBytes(batch));
    const {steps, values, kind} = batch;
    this.#spare = {steps, values, kind};
  }

  /** Leaves what the next evaluation of the thread can use; only once all is well and nothing of this one runs any more. */
  leave(): void {
    if (this.#spare !== undefined && this.#spare.values.length <= BATCH_POINTS) left = this.#spare;
    this.#spare = undefined;
  }

  /** How many rows a batch of so many steps has: about a megabyte, at least one row. */
  rowsPerBatch(steps: number): number {
    return Math.max(1, Math.min(256, Math.floor(BATCH_POINTS / steps)));
  }
}

/** Steps of a grid that are refused whatever the sample limit: a column of them takes 400 MB. */
const MAX_STEPS = 50_000_000;
/** Steps of a grid that are never refused on their own. */
const FREE_STEPS = 1_000_000;
/** Work between two checks: some ten milliseconds. */
const CHECK_AFTER = 1_000_000;
/** Longest stretch without a turn of the event loop: short enough for a health check beside it. */
const TURN_MS = 10;
/** Points in a batch: 9 bytes each, so that a batch stays in the second-level cache. */
const BATCH_POINTS = 64 * 1024;

type Columns = Pick<StepBatch, "steps" | "values" | "kind">;

/**
 * What the last evaluation left. PERF: each part of a query that is split is evaluated by itself, and two batches of half a
 * megabyte a part kept the collector busy.
 */
let left: Columns | undefined;

const timedOut = () => new StrataError("timeout", "query timed out in expression evaluation");

/** Fills batches row by row and says when one is full. */
export class BatchWriter {
  readonly #ev: Evaluation;
  readonly #steps: number;
  readonly #rows: number;
  #batch: StepBatch | undefined;

  constructor(ev: Evaluation, steps: number) {
    this.#ev = ev;
    this.#steps = steps;
    this.#rows = ev.rowsPerBatch(steps);
  }

  /** The batch under construction; `base` is where the next row goes. Its kinds there are all ABSENT. */
  get batch(): StepBatch {
    this.#batch ??= this.#ev.newBatch(this.#rows, this.#steps);
    return this.#batch;
  }

  get base(): number {
    return this.#batch === undefined ? 0 : this.#batch.labels.length * this.#steps;
  }

  /** Makes the row at `base` one of the batch. */
  commit(labels: Labels, drop = false): void {
    const batch = this.batch;
    if (drop) {
      batch.dropName ??= new Uint8Array(this.#rows);
      batch.dropName[batch.labels.length] = 1;
    }
    batch.labels.push(labels);
  }

  /** The batch once it is full, else undefined. */
  full(): StepBatch | undefined {
    return this.#batch !== undefined && this.#batch.labels.length === this.#rows ? this.take() : undefined;
  }

  /** Whatever there is. */
  take(): StepBatch | undefined {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch !== undefined && batch.labels.length === 0) {
      this.#ev.release(batch);
      return undefined;
    }
    return batch;
  }
}
