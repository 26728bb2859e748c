import type {MessagePort} from "node:worker_threads";
import {StrataError} from "@strata/base";
import {type LabelAnswer, mergeBatches, type Queryable, type Select, type SeriesBatch} from "@strata/series";
import {type FrameGroup, type StoreStreamOptions, storeBatches} from "@strata/storeapi";
import {Mailbox} from "./mailbox.ts";
import type {FromWorker, Job, ToWorker} from "./messages.ts";
import {fromWireError} from "./wire-error.ts";

type Stream = {readonly options: StoreStreamOptions; readonly mailbox: Mailbox<FrameGroup>};

/**
 * All endpoints as a query worker sees them: selections go to the main thread, raw messages come back, and are parsed,
 * merged and joined here. Serves one job at a time.
 */
export class PortQueryable implements Queryable {
  readonly #port: MessagePort;
  readonly #shard: Job["shard"];
  readonly #opening = new Map<number, {resolve(): void; reject(err: Error): void}>();
  readonly #streams = new Map<number, readonly Stream[]>();
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
    const opened = new Promise<void>((resolve, reject) => this.#opening.set(id, {resolve, reject}));
    const wired = matchers.map(({name, op, value}) => ({name, op, value}));
    const shard = q.shard ?? this.#shard;
    this.#send({kind: "select", select: id, q: {...rest, matchers: wired, shard}});
    const abort = (): void => this.#fail(id, new StrataError("canceled", "query was canceled", {cause: signal.reason}));
    signal.addEventListener("abort", abort, {once: true});
    try {
      await opened;
      const inputs = (this.#streams.get(id) ?? []).map((stream, i) =>
        storeBatches(this.#groups(id, i, stream), stream.options, q.budget),
      );
      for await (const batch of mergeBatches(inputs, {limit: q.limit})) {
        for (const text of batch.warnings) this.#warnings.add(text);
        yield batch.warnings.length === 0 ? batch : {...batch, warnings: []};
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#opening.delete(id);
      this.#streams.delete(id);
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
  receive(message: ToWorker): void {
    switch (message.kind) {
      case "opened":
        this.#streams.set(
          message.select,
          message.streams.map((options) => ({options, mailbox: new Mailbox()})),
        );
        this.#opening.get(message.select)?.resolve();
        return;
      case "refused":
        this.#opening.get(message.select)?.reject(fromWireError(message.error));
        return;
      case "frames":
        this.#streams.get(message.select)?.[message.stream]?.mailbox.put(message.messages);
        return;
      case "end": {
        const error = message.error === undefined ? undefined : fromWireError(message.error);
        this.#streams.get(message.select)?.[message.stream]?.mailbox.end(error);
        return;
      }
      default:
        throw new StrataError("internal", `BUG: message ${message.kind} is not about a selection`);
    }
  }

  async *#groups(select: number, index: number, stream: Stream): AsyncGenerator<FrameGroup> {
    for (;;) {
      const group = await stream.mailbox.next();
      if (group === undefined) return;
      yield group;
      let bytes = 0;
      for (const message of group) bytes += message.byteLength;
      this.#send({kind: "credit", select, stream: index, bytes});
    }
  }

  #fail(select: number, err: StrataError): void {
    this.#opening.get(select)?.reject(err);
    for (const stream of this.#streams.get(select) ?? []) stream.mailbox.end(err);
  }

  #send(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}
