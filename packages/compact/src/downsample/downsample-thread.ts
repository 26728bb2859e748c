import type {Worker} from "node:worker_threads";
import {errorText, fromWireError, StrataError, startThread, type WireError} from "@strata/base";
import type {SeriesSink} from "./downsample-series.ts";
import {replayPiece, type SeriesPiece} from "./series-piece.ts";

const ENTRY = new URL("./downsample-thread-work.ts", import.meta.url);

/** What the second thread works on. */
export type ThreadTask = {
  readonly dir: string;
  /** ms. */
  readonly from: number;
  readonly to: number;
  readonly seriesOfPart: number;
  readonly claims: SharedArrayBuffer;
};

export type FromThread =
  | {readonly kind: "piece"; readonly part: number; readonly piece: SeriesPiece}
  | {readonly kind: "done"; readonly part: number}
  | {readonly kind: "failed"; readonly error: WireError};

/** Pieces that may wait for the writer, some 256 KiB each. */
export const WAITING_PIECES = 16;

/** The thread that downsamples parts of a block ahead of the one that writes. */
export class DownsampleThread {
  readonly #worker: Worker;
  readonly #messages: FromThread[] = [];
  #wake: (() => void) | undefined;
  #failure: StrataError | undefined;

  constructor(task: ThreadTask) {
    this.#worker = startThread(ENTRY, {workerData: task});
    this.#worker.unref();
    this.#worker.on("message", (message: FromThread) => {
      if (message.kind === "failed") this.#fail(fromWireError(message.error));
      else this.#messages.push(message);
      this.#wake?.();
    });
    this.#worker.on("error", (err) => this.#fail(new StrataError("internal", errorText(err), {cause: err})));
    this.#worker.on("exit", () => this.#fail(new StrataError("internal", "downsampling thread ended too early")));
  }

  /** Writes all series of a part that the thread has begun. */
  async write(part: number, sink: SeriesSink): Promise<void> {
    for (;;) {
      const message = this.#messages.shift() ?? (await this.#next());
      if (message.kind === "failed" || message.part !== part) {
        throw new StrataError("internal", `BUG: ${message.kind} while waiting for part ${part}`);
      }
      if (message.kind === "done") return;
      await replayPiece(message.piece, sink);
      this.#worker.postMessage("written");
    }
  }

  async #next(): Promise<FromThread> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure;
      this.#worker.ref();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#worker.unref();
    }
  }

  #fail(err: StrataError): void {
    this.#failure ??= err;
    this.#wake?.();
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
