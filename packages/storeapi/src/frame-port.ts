import type {MessagePort} from "node:worker_threads";
import {type ErrorCode, type ErrorFields, errorCode, errorText, StrataError} from "@strata/base";
import type {FrameGroup} from "./frame-stream.ts";

// A stream of frames from the thread that owns the sockets to the one that parses. The parser asks (`pull`), the other
// side answers each with one group, whose buffers are handed over and not copied; so no more than the groups asked for
// are ever on the way.

type ToParser =
  | {readonly kind: "frames"; readonly frames: readonly Uint8Array[]}
  | {readonly kind: "end"}
  | {readonly kind: "error"; readonly code: ErrorCode; readonly message: string; readonly fields: ErrorFields};
type ToSockets = {readonly kind: "pull"} | {readonly kind: "stop"};

/** Groups that the parser asks for ahead: one is parsed while the next is on its way. */
const AHEAD = 2;

/**
 * Sends `groups` through the port as the other side asks for them; resolves when they have ended, failed (the error is
 * sent) or are not wanted any more (`groups` is closed then). Closes the port.
 */
export async function sendFrames(port: MessagePort, groups: AsyncIterable<FrameGroup>): Promise<void> {
  const iterator = groups[Symbol.asyncIterator]();
  const post = (message: ToParser, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const demand = new Demand();
  port.on("message", (message: ToSockets) => (message.kind === "pull" ? demand.add() : demand.stop()));
  port.on("close", () => demand.stop());
  try {
    while (await demand.take()) {
      const next = await iterator.next();
      if (next.done === true) {
        post({kind: "end"});
        return;
      }
      const {frames, transfer} = handOver(next.value);
      post({kind: "frames", frames}, transfer);
    }
    await iterator.return?.();
  } catch (err) {
    const fields = err instanceof StrataError ? err.fields : {};
    post({kind: "error", code: errorCode(err), message: errorText(err), fields});
  } finally {
    port.close();
  }
}

/** The groups that the other side of the port sends. Closing the iteration closes the source. */
export async function* receiveFrames(port: MessagePort): AsyncGenerator<FrameGroup, void, undefined> {
  const inbox: ToParser[] = [];
  let closed = false;
  let wake: (() => void) | undefined;
  const pull = (): void => port.postMessage({kind: "pull"} satisfies ToSockets);
  port.on("message", (message: ToParser) => {
    inbox.push(message);
    wake?.();
  });
  port.on("close", () => {
    closed = true;
    wake?.();
  });
  try {
    for (let i = 0; i < AHEAD; i++) pull();
    for (;;) {
      const message = inbox.shift();
      if (message?.kind === "frames") {
        pull();
        yield message.frames;
      } else if (message?.kind === "end") return;
      else if (message?.kind === "error")
        throw new StrataError(message.code, message.message, {fields: message.fields});
      else if (closed) throw new StrataError("unavailable", "cannot read series frames: the sending thread is gone");
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
    }
  } finally {
    if (!closed) port.postMessage({kind: "stop"} satisfies ToSockets);
    port.close();
  }
}

/** How many groups the other side still wants. */
class Demand {
  #wanted = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  add(): void {
    this.#wanted++;
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Waits for a demand and counts it off; false once nothing is wanted any more. */
  async take(): Promise<boolean> {
    while (this.#wanted === 0 && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#wanted--;
    return !this.#stopped;
  }
}

/** Frames below this size share a buffer with others: they are gathered into a new one. */
const SMALL_FRAME = 8 * 1024;

/** The frames over buffers that may be transferred: each large one has its own, the small ones get one together. */
function handOver(group: FrameGroup): {frames: readonly Uint8Array[]; transfer: ArrayBuffer[]} {
  const transfer: ArrayBuffer[] = [];
  const shared = group.filter((f) => !ownsBuffer(f));
  const gathered = new Uint8Array(shared.reduce((n, f) => n + f.length, 0));
  if (shared.length > 0) transfer.push(gathered.buffer);
  let at = 0;
  const frames = group.map((f) => {
    if (ownsBuffer(f)) {
      transfer.push(f.buffer as ArrayBuffer);
      return new Uint8Array(f.buffer, f.byteOffset, f.length);
    }
    gathered.set(f, at);
    at += f.length;
    return gathered.subarray(at - f.length, at);
  });
  return {frames, transfer};
}

/** Whether nothing but this frame (and the header before it) lies in its buffer. */
const ownsBuffer = (f: Uint8Array): boolean =>
  f.length >= SMALL_FRAME && f.buffer instanceof ArrayBuffer && f.buffer.byteLength - f.length <= 16;
