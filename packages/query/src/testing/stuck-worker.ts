import {parentPort} from "node:worker_threads";
import {must} from "@strata/base";
import type {FromWorker, ToWorker} from "../messages.ts";

// Stands in for a query worker: the query "stuck" never looks at its flag again, any other asks for a selection and answers
// `[]` once that is planned; a refusal it takes for no answer.
const port = must(parentPort, "runs in a worker thread");
const send = (message: FromWorker): void => port.postMessage([message]);

port.on("message", (message: ToWorker) => {
  if (message.kind === "run" && message.job.query === "stuck") for (;;);
  if (message.kind === "run") {
    const q = {matchers: [], mint: 0, maxt: 1, step: 0, range: 0, func: "", maxResolution: 0, aggregates: [0]} as const;
    const rest = {withoutReplicaLabels: [], skipChunks: false, limit: 0, partialResponse: false};
    send({kind: "select", query: message.query, select: 0, q: {...q, ...rest}});
  } else if (message.kind === "planned") {
    const {query} = message;
    const stats = {totalQueryableSamples: 0, samplesRead: 0, samplesDecoded: 0, peakSamples: 0};
    const times = {analysis: undefined, preparation: 0, evaluation: 0};
    send({kind: "answer", query, resultType: "vector", annotations: [], warnings: [], stats, ...times});
    send({kind: "piece", query, piece: Buffer.from("[]")});
    send({kind: "piece", query, piece: undefined});
  }
});
