import {errorCode, errorText, StrataError} from "@strata/base";
import type {Transport} from "@strata/storeapi";
import type {Counter, Histogram} from "@strata/telemetry";
import {type Endpoint, endpointText} from "./endpoint.ts";
import {REMOTE_WRITE} from "./grpc-writes.ts";

export type PeerOptions = {
  readonly endpoint: Endpoint;
  readonly transport: Pick<Transport, "unary" | "close">;
  /** Calls at once. */
  readonly workers: number;
  readonly timeoutMs: number;
  readonly maxBackoffMs: number;
  /** Random delay before each call, for tests; ms. */
  readonly artificialDelayMs: number;
  readonly delay: Histogram;
  readonly forwards: {readonly success: Counter; readonly error: Counter};
  readonly now?: (() => number) | undefined;
};

/** One write that waits for its turn: tenants' series, encoded as fields of a request. */
type Item = {
  readonly tuples: readonly Uint8Array[];
  readonly bytes: number;
  readonly replica: number;
  readonly since: number;
  readonly done: (error: StrataError | undefined) => void;
};

/** In place of a replica's number: all of it is for this receiver. */
export const PLACED = -1;

/** Writes that wait behind busy workers are sent together up to this size. */
const BATCH_BYTES = 1 << 20;
/** What may wait for one peer: enough for some seconds, and no more than a few of them may cost. */
const MAX_QUEUED_BYTES = 64 << 20;
const FIRST_BACKOFF_MS = 100;

/**
 * Another receiver. So many calls run at once; what comes meanwhile waits, is sent together, and is refused at once when
 * too much waits or when the peer was found away a moment ago.
 */
export class Peer {
  readonly #o: PeerOptions;
  readonly #now: () => number;
  readonly #queue: Item[] = [];
  readonly #stop = new AbortController();
  #queued = 0;
  #running = 0;
  #failures = 0;
  /** Refuses writes until then. */
  #awayUntil = 0;
  #takesPlaced = false;

  constructor(options: PeerOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
  }

  /** Whether writes are refused because the peer was found away. */
  get isAway(): boolean {
    return this.#now() < this.#awayUntil;
  }

  /** Whether series of several replicas may go in one request. Not known before the first answer, nor after a failure. */
  get takesPlaced(): boolean {
    return this.#takesPlaced;
  }

  /** Sends tuples (see encodeTuple) of one replica (from 1), or PLACED; resolves with what went wrong. Never rejects. */
  write(tuples: readonly Uint8Array[], replica: number): Promise<StrataError | undefined> {
    const {endpoint} = this.#o;
    if (this.isAway) {
      return Promise.resolve(
        new StrataError(
          "unavailable",
          `backing off forward request for endpoint ${endpointText(endpoint)}: target not available`,
        ),
      );
    }
    const bytes = tuples.reduce((sum, tuple) => sum + tuple.length, 0);
    if (this.#queued > 0 && this.#queued + bytes > MAX_QUEUED_BYTES) {
      return Promise.resolve(
        new StrataError("unavailable", `cannot forward: ${this.#queued} bytes wait for ${endpoint.address} already`),
      );
    }
    return new Promise((resolve) => {
      this.#queued += bytes;
      this.#queue.push({tuples, bytes, replica, since: this.#now(), done: resolve});
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#running < this.#o.workers && this.#queue.length > 0) {
      const batch = this.#take();
      if (batch.length === 0) continue;
      this.#running++;
      void this.#send(batch).finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  /** The first that waits and those of the same replica behind it; those that waited for too long are refused. */
  #take(): Item[] {
    const batch: Item[] = [];
    let bytes = 0;
    while (this.#queue.length > 0) {
      const item = this.#queue[0] as Item;
      const late = this.#now() - item.since >= this.#o.timeoutMs;
      const fits = batch.length === 0 || (item.replica === batch[0]?.replica && bytes + item.bytes <= BATCH_BYTES);
      if (!late && !fits) break;
      this.#queue.shift();
      this.#queued -= item.bytes;
      if (late) {
        item.done(new StrataError("timeout", "context deadline exceeded"));
        continue;
      }
      batch.push(item);
      bytes += item.bytes;
    }
    return batch;
  }

  async #send(batch: readonly Item[]): Promise<void> {
    const {delay, artificialDelayMs} = this.#o;
    for (const item of batch) delay.observe((this.#now() - item.since) / 1000);
    if (artificialDelayMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * artificialDelayMs));
    }
    const error = await this.#call(batch);
    // A conflict is of one of them: who gets it is found by sending each alone. What is stored already stays.
    if (error !== undefined && batch.length > 1 && error.code !== "unavailable") {
      for (const item of batch) this.#end(item, await this.#call([item]));
      return;
    }
    for (const item of batch) this.#end(item, error);
  }

  #end(item: Item, error: StrataError | undefined): void {
    if (error === undefined) this.#o.forwards.success.inc();
    // Compat: a conflict is not the peer's failure.
    else if (error.code !== "conflict") this.#o.forwards.error.inc();
    item.done(error);
  }

  async #call(batch: readonly Item[]): Promise<StrataError | undefined> {
    const {transport, timeoutMs} = this.#o;
    try {
      const tuples = batch.flatMap((item) => item.tuples);
      const message = tuples.length === 1 ? (tuples[0] as Uint8Array) : Buffer.concat(tuples);
      const answer = await transport.unary(REMOTE_WRITE, message, {signal: this.#stop.signal, timeoutMs});
      this.#takesPlaced = answer.takesPlaced;
      this.#failures = 0;
      this.#awayUntil = 0;
      return undefined;
    } catch (err) {
      // Another program may answer next.
      if (errorCode(err) !== "conflict") this.#takesPlaced = false;
      if (errorCode(err) === "unavailable") this.#backOff();
      return err instanceof StrataError ? err : new StrataError(errorCode(err), errorText(err), {cause: err});
    }
  }

  /** Twice as long each time, up to the limit, with up to a half of it taken off by chance. */
  #backOff(): void {
    if (this.isAway) return;
    const pause = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, this.#o.maxBackoffMs);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#awayUntil = this.#now() + pause * (1 - Math.random() / 2);
  }

  /** Breaks off what runs, refuses what waits. */
  close(): void {
    const reason = new StrataError("unavailable", "cannot forward: the receiver is no peer any more");
    this.#stop.abort(reason);
    for (const item of this.#queue.splice(0)) item.done(reason);
    this.#queued = 0;
    this.#o.transport.close();
  }
}
