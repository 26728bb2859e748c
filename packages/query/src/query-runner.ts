import {StrataError} from "@strata/base";
import type {QueryAnswer} from "@strata/web";
import {Mailbox} from "./mailbox.ts";
import type {FromWorker, Job} from "./messages.ts";
import {SelectServer, type StreamOpener} from "./select-server.ts";
import {fromWireError, toWireError} from "./wire-error.ts";
import type {Loan, WorkerPool} from "./worker-pool.ts";

/** A worker that does not obey a cancellation within this long is ended. */
const CANCEL_GRACE_MS = 5000;

/**
 * Runs one job on a worker: serves its selections from `open`, gives its answer. Aborting `signal` cancels the query, and
 * ends the thread where it does not listen. The worker is busy until the answer's JSON is read to its end or left.
 */
export async function runJob(
  pool: WorkerPool,
  job: Job,
  open: StreamOpener,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const asked = performance.now();
  const loan = await pool.borrow(signal);
  const run = new Run(loan, open, (performance.now() - asked) / 1000, signal);
  return run.start(job);
}

class Run {
  readonly #loan: Loan;
  readonly #signal: AbortSignal;
  readonly #selects: SelectServer;
  readonly #queued: number;
  readonly #pieces = new Mailbox<Uint8Array>();
  readonly #answer = Promise.withResolvers<QueryAnswer>();
  readonly #onAbort = (): void => this.#cancel();
  #grace: NodeJS.Timeout | undefined;
  #ended = false;

  /** `queued`: seconds it waited for the worker. */
  constructor(loan: Loan, open: StreamOpener, queued: number, signal: AbortSignal) {
    this.#loan = loan;
    this.#queued = queued;
    this.#signal = signal;
    this.#selects = new SelectServer(open, (message, transfer) => loan.send(message, transfer), signal);
  }

  start(job: Job): Promise<QueryAnswer> {
    this.#loan.listen(
      (message) => this.#receive(message),
      (err) => this.#end(err, false),
    );
    this.#signal.addEventListener("abort", this.#onAbort, {once: true});
    this.#loan.send({kind: "run", job});
    if (this.#signal.aborted) this.#cancel();
    return this.#answer.promise;
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "select":
        this.#selects.open(message.select, message.q);
        return;
      case "close":
        this.#selects.close(message.select);
        return;
      case "answer": {
        const {resultType, annotations, warnings, stats, preparation, evaluation} = message;
        this.#answer.resolve({
          resultType,
          annotations,
          warnings,
          result: this.#json(),
          stats: {
            timings: {
              evalTotalTime: preparation + evaluation,
              resultSortTime: 0,
              queryPreparationTime: preparation,
              innerEvalTime: evaluation,
              execQueueTime: this.#queued,
              execTotalTime: this.#queued + preparation + evaluation,
            },
            samples: {totalQueryableSamples: stats.totalQueryableSamples, peakSamples: stats.peakSamples},
          },
        });
        return;
      }
      case "piece":
        if (message.piece === undefined) this.#end(undefined, true);
        else this.#pieces.put(message.piece);
        return;
      case "failed":
        this.#end(fromWireError(message.error), true);
        return;
    }
  }

  /** The answer's pieces as the worker makes them; leaving the loop early cancels the rest. */
  async *#json(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = await this.#pieces.next();
        if (piece === undefined) return;
        if (!this.#ended) this.#loan.send({kind: "more"});
        yield piece;
      }
    } finally {
      if (!this.#ended) this.#cancel();
    }
  }

  #cancel(): void {
    if (this.#ended || this.#grace !== undefined) return;
    const reason = this.#signal.aborted ? this.#signal.reason : new StrataError("canceled", "the client left");
    this.#loan.send({kind: "cancel", error: toWireError(reason)});
    this.#grace = setTimeout(() => {
      this.#loan.kill();
      this.#end(fromWireError(toWireError(reason)), false);
    }, CANCEL_GRACE_MS);
  }

  /** The worker is done, or gone: whoever waits learns it, and the worker goes back. */
  #end(err: StrataError | undefined, alive: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#grace);
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#selects.closeAll();
    this.#pieces.end(err);
    if (err !== undefined) this.#answer.reject(err);
    if (alive) this.#loan.release();
  }
}
