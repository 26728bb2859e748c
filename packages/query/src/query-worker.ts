import {parentPort} from "node:worker_threads";
import {must} from "@strata/base";
import {execute, writeResultJson} from "@strata/engine";
import {parseExpr} from "@strata/promql";
import {enforceOnExpr} from "./enforce-tenancy.ts";
import type {FromWorker, Job, ToWorker} from "./messages.ts";
import {PortQueryable} from "./port-queryable.ts";
import {resultMessages} from "./result-messages.ts";
import {fromWireError, toWireError} from "./wire-error.ts";

/** The answer leaves in pieces of about this size, and so many of them are on the way at a time. */
const PIECE_BYTES = 256 * 1024;
const PIECES_AHEAD = 8;

const port = must(parentPort, "the query worker runs in a worker thread");

type Running = {
  readonly queryable: PortQueryable;
  readonly abort: AbortController;
  wanted: number;
  wake: (() => void) | undefined;
};
let running: Running | undefined;

port.on("message", (message: ToWorker) => {
  switch (message.kind) {
    case "run":
      running = {
        queryable: new PortQueryable(port, message.job.shard),
        abort: new AbortController(),
        wanted: PIECES_AHEAD,
        wake: undefined,
      };
      void run(message.job, running);
      return;
    case "cancel":
      running?.abort.abort(fromWireError(message.error));
      running?.wake?.();
      return;
    case "more":
      if (running === undefined) return;
      running.wanted++;
      running.wake?.();
      return;
    case "opened":
    case "refused":
      if (running !== undefined) running.queryable.receive(message);
      else if (message.kind === "opened") for (const stream of message.streams) stream.port.close();
  }
});

/** Runs one job to its end; whatever happens, the last message is a final piece or a failure. */
async function run(job: Job, self: Running): Promise<void> {
  const signal = self.abort.signal;
  try {
    const started = performance.now();
    const asked = parseExpr(job.query, job.parse);
    const expr = job.tenant === undefined ? asked : enforceOnExpr(asked, job.tenant);
    const parsed = performance.now();
    const result = await execute(expr, job.params, self.queryable, job.options, signal);
    const done = performance.now();
    send({
      kind: "answer",
      resultType: result.type,
      annotations: [...result.warnings, ...result.infos],
      warnings: self.queryable.warnings,
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
      send({kind: "piece", piece}, [piece.buffer]);
    }
    running = undefined;
    send({kind: "piece", piece: undefined});
  } catch (err) {
    running = undefined;
    send({kind: "failed", error: toWireError(signal.aborted ? signal.reason : err)});
  }
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
