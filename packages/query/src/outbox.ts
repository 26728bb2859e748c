import type {FromWorker} from "./messages.ts";

/** What can wait goes by itself after this long: metrics of calls are not looked at more often. */
const LAG_MS = 50;

/** So many bytes of answers are not kept back. */
const HELD_BYTES = 64 * 1024;

type Post = (messages: readonly FromWorker[], transfer: ArrayBuffer[]) => void;

/**
 * What a worker has to say, several messages in one. PERF: each post wakes the main thread, which costs more than a small
 * query's evaluation; a small answer with all that surrounds it is one post instead of seven.
 */
export class Outbox {
  readonly #post: Post;
  #messages: FromWorker[] = [];
  #transfer: ArrayBuffer[] = [];
  #bytes = 0;
  #timed = false;

  constructor(post: Post) {
    this.#post = post;
  }

  /** Sends it, and all that waits before it. */
  send(message: FromWorker): void {
    this.#messages.push(message);
    this.flush();
  }

  /** Sends it along with what comes next, soon at the latest. */
  later(message: FromWorker): void {
    this.#messages.push(message);
    if (this.#timed) return;
    this.#timed = true;
    setTimeout(() => {
      this.#timed = false;
      this.flush();
    }, LAG_MS).unref();
  }

  /** Sends it once it is worth a message, or with what comes next: whoever holds something back has to flush in the end. */
  hold(message: FromWorker, buffer?: ArrayBuffer): void {
    this.#messages.push(message);
    if (buffer === undefined) return;
    this.#transfer.push(buffer);
    this.#bytes += buffer.byteLength;
    if (this.#bytes >= HELD_BYTES) this.flush();
  }

  flush(): void {
    if (this.#messages.length === 0) return;
    const [messages, transfer] = [this.#messages, this.#transfer];
    this.#messages = [];
    this.#transfer = [];
    this.#bytes = 0;
    this.#post(messages, transfer);
  }
}
