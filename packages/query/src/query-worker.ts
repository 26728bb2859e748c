import {parentPort, workerData} from "node:worker_threads";
import {must, StrataError} from "@strata/base";
import {execute, writeResultJson} from "@strata/engine";
import {kernel} from "@strata/kernels";
import {parseExpr} from "@strata/promql";
import {ConnectionCache, relayedRpcMetrics} from "@strata/storeapi";
import {enforceOnExpr} from "./enforce-tenancy.ts";
import type {FromWorker, Job, ToWorker, WorkerData} from "./messages.ts";
import {PlannedQueryable} from "./planned-queryable.ts";
import {QueryBoard} from "./query-board.ts";
import {resultMessages} from "./result-messages.ts";
import {warmUp} from "./warm-up.ts";
import {toWireError} from "./wire-error.ts";

/** The answer leaves in pieces of about this size, and so many of them are on the way at a time. */
const PIECE_BYTES = 256 * 1024;
const PIECES_AHEAD = 8;

const port = must(parentPort, "the query worker runs in a worker thread");
const board = new QueryBoard((workerData as WorkerData).board);
const connections = new ConnectionCache(relayedRpcMetrics((event) => send({kind: "rpc", event})));

type Running = {
  readonly query: number;
  readonly queryable: PlannedQueryable;
  readonly abort: AbortController;
  wanted: number;
  wake: (() => void) | undefined;
};
/** The queries that take turns here. */
const running = new Map<number, Running>();

port.on("message", (message: ToWorker) => {
  if (message.kind === "warm") return void warmUp();
  if (message.kind === "run") return begin(message.query, message.job, message.slot);
  const self = running.get(message.query);
  if (self === undefined) return;
  if (message.kind === "cancel") self.abort.abort(new StrataError("canceled", "query was canceled"));
  else if (message.kind === "more") self.wanted++;
  else return self.queryable.receive(message);
  self.wake?.();
});

function begin(query: number, job: Job, slot: number): void {
  const self: Running = {
    query,
    queryable: new PlannedQueryable(query, job.shard, connections, send),
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
    const started = performance.now();
    const asked = parseExpr(job.query, job.parse);
    const expr = job.tenant === undefined ? asked : enforceOnExpr(asked, job.tenant);
    const parsed = performance.now();
    const progress = (samples: number, bytes: number, peakBytes: number): boolean => {
      board.report(slot, {samples, bytes, peakBytes});
      return !board.stopped(slot);
    };
    const result = await execute(expr, job.params, queryable, {...job.options, progress}, signal);
    const done = performance.now();
    send({
      kind: "answer",
      query,
      resultType: result.type,
      annotations: [...result.warnings, ...result.infos],
      warnings: queryable.warnings,
      stats: result.stats,
      preparation: (parsed - started) / 1000,
      evaluation: (done - parsed) / 1000,
    });
    const {messageSeries} = job;
    const pieces =
      messageSeries === undefined ? gathered(writeResultJson(result)) : resultMessages(result, messageSeries);
    for (const piece of pieces) {
      while (self.wanted === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          self.wake = resolve;
        });
      }
      signal.throwIfAborted();
      self.wanted--;
      send({kind: "piece", query, piece}, [piece.buffer]);
    }
  } catch (err) {
    last = {kind: "failed", query, error: toWireError(err)};
  }
  running.delete(query);
  send(last);
  if (running.size === 0) send({kind: "idle", bytes: kernel().memoryBytes});
}

/** Joins small pieces; each result owns its buffer, so that it can be transferred. */
function* gathered(pieces: Iterable<Uint8Array>): Generator<Uint8Array<ArrayBuffer>> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const join = (): Uint8Array<ArrayBuffer> => {
    const out = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    parts = [];
    size = 0;
    return out;
  };
  for (const piece of pieces) {
    parts.push(piece);
    size += piece.length;
    if (size >= PIECE_BYTES) yield join();
  }
  if (size > 0) yield join();
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
