import {availableParallelism} from "node:os";
import type {Worker} from "node:worker_threads";
import {startThread} from "@strata/base";

const ENTRY = new URL("./worker.ts", import.meta.url);

let spare: Worker | undefined;

/** A thread for jobs. It keeps no process alive; one that fails while it has no job is forgotten. */
export function newWorkThread(): Worker {
  const worker = startThread(ENTRY);
  worker.unref();
  worker.on("error", () => {});
  return worker;
}

/**
 * Starts the first thread of the next pool of work. PERF: called before the compactor's own modules are loaded, both are
 * loaded at once on two cores, and the second merge of a short run begins 0.15 s earlier.
 */
export function startSpareThread(): void {
  if (spare !== undefined || availableParallelism() < 2) return;
  const worker = newWorkThread();
  spare = worker;
  worker.once("exit", () => {
    if (spare === worker) spare = undefined;
  });
}

/** The spare thread, which is then the caller's to end. */
export function takeSpareThread(): Worker | undefined {
  const taken = spare;
  spare = undefined;
  return taken;
}
