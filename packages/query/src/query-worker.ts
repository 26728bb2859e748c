import {parentPort, workerData} from "node:worker_threads";
import {must, StrataError, toWireError} from "@strata/base";
import {kernel} from "@strata/kernels";
import {ConnectionCache, relayedRpcMetrics} from "@strata/storeapi";
import {RemoteQueryable} from "./distributed/remote-queryable.ts";
import {evaluateBatch} from "./evaluate-batch.ts";
import {evaluateJob} from "./evaluate-job.ts";
import {FanoutLog} from "./fanout-log.ts";
import type {FromWorker, Job, ToWorker, WorkerData} from "./messages.ts";
import {Outbox} from "./outbox.ts";
import {outlinePlanner} from "./outline-planner.ts";
import {PlannedQueryable} from "./planned-queryable.ts";
import {QueryBoard} from "./query-board.ts";
import {warmUp} from "./warm-up.ts";

/** So many pieces of an answer are on the way at a time. */
const PIECES_AHEAD = 8;

const port = must(parentPort, "the query worker runs in a worker thread");
const board = new QueryBoard((workerData as WorkerData).board);
const outbox = new Outbox((messages, transfer) => port.postMessage(messages, transfer));
const connections = new ConnectionCache(relayedRpcMetrics((event) => outbox.later({kind: "rpc", event})));

type Running = {
  readonly query: number;
  readonly queryable: PlannedQueryable;
  readonly fanout: FanoutLog;
  readonly abort: AbortController;
  wanted: number;
  wake: (() => void) | undefined;
};
/** The queries that take turns here. */
const running = new Map<number, Running>();

port.on("message", (message: ToWorker) => {
  if (message.kind === "warm") return void warmUp();
  if (message.kind === "run") return begin(message);
  const self = running.get(message.query);
  if (self === undefined) return;
  if (message.kind === "cancel") self.abort.abort(new StrataError("canceled", "query was canceled"));
  else if (message.kind === "more") self.wanted++;
  else return self.queryable.receive(message);
  self.wake?.();
});

function begin({query, job, slot, outline}: Extract<ToWorker, {kind: "run"}>): void {
  const planner = outline && outlinePlanner(outline, job.tenant);
  const fanout = new FanoutLog();
  const self: Running = {
    query,
    queryable: new PlannedQueryable(
      query,
      job.shard,
      connections,
      outbox,
      job.options.analyze ? fanout : undefined,
      planner,
    ),
    fanout,
    abort: new AbortController(),
    wanted: PIECES_AHEAD,
    wake: undefined,
  };
  running.set(query, self);
  void run(job, slot, self);
}

/** Runs one job to its end; whatever happens, the last message of it is a final piece or a failure. */
async function run(job: Job, slot: number, self: Running): Promise<void> {
  const {query, queryable} = self;
  const signal = self.abort.signal;
  let last: FromWorker = {kind: "piece", query, piece: undefined};
  try {
    const progress = (samples: number, bytes: number, peakBytes: number): boolean => {
      board.report(slot, {samples, bytes, peakBytes});
      return !board.stopped(slot);
    };
    const {remote} = job;
    const source = remote === undefined ? queryable : new RemoteQueryable(queryable, remote, connections);
    const batch = job.output?.kind === "batch" ? job.output : undefined;
    const {head, pieces} =
      batch === undefined
        ? await evaluateJob(job, source, progress, self.fanout, signal)
        : evaluateBatch(job, batch.queries, (q, stop) => queryable.batches(q, stop), progress, signal);
    outbox.hold({kind: "answer", query, ...head, warnings: source.warnings});
    for await (const piece of pieces) {
      while (self.wanted === 0 && !signal.aborted) {
        outbox.flush();
        await new Promise<void>((resolve) => {
          self.wake = resolve;
        });
      }
      signal.throwIfAborted();
      self.wanted--;
      outbox.hold({kind: "piece", query, piece}, piece.buffer);
      // What is ready early is worth a message of its own only where what follows may take long.
      if (batch !== undefined) outbox.flush();
    }
  } catch (err) {
    last = {kind: "failed", query, error: toWireError(err)};
  }
  running.delete(query);
  outbox.hold(last);
  if (running.size === 0) outbox.hold({kind: "idle", bytes: kernel().memoryBytes});
  outbox.flush();
}
