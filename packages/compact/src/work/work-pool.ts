import type {Worker} from "node:worker_threads";
import {errorText, fromWireError, StrataError} from "@strata/base";
import type {FromWorker, Job, JobResult} from "./messages.ts";
import {newWorkThread, takeSpareThread} from "./spare-thread.ts";

/**
 * Threads for merging and downsampling, so that probes and metrics answer meanwhile. Started when needed, kept until
 * `close`; a job that is aborted ends its thread.
 */
export class WorkPool {
  readonly #inline: boolean;
  #atWorkInline = false;
  readonly #free: Worker[] = [];
  readonly #all = new Set<Worker>();
  #closed = false;

  /**
   * `inline` does jobs on the calling thread, and on others only what is to be done beside that: for a run with nothing
   * beside it, a thread of its own costs 100 MB and 0.2 s. Jobs give the event loop a turn between windows of a megabyte, so
   * that probes still answer.
   */
  constructor(inline = false) {
    this.#inline = inline;
    const spare = takeSpareThread();
    if (spare !== undefined) this.#free.push(this.#keep(spare));
  }

  /** Starts a thread ahead of the first job. */
  warmUp(): void {
    if (!this.#inline && this.#all.size === 0) this.#free.push(this.#keep(newWorkThread()));
  }

  /** Runs a job on a free thread, or on a new one: whoever calls bounds how many run at once. */
  async run(job: Job, signal: AbortSignal): Promise<JobResult> {
    signal.throwIfAborted();
    if (this.#closed) throw new StrataError("unavailable", "cannot start work: the compactor is closed");
    if (this.#inline && !this.#atWorkInline) return this.#runInline(job, signal);
    const worker = this.#free.pop() ?? this.#keep(newWorkThread());
    worker.ref();
    const done = Promise.withResolvers<JobResult>();
    const onMessage = (message: FromWorker): void => {
      if (message.kind === "result") done.resolve(message.result);
      else done.reject(fromWireError(message.error));
    };
    const onExit = (): void => done.reject(new StrataError("internal", "work thread ended in the middle of a job"));
    const onError = (err: unknown): void =>
      done.reject(new StrataError("internal", `work thread failed: ${errorText(err)}`, {cause: err}));
    const onAbort = (): void => {
      done.reject(signal.reason);
      void worker.terminate();
    };
    worker.on("message", onMessage).on("exit", onExit).on("error", onError);
    signal.addEventListener("abort", onAbort, {once: true});
    worker.postMessage(job);
    try {
      return await done.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      worker.off("message", onMessage).off("exit", onExit).off("error", onError);
      if (this.#all.has(worker) && !signal.aborted) {
        // Idle, it does not keep the process alive.
        worker.unref();
        this.#free.push(worker);
      }
    }
  }

  async #runInline(job: Job, signal: AbortSignal): Promise<JobResult> {
    this.#atWorkInline = true;
    try {
      return await (await import("./run-job.ts")).runJob(job, signal);
    } finally {
      this.#atWorkInline = false;
    }
  }

  /** Ends the threads that do nothing: between rounds, an idle one would keep some 60 MB. */
  async rest(): Promise<void> {
    await Promise.all(this.#free.splice(0).map((worker) => worker.terminate()));
  }

  /** Ends all threads. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#free.length = 0;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #keep(worker: Worker): Worker {
    this.#all.add(worker);
    worker.on("exit", () => {
      this.#all.delete(worker);
      const at = this.#free.indexOf(worker);
      if (at >= 0) this.#free.splice(at, 1);
    });
    return worker;
  }
}
