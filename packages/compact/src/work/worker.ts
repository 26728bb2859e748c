import {parentPort} from "node:worker_threads";
import {toWireError} from "@strata/base";
import type {FromWorker, Job} from "./messages.ts";
import {runJob} from "./run-job.ts";

// The entry of a worker thread: one job after the other.
parentPort?.on("message", (job: Job) => {
  const send = (message: FromWorker): void => parentPort?.postMessage(message);
  runJob(job).then(
    (result) => send({kind: "result", result}),
    (err: unknown) => send({kind: "failed", error: toWireError(err)}),
  );
});
