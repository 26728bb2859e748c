import {availableParallelism} from "node:os";
import {setFlagsFromString} from "node:v8";
import {type MessagePort, Worker} from "node:worker_threads";
import {errorText, StrataError} from "@strata/base";
import type {FromWorker, ToWorker} from "./messages.ts";

/** A worker that no one uses is ended after this long, beyond those that stay warm. */
const IDLE_MS = 60_000;

/**
 * MB of old space before a worker's first full collections. PERF: left to itself the heap is sized by its 15 MB of live
 * objects, and the batches that stream through make V8 mark it all once a query: a fifth of a querier's CPU time.
 */
const INITIAL_OLD_SPACE_MB = 64;

/** One worker on loan: it runs one job. `release` gives it back, `kill` ends the thread in the middle of whatever it does. */
export type Loan = {
  send(message: ToWorker, transfer?: MessagePort[]): void;
  /** Called with every message of the worker, and once with an error when its thread ends by itself. */
  listen(onMessage: (message: FromWorker) => void, onEnd: (err: StrataError) => void): void;
  release(): void;
  kill(): void;
};

type Seat = {readonly worker: Worker; idle: NodeJS.Timeout | undefined; listener: Listener | undefined};
type Listener = {readonly onMessage: (m: FromWorker) => void; readonly onEnd: (err: StrataError) => void};
type Waiter = {resolve(loan: Loan): void; reject(err: unknown): void};

/**
 * At most `size` query workers, started when needed. Jobs beyond that wait their turn, first come first served. One job
 * a worker: a heavy query shares no thread with a cheap one, the scheduler of the machine is fair to both.
 */
export class WorkerPool {
  readonly #size: number;
  readonly #entry: URL;
  readonly #seats = new Set<Seat>();
  readonly #free: Seat[] = [];
  readonly #waiting: Waiter[] = [];
  #closed = false;

  constructor(size: number, entry: URL) {
    this.#size = size;
    this.#entry = entry;
  }

  /** Jobs that wait for a worker. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Jobs that have one. */
  get busy(): number {
    return this.#seats.size - this.#free.length;
  }

  /** A worker for one job; waits while all are busy. */
  borrow(signal: AbortSignal): Promise<Loan> {
    if (this.#closed) return Promise.reject(new StrataError("unavailable", "the querier is shutting down"));
    const seat = this.#free.pop();
    if (seat !== undefined) return Promise.resolve(this.#lend(seat));
    if (this.#seats.size < this.#size) return Promise.resolve(this.#lend(this.#start()));
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        resolve: (loan) => {
          signal.removeEventListener("abort", leave);
          resolve(loan);
        },
        reject,
      };
      signal.addEventListener("abort", leave, {once: true});
      this.#waiting.push(waiter);
    });
  }

  /** Ends all workers; what still runs fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const err = new StrataError("unavailable", "the querier is shutting down");
    for (const waiter of this.#waiting.splice(0)) waiter.reject(err);
    await Promise.all([...this.#seats].map((seat) => seat.worker.terminate()));
  }

  #start(): Seat {
    // Read when a heap is made: of those that exist none is changed by it.
    setFlagsFromString(`--initial-old-space-size=${INITIAL_OLD_SPACE_MB}`);
    const worker = new Worker(this.#entry);
    const seat: Seat = {worker, idle: undefined, listener: undefined};
    this.#seats.add(seat);
    worker.on("message", (message: FromWorker) => seat.listener?.onMessage(message));
    let reason = "its thread was ended";
    worker.on("error", (err) => {
      reason = errorText(err);
    });
    worker.on("exit", () => {
      this.#forget(seat);
      seat.listener?.onEnd(new StrataError("internal", `query worker ended: ${reason}`));
    });
    return seat;
  }

  #lend(seat: Seat): Loan {
    clearTimeout(seat.idle);
    seat.worker.ref();
    return {
      send: (message, transfer = []) => seat.worker.postMessage(message, transfer),
      listen: (onMessage, onEnd) => {
        seat.listener = {onMessage, onEnd};
      },
      release: () => {
        seat.listener = undefined;
        this.#pass(seat);
      },
      kill: () => {
        this.#forget(seat);
        void seat.worker.terminate();
      },
    };
  }

  /** Gives a free worker to the first who waits, else parks it. */
  #pass(seat: Seat): void {
    if (!this.#seats.has(seat)) return;
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#park(seat);
    else waiter.resolve(this.#lend(seat));
  }

  #park(seat: Seat): void {
    this.#free.push(seat);
    // A parked worker does not keep the process alive.
    seat.worker.unref();
    if (this.#free.length <= availableParallelism()) return;
    seat.idle = setTimeout(() => {
      this.#forget(seat);
      void seat.worker.terminate();
    }, IDLE_MS);
    seat.idle.unref();
  }

  /** Takes a worker out; where jobs wait, another one is started in its place. */
  #forget(seat: Seat): void {
    if (!this.#seats.delete(seat)) return;
    clearTimeout(seat.idle);
    const at = this.#free.indexOf(seat);
    if (at >= 0) this.#free.splice(at, 1);
    if (this.#closed || this.#waiting.length === 0) return;
    this.#waiting.shift()?.resolve(this.#lend(this.#start()));
  }
}
