import type {MessagePort} from "node:worker_threads";
import {StrataError} from "@strata/base";
import {type LabelAnswer, mergeBatches, type Queryable, type Select, type SeriesBatch} from "@strata/series";
import {receiveFrames, storeBatches} from "@strata/storeapi";
import type {FromWorker, Job, OpenedStream, ToWorker} from "./messages.ts";
import {proxyError} from "./proxy-error.ts";
import {fromWireError} from "./wire-error.ts";

type Opening = {resolve(streams: readonly OpenedStream[]): void; reject(err: Error): void};

/**
 * All endpoints as a query worker sees them: selections go to the main thread, raw messages come back, and are parsed,
 * merged and joined here. Serves one job at a time.
 */
export class PortQueryable implements Queryable {
  readonly #port: MessagePort;
  readonly #shard: Job["shard"];
  readonly #opening = new Map<number, Opening>();
  readonly #warnings = new Set<string>();
  #next = 0;

  constructor(port: MessagePort, shard: Job["shard"]) {
    this.#port = port;
    this.#shard = shard;
  }

  /** What endpoints warned of so far. They are kept out of the batches, for they are no annotations of PromQL. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    const id = this.#next++;
    const {budget: _, matchers, ...rest} = q;
    const opened = Promise.withResolvers<readonly OpenedStream[]>();
    this.#opening.set(id, opened);
    const wired = matchers.map(({name, op, value}) => ({name, op, value}));
    this.#send({kind: "select", select: id, q: {...rest, matchers: wired, shard: q.shard ?? this.#shard}});
    const ports: MessagePort[] = [];
    const abort = (): void => {
      opened.reject(new StrataError("canceled", "query was canceled", {cause: signal.reason}));
      for (const port of ports) port.close();
    };
    signal.addEventListener("abort", abort, {once: true});
    try {
      const streams = await opened.promise;
      ports.push(...streams.map((s) => s.port));
      const inputs = streams.map((s) => storeBatches(receiveFrames(s.port), s.options, q.budget));
      for await (const batch of mergeBatches(inputs, {limit: q.limit})) {
        for (const text of batch.warnings) this.#warnings.add(text);
        yield batch.warnings.length === 0 ? batch : {...batch, warnings: []};
      }
    } catch (err) {
      throw proxyError(err, "Series", "expanding series: ");
    } finally {
      signal.removeEventListener("abort", abort);
      this.#opening.delete(id);
      this.#send({kind: "close", select: id});
    }
  }

  labelNames(): Promise<LabelAnswer> {
    throw new StrataError("internal", "BUG: a query worker asked for label names");
  }

  labelValues(): Promise<LabelAnswer> {
    throw new StrataError("internal", "BUG: a query worker asked for label values");
  }

  /** Takes what the main thread says about selections. */
  receive(message: Extract<ToWorker, {kind: "opened" | "refused"}>): void {
    const opening = this.#opening.get(message.select);
    if (message.kind === "refused") opening?.reject(fromWireError(message.error));
    else if (opening !== undefined) opening.resolve(message.streams);
    else for (const stream of message.streams) stream.port.close();
  }

  #send(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}
