import {errorText, Gate, StrataError} from "@strata/base";
import {newUlid} from "@strata/model";
import {rpcMetrics} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import type {ActiveQuery, QueryAnswer} from "@strata/web";
import {ActiveQueryFile} from "./active-query-file.ts";
import type {Job} from "./messages.ts";
import {QueryBoard} from "./query-board.ts";
import {QueryRun, type SelectPlanner} from "./query-run.ts";
import {defaultThreads, WorkerPool} from "./worker-pool.ts";

export type QueryRunnerOptions = {
  /** `--query.max-concurrent`: queries that run at once; others wait. 0 is no limit but MOST_QUERIES. */
  readonly maxConcurrent: number;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Worker threads; as many as cores where left out. */
  readonly threads?: number | undefined;
  /** Queries that took this long (ms), or held so much (bytes), are logged; 0: none. */
  readonly logSlowMs?: number | undefined;
  readonly logLargeBytes?: number | undefined;
  /** `--query.active-query-path`: directory of the file that names running queries. */
  readonly activePath?: string | undefined;
  /** ms that a query has to stop once it is told to. */
  readonly graceMs?: number | undefined;
  /** Where workers begin. */
  readonly entry?: URL | undefined;
};

/** On whose behalf a query runs, and how long it may take. */
export type QueryCaller = {
  readonly tenant: string;
  readonly timeoutMs: number;
  readonly planner: SelectPlanner;
  readonly signal: AbortSignal;
};

/** Queries at once where there is no limit. */
const MOST_QUERIES = 1024;

/** Any computation looks at its flag several times a second; one that does not is lost in a loop. */
const GRACE_MS = 5000;

/** Where query workers begin. */
const ENTRY = new URL("./worker-entry.ts", import.meta.url);

type Entry = {
  readonly id: string;
  readonly job: Job;
  readonly tenant: string;
  readonly startedMs: number;
  readonly abort: AbortController;
  /** undefined while it waits. */
  slot: number | undefined;
};

/** Runs queries on worker threads: admits so many at once, lists them, kills them, and logs what was slow or large. */
export class QueryRunner {
  readonly #options: QueryRunnerOptions;
  readonly #gate: Gate;
  readonly #metrics: RunnerMetrics;
  readonly #board: QueryBoard;
  readonly #pool: WorkerPool;
  readonly #file: ActiveQueryFile | undefined;
  readonly #free: number[];
  readonly #entries = new Map<string, Entry>();

  private constructor(options: QueryRunnerOptions, slots: number, file: ActiveQueryFile | undefined) {
    const {maxConcurrent, registry, threads, entry} = options;
    this.#options = options;
    this.#gate = new Gate(slots);
    this.#metrics = runnerMetrics(registry);
    this.#metrics.max.set(maxConcurrent);
    this.#board = QueryBoard.withSlots(slots);
    this.#free = Array.from({length: slots}, (_, i) => slots - 1 - i);
    this.#pool = new WorkerPool({
      threads: threads ?? defaultThreads(),
      entry: entry ?? ENTRY,
      board: this.#board,
      rpc: rpcMetrics(registry, "client"),
    });
    this.#file = file;
  }

  /** Starts nothing but the file of running queries; says what the process before left in it. */
  static open(options: QueryRunnerOptions): QueryRunner {
    const {activePath, maxConcurrent, logger} = options;
    const slots = maxConcurrent > 0 ? maxConcurrent : MOST_QUERIES;
    const file = activePath === undefined ? undefined : ActiveQueryFile.open(activePath, slots);
    if (file !== undefined && file.left.length > 0) {
      // Compat: Prometheus' words, by which operators look for it.
      logger.info("These queries didn't finish in prometheus' last run:", {queries: JSON.stringify(file.left)});
    }
    return new QueryRunner(options, slots, file);
  }

  /** Queries that run, and that wait for their turn. */
  get running(): number {
    return this.#gate.running;
  }

  get waiting(): number {
    return this.#gate.waiting;
  }

  /** Lets one worker compile what queries need. */
  warmUp(): void {
    this.#pool.warmUp();
  }

  /** Waits for the query's turn and runs it; its place is taken until the answer is read to its end or left. */
  async run(job: Job, caller: QueryCaller): Promise<QueryAnswer> {
    const {timeoutMs, signal} = caller;
    const entry = this.#enter(job, caller);
    const leave = (): void => entry.abort.abort(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, {once: true});
    const timer = setTimeout(() => entry.abort.abort(timedOut()), timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
      this.#entries.delete(entry.id);
    };
    try {
      await this.#admit(entry);
    } catch (err) {
      done();
      throw err;
    }
    const slot = entry.slot as number;
    const queued = (Date.now() - entry.startedMs) / 1000;
    const run = new QueryRun({
      pool: this.#pool,
      board: this.#board,
      slot,
      job,
      planner: caller.planner,
      graceMs: this.#options.graceMs ?? GRACE_MS,
      queued,
      signal: entry.abort.signal,
    });
    void run.over.then(() => {
      done();
      this.#log(entry, run.failure);
      this.#file?.leave(slot);
      this.#free.push(slot);
      this.#metrics.inFlight.dec();
      this.#gate.leave();
    });
    return run.start();
  }

  /** All queries, the oldest first. */
  active(): readonly ActiveQuery[] {
    const now = Date.now();
    return [...this.#entries.values()].map(({id, job, tenant, startedMs, slot}) => {
      const {samples, bytes, peakBytes} = this.#progress(slot);
      return {
        id,
        query: job.query,
        state: slot === undefined ? "waiting" : "running",
        ...job.params,
        tenant,
        startedMs,
        ageMs: now - startedMs,
        samples,
        memoryBytes: bytes,
        peakMemoryBytes: peakBytes,
      };
    });
  }

  /** Ends a query; false when there is none of that id. */
  kill(id: string): boolean {
    const entry = this.#entries.get(id);
    entry?.abort.abort(new StrataError("canceled", `query ${id} was killed through the API`));
    return entry !== undefined;
  }

  /** Ends all threads; what still runs fails. */
  async close(): Promise<void> {
    await this.#pool.close();
    this.#file?.close();
  }

  #enter(job: Job, {tenant}: QueryCaller): Entry {
    const startedMs = Date.now();
    const entry = {id: newUlid(startedMs), job, tenant, startedMs, abort: new AbortController(), slot: undefined};
    this.#entries.set(entry.id, entry);
    return entry;
  }

  async #admit(entry: Entry): Promise<void> {
    this.#metrics.total.inc();
    const stop = this.#metrics.seconds.startTimer();
    try {
      await this.#gate.enter(entry.abort.signal);
    } finally {
      stop();
    }
    this.#metrics.inFlight.inc();
    entry.slot = this.#free.pop() as number;
    this.#file?.enter(entry.slot, entry.job.query, Date.now());
  }

  #progress(slot: number | undefined) {
    return slot === undefined ? {samples: 0, bytes: 0, peakBytes: 0} : this.#board.progress(slot);
  }

  #log(entry: Entry, failure: StrataError | undefined): void {
    const {logger, logSlowMs = 0, logLargeBytes = 0} = this.#options;
    const ms = Date.now() - entry.startedMs;
    const {samples, peakBytes} = this.#progress(entry.slot);
    const slow = logSlowMs > 0 && ms >= logSlowMs;
    const large = logLargeBytes > 0 && peakBytes >= logLargeBytes;
    if (!slow && !large) return;
    const {start, end, step} = entry.job.params;
    logger.info(slow ? "slow query" : "expensive query", {
      id: entry.id,
      query: entry.job.query,
      start,
      end,
      step,
      tenant: entry.tenant,
      seconds: ms / 1000,
      samples,
      peak_bytes: peakBytes,
      ...(failure === undefined ? {} : {err: errorText(failure)}),
    });
  }
}

const timedOut = (): StrataError => new StrataError("timeout", "query timed out in expression evaluation");

type RunnerMetrics = ReturnType<typeof runnerMetrics>;
const runnerMetrics = (r: Registry) => ({
  max: r.gauge({name: "thanos_query_concurrent_gate_queries_max", help: "Queries that may run at once."}),
  inFlight: r.gauge({name: "thanos_query_concurrent_gate_queries_in_flight", help: "Queries that run."}),
  total: r.counter({name: "thanos_query_concurrent_gate_queries_total", help: "Queries that came to the gate."}),
  seconds: r.histogram({
    name: "thanos_query_concurrent_gate_queries_duration_seconds",
    help: "How long queries waited for their turn.",
    buckets: [0.01, 0.05, 0.1, 0.25, 0.6, 1, 2, 3.5, 5, 10],
  }),
});
