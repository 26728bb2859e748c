import {availableParallelism} from "node:os";
import {StrataError} from "@strata/base";
import type {RpcMetrics} from "@strata/storeapi";
import type {QueryBoard} from "./query-board.ts";
import {QueryThread} from "./query-thread.ts";

/** As many threads as cores; two at the least, so that one query's computation never stops all others. */
export const defaultThreads = (): number => Math.max(2, availableParallelism());

/** A thread that has nothing to do and keeps more than this is ended; the next query starts another one. */
const KEPT_BYTES = 256 * 2 ** 20;

export type WorkerPoolOptions = {
  readonly threads: number;
  readonly entry: URL;
  readonly board: QueryBoard;
  readonly rpc: RpcMetrics;
};

/**
 * A fixed number of query workers, started when needed. Each runs several queries, which take turns at batch boundaries;
 * a query goes to the one that has fewest.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #threads = new Set<QueryThread>();
  #closed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Threads that live. */
  get size(): number {
    return this.#threads.size;
  }

  /** The thread for one more query. */
  pick(): QueryThread {
    if (this.#closed) throw new StrataError("unavailable", "the querier is shutting down");
    const [least] = [...this.#threads].sort((a, b) => a.load - b.load);
    if (least !== undefined && (least.load === 0 || this.#threads.size >= this.#options.threads)) return least;
    return this.#start();
  }

  /** Starts the first thread and lets it compile what queries need. */
  warmUp(): void {
    if (!this.#closed) this.pick().send({kind: "warm"});
  }

  /** Ends all threads; what still runs on them fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => thread.kill("the querier is shutting down")));
  }

  #start(): QueryThread {
    const {entry, board, rpc} = this.#options;
    const thread = new QueryThread(entry, {board: board.buffer}, rpc);
    thread.onEnd = () => this.#threads.delete(thread);
    thread.onIdle = (bytes) => {
      if (bytes <= KEPT_BYTES) return;
      this.#threads.delete(thread);
      void thread.kill("it kept too much memory");
    };
    this.#threads.add(thread);
    return thread;
  }
}
