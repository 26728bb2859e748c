import {fromWireError, StrataError, toWireError} from "@strata/base";
import type {QueryStats} from "@strata/engine";
import {type Matcher, matcher} from "@strata/model";
import type {StorePlan} from "@strata/storeapi";
import type {QueryAnswer} from "@strata/web";
import {Mailbox} from "./mailbox.ts";
import type {FromQuery, Job, SelectOutline, WireSelect} from "./messages.ts";
import type {QueryBoard} from "./query-board.ts";
import type {QueryThread} from "./query-thread.ts";
import type {WorkerPool} from "./worker-pool.ts";

/** Whom to ask for what a selection wants. */
export type SelectPlanner = {
  plan(q: PlanSelect): readonly StorePlan[];
  /** What a worker needs to plan by itself; undefined where it has to ask. */
  outline?(): SelectOutline | undefined;
  /** A stream of a plan ended without a frame. */
  noteEmpty(): void;
};
export type PlanSelect = Omit<WireSelect, "matchers"> & {readonly matchers: readonly Matcher[]};

export type RunOptions = {
  readonly pool: WorkerPool;
  readonly board: QueryBoard;
  readonly slot: number;
  readonly job: Job;
  readonly planner: SelectPlanner;
  /** It is ended together with its thread when it has not stopped this long (ms) after it was told to. */
  readonly graceMs: number;
  /** Seconds that it waited for its turn. */
  readonly queued: number;
  readonly signal: AbortSignal;
};

let nextQuery = 0;

/** The samples of `stats`, as Prometheus names them; of each step where they were counted. */
function samplesOf(stats: QueryStats | undefined, {start, step}: Job["params"]): Record<string, unknown> {
  const {totalQueryableSamples = 0, samplesRead = 0, peakSamples = 0} = stats ?? {};
  const {totalQueryableSamplesPerStep: totals, samplesReadPerStep: reads} = stats ?? {};
  if (totals === undefined || reads === undefined) return {totalQueryableSamples, peakSamples};
  const perStep = (counts: Float64Array) => Array.from(counts, (n, i) => [(start + i * step) / 1000, n]);
  return {
    totalQueryableSamplesPerStep: perStep(totals),
    totalQueryableSamples,
    samplesReadPerStep: perStep(reads),
    samplesRead,
    peakSamples,
  };
}

/**
 * One admitted query on a worker thread. Aborting the signal tells whoever waits for the answer at once, and the worker
 * by a flag in shared memory; where it does not look, its thread is ended. Queries that lose their thread through no
 * fault of their own are begun again once, unless their answer was on its way.
 */
export class QueryRun {
  readonly #o: RunOptions;
  readonly #pieces = new Mailbox<Uint8Array>();
  readonly #answer = Promise.withResolvers<QueryAnswer>();
  readonly #over = Promise.withResolvers<void>();
  readonly #onAbort = (): void => this.#cancel();
  #thread: QueryThread | undefined;
  #query = 0;
  #begun = 0;
  #answered = false;
  #isOver = false;
  #failure: StrataError | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(options: RunOptions) {
    this.#o = options;
  }

  /** Resolves, and never rejects, once nothing of the query is left: its slot may be used again. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Why it failed; known once it is over. */
  get failure(): StrataError | undefined {
    return this.#failure;
  }

  start(): Promise<QueryAnswer> {
    const {signal} = this.#o;
    try {
      signal.throwIfAborted();
      signal.addEventListener("abort", this.#onAbort, {once: true});
      this.#begin();
    } catch (err) {
      this.#end(fromWireError(toWireError(err)));
    }
    return this.#answer.promise;
  }

  #begin(): void {
    const {pool, board, slot, job} = this.#o;
    this.#begun++;
    const thread = pool.pick();
    const query = nextQuery++;
    board.clear(slot);
    thread.attach(query, {receive: (message) => this.#receive(message), lost: (err) => this.#lost(err)});
    this.#thread = thread;
    this.#query = query;
    thread.send({kind: "run", query, job, slot, outline: this.#o.planner.outline?.()});
  }

  #receive(message: FromQuery): void {
    switch (message.kind) {
      case "select":
        this.#plan(message.select, message.q);
        return;
      case "empty":
        this.#o.planner.noteEmpty();
        return;
      case "answer":
        this.#answered = true;
        this.#answer.resolve(this.#answerOf(message));
        return;
      case "piece":
        if (message.piece === undefined) this.#end(this.#failure);
        else this.#pieces.put(message.piece);
        return;
      case "failed":
        // Why it was told to stop says more than that it did.
        this.#end(this.#failure ?? fromWireError(message.error));
        return;
    }
  }

  #plan(select: number, q: WireSelect): void {
    const query = this.#query;
    try {
      const matchers = q.matchers.map((m) => matcher(m.name, m.op, m.value));
      const plans = this.#o.planner.plan({...q, matchers});
      this.#thread?.send({kind: "planned", query, select, plans});
    } catch (err) {
      this.#thread?.send({kind: "refused", query, select, error: toWireError(err)});
    }
  }

  #answerOf(message: FromQuery & {kind: "answer"}): QueryAnswer {
    const {resultType, annotations, warnings, stats, analysis, preparation, evaluation} = message;
    const {queued} = this.#o;
    return {
      resultType,
      annotations,
      warnings,
      result: this.#read(),
      stats: {
        timings: {
          evalTotalTime: preparation + evaluation,
          resultSortTime: 0,
          queryPreparationTime: preparation,
          innerEvalTime: evaluation,
          execQueueTime: queued,
          execTotalTime: queued + preparation + evaluation,
        },
        samples: samplesOf(stats, this.#o.job.params),
      },
      analysis,
    };
  }

  /** The answer's pieces as the worker makes them; leaving the loop early cancels the rest. */
  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = await this.#pieces.next();
        if (piece === undefined) return;
        if (!this.#isOver) this.#thread?.send({kind: "more", query: this.#query});
        yield piece;
      }
    } finally {
      this.#cancel();
    }
  }

  #cancel(): void {
    if (this.#isOver || this.#failure !== undefined) return;
    const {signal, board, slot, graceMs} = this.#o;
    const reason = signal.aborted ? signal.reason : new StrataError("canceled", "the client left");
    this.#failure = fromWireError(toWireError(reason));
    board.stop(slot);
    // The flag for a thread that computes, the message for one that waits.
    this.#thread?.send({kind: "cancel", query: this.#query});
    this.#tell();
    this.#grace = setTimeout(() => {
      void this.#thread?.kill("a query on it could not be stopped in any other way");
    }, graceMs);
  }

  #lost(err: StrataError): void {
    this.#thread = undefined;
    if (this.#failure !== undefined || this.#answered || this.#begun > 1) {
      this.#end(this.#failure ?? err);
      return;
    }
    try {
      this.#begin();
    } catch (failure) {
      this.#end(fromWireError(toWireError(failure)));
    }
  }

  /** Whoever waits learns of the failure, where there is one. */
  #tell(): void {
    this.#pieces.end(this.#failure);
    if (this.#failure !== undefined) this.#answer.reject(this.#failure);
  }

  #end(err: StrataError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = err;
    clearTimeout(this.#grace);
    this.#o.signal.removeEventListener("abort", this.#onAbort);
    this.#thread?.detach(this.#query);
    this.#tell();
    this.#over.resolve();
  }
}
