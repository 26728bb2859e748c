import {fromWireError, StrataError} from "@strata/base";
import {mergeBatches, type Select, type Selectable, type SeriesBatch} from "@strata/series";
import {type ConnectionCache, openPlan, type StorePlan, storeBatches} from "@strata/storeapi";
import type {FanoutLog} from "./fanout-log.ts";
import type {Job, ToWorker} from "./messages.ts";
import type {Outbox} from "./outbox.ts";
import {proxyError} from "./proxy-error.ts";

/** Made once: most streams that are told of it have ended, and a stack trace costs as much as a small batch. */
const SELECT_OVER = new StrataError("canceled", "cannot go on: the select is over");

type Planning = {resolve(plans: readonly StorePlan[]): void; reject(err: Error): void};

/**
 * All endpoints as one query in a worker sees them: the main thread says whom to ask, the calls are made and their
 * streams parsed and merged here.
 */
export class PlannedQueryable implements Selectable {
  readonly #query: number;
  readonly #shard: Job["shard"];
  readonly #connections: ConnectionCache;
  readonly #outbox: Outbox;
  readonly #fanout: FanoutLog | undefined;
  readonly #planner: ((q: Select) => readonly StorePlan[]) | undefined;
  readonly #planning = new Map<number, Planning>();
  readonly #warnings = new Set<string>();
  #next = 0;

  /** `fanout`: where what endpoints give is counted. `planner`: plans here; without it the main thread is asked. */
  constructor(
    query: number,
    shard: Job["shard"],
    connections: ConnectionCache,
    outbox: Outbox,
    fanout: FanoutLog | undefined,
    planner?: ((q: Select) => readonly StorePlan[]) | undefined,
  ) {
    this.#planner = planner;
    this.#query = query;
    this.#fanout = fanout;
    this.#shard = shard;
    this.#connections = connections;
    this.#outbox = outbox;
  }

  /** What endpoints warned of so far. They are kept out of the batches, for they are no annotations of PromQL. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    for await (const batch of this.batches(q, signal)) {
      for (const text of batch.warnings) this.#warnings.add(text);
      yield batch.warnings.length === 0 ? batch : {...batch, warnings: []};
    }
  }

  /** As `select`, but with endpoints' warnings in the batches. */
  async *batches(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    // What is left of the streams when one fails or the consumer stops has to end, too.
    const abort = new AbortController();
    const all = AbortSignal.any([signal, abort.signal]);
    try {
      const plans = await this.#plans(q, signal);
      const noted = this.#fanout?.select(q.matchers);
      const inputs = plans.map((plan) => {
        const log = noted?.(plan.connection.address);
        const frames = openPlan(this.#connections.client(plan.connection), plan, all, () =>
          this.#outbox.later({kind: "empty", query: this.#query}),
        );
        const batches = storeBatches(log?.frames(frames) ?? frames, plan.options, q.budget);
        return log?.batches(batches) ?? batches;
      });
      yield* mergeBatches(inputs, {limit: q.limit});
    } catch (err) {
      throw proxyError(err, "Series", "expanding series: ");
    } finally {
      abort.abort(SELECT_OVER);
    }
  }

  /** Takes what the main thread says about selections. */
  receive(message: Extract<ToWorker, {kind: "planned" | "refused"}>): void {
    const planning = this.#planning.get(message.select);
    if (message.kind === "refused") planning?.reject(fromWireError(message.error));
    else planning?.resolve(message.plans);
  }

  async #plans(q: Select, signal: AbortSignal): Promise<readonly StorePlan[]> {
    signal.throwIfAborted();
    const shard = q.shard ?? this.#shard;
    if (this.#planner !== undefined) return this.#planner({...q, shard});
    const select = this.#next++;
    const {budget: _, caller: __, matchers, ...rest} = q;
    const planning = Promise.withResolvers<readonly StorePlan[]>();
    const leave = (): void =>
      planning.reject(new StrataError("canceled", "query was canceled", {cause: signal.reason}));
    signal.addEventListener("abort", leave, {once: true});
    this.#planning.set(select, planning);
    try {
      const wired = matchers.map(({name, op, value}) => ({name, op, value}));
      this.#outbox.send({kind: "select", query: this.#query, select, q: {...rest, matchers: wired, shard}});
      return await planning.promise;
    } finally {
      signal.removeEventListener("abort", leave);
      this.#planning.delete(select);
    }
  }
}
