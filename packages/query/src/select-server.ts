import {MessageChannel, type MessagePort} from "node:worker_threads";
import {type Matcher, matcher} from "@strata/model";
import {type OpenedStore, sendFrames} from "@strata/storeapi";
import type {OpenedStream, ToWorker, WireSelect} from "./messages.ts";
import {toWireError} from "./wire-error.ts";

/** Opens a selection at all endpoints that may have something for it; `signal` aborts once it is over. */
export type StreamOpener = (q: OpenSelect, signal: AbortSignal) => readonly OpenedStore[];
export type OpenSelect = Omit<WireSelect, "matchers"> & {readonly matchers: readonly Matcher[]};

type Send = (message: ToWorker, transfer: MessagePort[]) => void;

/** Serves the selections of one job: raw frames of each endpoint go to its worker through a port of their own. */
export class SelectServer {
  readonly #open: StreamOpener;
  readonly #send: Send;
  readonly #signal: AbortSignal;
  readonly #selections = new Map<number, {readonly abort: AbortController; readonly ports: MessagePort[]}>();

  constructor(open: StreamOpener, send: Send, signal: AbortSignal) {
    this.#open = open;
    this.#send = send;
    this.#signal = signal;
  }

  open(select: number, q: WireSelect): void {
    const abort = new AbortController();
    const ports: MessagePort[] = [];
    this.#selections.set(select, {abort, ports});
    try {
      const matchers = q.matchers.map((m) => matcher(m.name, m.op, m.value));
      const opened = this.#open({...q, matchers}, AbortSignal.any([this.#signal, abort.signal]));
      const streams = opened.map(({options, groups}): OpenedStream => {
        const {port1, port2} = new MessageChannel();
        ports.push(port1);
        // Its errors travel through the port.
        void sendFrames(port1, groups);
        return {options, port: port2};
      });
      this.#send(
        {kind: "opened", select, streams},
        streams.map((s) => s.port),
      );
    } catch (err) {
      this.#send({kind: "refused", select, error: toWireError(err)}, []);
    }
  }

  /** The worker wants no more of it. */
  close(select: number): void {
    const selection = this.#selections.get(select);
    if (selection === undefined) return;
    this.#selections.delete(select);
    selection.abort.abort();
    for (const port of selection.ports) port.close();
  }

  closeAll(): void {
    for (const select of [...this.#selections.keys()]) this.close(select);
  }
}
