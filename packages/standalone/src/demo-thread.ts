import {StrataError, startThread} from "@strata/base";
import type {DemoHistory} from "./demo-history.ts";

export type DemoJob = {
  /** For the newest two days, and for the year before them. */
  readonly recentDir: string;
  readonly yearDir: string;
  /** ms. */
  readonly now: number;
};
export type WrittenDemo = {readonly recent: DemoHistory; readonly year: DemoHistory};

/**
 * Writes the demo history on a thread of its own: probes answer meanwhile, other parts start, and its memory goes with it
 * (90 MB of heap that an idle process would keep).
 */
export async function writeDemoApart(job: DemoJob, signal: AbortSignal): Promise<WrittenDemo> {
  signal.throwIfAborted();
  const {promise, resolve, reject} = Promise.withResolvers<WrittenDemo>();
  const worker = startThread(new URL("./demo-worker.ts", import.meta.url), {workerData: job});
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", (code) => reject(new StrataError("internal", `the demo's thread ended with ${code}`)));
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, {once: true});
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
