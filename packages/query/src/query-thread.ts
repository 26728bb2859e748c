import {setFlagsFromString} from "node:v8";
import type {Worker} from "node:worker_threads";
import {errorText, StrataError, startThread} from "@strata/base";
import {GRPC_CODE, type RpcMetrics, RpcReplay} from "@strata/storeapi";
import type {FromQuery, FromWorker, ToWorker, WorkerData} from "./messages.ts";

/**
 * MB of old space before a worker's first full collections. PERF: left to itself the heap is sized by its 15 MB of live
 * objects, and the batches that stream through make V8 mark it all once a query: a fifth of a querier's CPU time.
 */
const INITIAL_OLD_SPACE_MB = 64;

/** Where a query hears of its worker. */
export type QueryListener = {
  receive(message: FromQuery): void;
  /** The thread has ended, and whatever it did with it. Nothing follows. */
  lost(err: StrataError): void;
};

/** One worker thread and the queries that run on it. */
export class QueryThread {
  readonly #worker: Worker;
  readonly #rpc: RpcReplay;
  readonly #queries = new Map<number, QueryListener>();
  /** Called when no query runs any more, with the bytes that the thread keeps. */
  onIdle: (keptBytes: number) => void = () => {};
  onEnd: () => void = () => {};
  #reason = "its thread was ended";

  constructor(entry: URL, data: WorkerData, rpc: RpcMetrics) {
    this.#rpc = new RpcReplay(rpc);
    // Read when a heap is made: of those that exist none is changed by it.
    setFlagsFromString(`--initial-old-space-size=${INITIAL_OLD_SPACE_MB}`);
    this.#worker = startThread(entry, {workerData: data});
    this.#worker.on("message", (messages: readonly FromWorker[]) => {
      for (const message of messages) this.#receive(message);
    });
    this.#worker.on("error", (err) => {
      this.#reason = errorText(err);
    });
    this.#worker.on("exit", () => this.#ended());
    this.#worker.unref();
  }

  /** How many queries run here. */
  get load(): number {
    return this.#queries.size;
  }

  /** From now on `listener` hears of the query of that number. */
  attach(query: number, listener: QueryListener): void {
    this.#queries.set(query, listener);
    // A thread without queries does not keep the process alive.
    this.#worker.ref();
  }

  detach(query: number): void {
    this.#queries.delete(query);
    if (this.#queries.size === 0) this.#worker.unref();
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Ends the thread in the middle of whatever it does; resolves once it has ended and its queries have heard of it. */
  async kill(reason: string): Promise<void> {
    this.#reason = reason;
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    if (message.kind === "rpc") this.#rpc.take(message.event);
    else if (message.kind === "idle") {
      if (this.load === 0) this.onIdle(message.bytes);
    } else this.#queries.get(message.query)?.receive(message);
  }

  #ended(): void {
    this.#rpc.end(GRPC_CODE.Canceled);
    this.onEnd();
    const err = new StrataError("internal", `query worker ended: ${this.#reason}`);
    const lost = [...this.#queries.values()];
    this.#queries.clear();
    for (const listener of lost) listener.lost(err);
  }
}
