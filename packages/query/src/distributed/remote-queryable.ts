import {type ByteBudget, errorCode, errorText, StrataError} from "@strata/base";
import {compareLabels} from "@strata/model";
import {type Expr, resolveDurations, transform} from "@strata/promql";
import {thanos} from "@strata/proto";
import {
  AGGREGATE,
  BATCH_SERIES,
  type Caller,
  type Select,
  type Selectable,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";
import {type Connection, type ConnectionCache, GRPC_CODE, toGrpcStatus} from "@strata/storeapi";
import {distribute, ENGINE_LABEL, REMOTE_LABEL, type Remote} from "./distribute.ts";
import type {Federation} from "./engines.ts";
import {type RemoteSeries, remoteSeries, type Times} from "./remote-series.ts";

/** What a query needs to know to leave parts of itself to other queriers; plain, for it crosses threads. */
export type RemoteJob = {
  readonly federation: Federation;
  readonly replicaLabels: readonly string[];
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
  readonly timeoutMs: number;
  readonly maxResolution: number;
  readonly partialResponse: boolean;
  readonly caller: Caller;
};

/** A source over stores, extended by the answers of other queriers to parts of one query. */
export class RemoteQueryable implements Selectable {
  readonly #stores: Selectable & {readonly warnings: readonly string[]};
  readonly #job: RemoteJob;
  readonly #connections: ConnectionCache;
  readonly #warnings = new Set<string>();
  #remotes: readonly Remote[] = [];
  #times: Times = {start: 0, end: 0, step: 0};

  constructor(
    stores: Selectable & {readonly warnings: readonly string[]},
    job: RemoteJob,
    connections: ConnectionCache,
  ) {
    this.#stores = stores;
    this.#job = job;
    this.#connections = connections;
  }

  get warnings(): readonly string[] {
    return [...new Set([...this.#stores.warnings, ...this.#warnings])];
  }

  /** The query as it is to be evaluated here: other queriers' answers in place of what they are asked. */
  distribute(asked: Expr, times: Times): Expr {
    const {federation, replicaLabels, lookbackMs, subqueryStepMs} = this.#job;
    const durations = {step: times.step, range: times.end - times.start};
    // What depends on this querier's flags is said in the query.
    const expr = transform(resolveDurations(asked, durations), (node) =>
      node.kind === "subquery" && node.step === 0 ? {...node, step: subqueryStepMs} : node,
    );
    const span = {mint: times.start, maxt: times.end};
    const distributed = distribute(expr, {federation, replicaLabels, times: span, lookbackMs});
    this.#remotes = distributed.remotes;
    this.#times = times;
    return distributed.expr;
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    const [mark] = q.matchers;
    const remote = mark?.name === REMOTE_LABEL ? this.#remotes[Number(mark.value)] : undefined;
    if (remote === undefined) yield* this.#stores.select(q, signal);
    else yield* this.#ask(remote, q.budget, signal);
  }

  /** All answers to one question, in label order. They are results: what is held is what the query holds anyway. */
  async *#ask(remote: Remote, budget: ByteBudget, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    const abort = new AbortController();
    const all = AbortSignal.any([signal, abort.signal]);
    let held = 0;
    const hold = (bytes: number): void => {
      budget.take(bytes, "answers of other queriers");
      held += bytes;
    };
    try {
      const answers = await Promise.all(
        remote.targets.map((alike, i) => {
          const tag = remote.tagged ? ([ENGINE_LABEL, String(i)] as const) : undefined;
          return this.#askAny(remote.query, alike, tag, hold, all);
        }),
      );
      const series = answers.flat().sort((a, b) => compareLabels(a.labels, b.labels));
      const out = new SeriesBatchBuilder();
      for (const {labels, chunks} of series) {
        out.startSeries(labels);
        for (const c of chunks) out.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
        if (out.series >= BATCH_SERIES) yield out.finish();
      }
      if (!out.empty) yield out.finish();
    } finally {
      budget.give(held);
      abort.abort(new StrataError("canceled", "cannot go on: the question is answered"));
    }
  }

  /** The answer of the first of several queriers alike that gives one. */
  async #askAny(
    query: string,
    alike: readonly Connection[],
    tag: readonly [string, string] | undefined,
    hold: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<RemoteSeries[]> {
    for (const [i, connection] of alike.entries()) {
      try {
        return await this.#askOne(query, connection, tag, hold, signal);
      } catch (err) {
        signal.throwIfAborted();
        if (!isAway(err)) throw err;
        const text = `remote query error (${connection.address}): ${errorText(err)}`;
        if (i < alike.length - 1) continue;
        if (!this.#job.partialResponse) throw new StrataError(errorCode(err), text, {cause: err});
        this.#warnings.add(text);
      }
    }
    return [];
  }

  async #askOne(
    query: string,
    connection: Connection,
    tag: readonly [string, string] | undefined,
    hold: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<RemoteSeries[]> {
    const {address} = connection;
    const series: RemoteSeries[] = [];
    const warnings: string[] = [];
    let complete = false;
    for await (const group of this.#call(query, connection, signal)) {
      for (const bytes of group) {
        const {warnings: text, timeseries, timeseriesBatch, stats} = thanos.QueryResponse.decode(bytes);
        if (text) warnings.push(text);
        complete ||= stats !== undefined;
        for (const one of [...(timeseries === undefined ? [] : [timeseries]), ...(timeseriesBatch?.series ?? [])]) {
          const made = remoteSeries(one, tag, this.#times);
          hold(made.bytes);
          series.push(made);
        }
      }
    }
    // Without the statistics at its end an answer is the tale of its failure.
    if (!complete) throw new StrataError("execution", `remote query error (${address}): ${warnings.join(", ")}`);
    for (const text of warnings) this.#warnings.add(`remote query warning (${address}): ${text}`);
    return series;
  }

  #call(query: string, connection: Connection, signal: AbortSignal): AsyncIterable<readonly Buffer[]> {
    const {timeoutMs, maxResolution, partialResponse, replicaLabels, lookbackMs, caller} = this.#job;
    const {start, end, step} = this.#times;
    const common = {
      query,
      timeoutSeconds: Math.ceil(timeoutMs / 1000),
      maxResolutionSeconds: Math.floor(maxResolution / 1000),
      replicaLabels,
      enableDedup: true,
      enablePartialResponse: partialResponse,
      lookbackDeltaSeconds: lookbackMs / 1000,
      responseBatchSize: BATCH_SERIES,
    };
    const client = this.#connections.queryClient(connection);
    if (step === 0) {
      // Thanos knows whole seconds only, and says so of its own distributed queries.
      const time = {timeSeconds: Math.floor(start / 1000), timeMilliseconds: start};
      return client.query({...common, ...time}, caller, signal);
    }
    const times = {startTimeSeconds: start / 1000, endTimeSeconds: end / 1000, intervalSeconds: step / 1000};
    return client.queryRange({...common, ...times}, caller, signal);
  }
}

/** Whether there was nobody to answer, rather than a query that cannot be answered. */
function isAway(err: unknown): boolean {
  const {code} = toGrpcStatus(err);
  return code === GRPC_CODE.Unavailable || code === GRPC_CODE.DeadlineExceeded || code === GRPC_CODE.Unimplemented;
}
