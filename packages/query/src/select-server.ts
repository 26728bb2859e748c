import {type Matcher, matcher} from "@strata/model";
import type {FrameGroup, OpenedStore} from "@strata/storeapi";
import {STREAM_CREDIT_BYTES, type ToWorker, type WireSelect} from "./messages.ts";
import {toWireError} from "./wire-error.ts";

/** Opens a selection at all endpoints that may have something for it; `signal` aborts once it is over. */
export type StreamOpener = (q: OpenSelect, signal: AbortSignal) => readonly OpenedStore[];
export type OpenSelect = Omit<WireSelect, "matchers"> & {readonly matchers: readonly Matcher[]};

type Send = (message: ToWorker, transfer: ArrayBuffer[]) => void;
type Selection = {readonly abort: AbortController; readonly credits: Credit[]};

/** Serves the selections of one job: pumps raw messages to its worker as fast as that takes them. */
export class SelectServer {
  readonly #open: StreamOpener;
  readonly #send: Send;
  readonly #signal: AbortSignal;
  readonly #selections = new Map<number, Selection>();

  constructor(open: StreamOpener, send: Send, signal: AbortSignal) {
    this.#open = open;
    this.#send = send;
    this.#signal = signal;
  }

  open(select: number, q: WireSelect): void {
    const selection: Selection = {abort: new AbortController(), credits: []};
    this.#selections.set(select, selection);
    void this.#serve(select, selection, q);
  }

  credit(select: number, stream: number, bytes: number): void {
    this.#selections.get(select)?.credits[stream]?.give(bytes);
  }

  /** The worker wants no more of it. */
  close(select: number): void {
    const selection = this.#selections.get(select);
    if (selection === undefined) return;
    this.#selections.delete(select);
    selection.abort.abort();
    for (const credit of selection.credits) credit.stop();
  }

  closeAll(): void {
    for (const select of [...this.#selections.keys()]) this.close(select);
  }

  async #serve(select: number, selection: Selection, q: WireSelect): Promise<void> {
    const signal = AbortSignal.any([this.#signal, selection.abort.signal]);
    try {
      const matchers = q.matchers.map((m) => matcher(m.name, m.op, m.value));
      const streams = this.#open({...q, matchers}, signal);
      for (const _ of streams) selection.credits.push(new Credit(STREAM_CREDIT_BYTES));
      this.#send({kind: "opened", select, streams: streams.map((s) => s.options)}, []);
      await Promise.all(streams.map((s, i) => this.#pump(select, i, s.groups, selection.credits[i] as Credit)));
    } catch (err) {
      if (this.#selections.has(select)) this.#send({kind: "refused", select, error: toWireError(err)}, []);
    }
  }

  async #pump(select: number, stream: number, groups: AsyncIterable<FrameGroup>, credit: Credit): Promise<void> {
    try {
      for await (const group of groups) {
        if (!this.#selections.has(select)) return;
        const {messages, transfer, bytes} = transferable(group);
        this.#send({kind: "frames", select, stream, messages}, transfer);
        credit.take(bytes);
        await credit.wait();
        if (!this.#selections.has(select)) return;
      }
      this.#send({kind: "end", select, stream, error: undefined}, []);
    } catch (err) {
      if (this.#selections.has(select)) this.#send({kind: "end", select, stream, error: toWireError(err)}, []);
    }
  }
}

/** Bytes that may be under way; `wait` holds a pump back while they are used up. */
class Credit {
  #left: number;
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }

  give(bytes: number): void {
    this.#left += bytes;
    if (this.#left > 0) this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async wait(): Promise<void> {
    while (this.#left <= 0 && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/**
 * The messages in buffers of their own, which can be transferred: those that share theirs with others (small ones from
 * Node's pool, several cut from one network read) are copied together into one.
 */
function transferable(group: FrameGroup): {messages: Uint8Array[]; transfer: ArrayBuffer[]; bytes: number} {
  let bytes = 0;
  let shared = 0;
  for (const message of group) {
    bytes += message.byteLength;
    if (!ownsBuffer(message)) shared += message.byteLength;
  }
  const pool = new Uint8Array(shared);
  const transfer: ArrayBuffer[] = shared > 0 ? [pool.buffer] : [];
  let at = 0;
  const messages = group.map((message) => {
    if (ownsBuffer(message)) {
      transfer.push(message.buffer as ArrayBuffer);
      return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
    }
    pool.set(message, at);
    at += message.byteLength;
    return pool.subarray(at - message.byteLength, at);
  });
  return {messages, transfer, bytes};
}

const ownsBuffer = (message: Uint8Array): boolean =>
  message.buffer instanceof ArrayBuffer && message.byteLength > 0 && message.byteLength === message.buffer.byteLength;
