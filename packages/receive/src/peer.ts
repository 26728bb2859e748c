import {errorCode, errorText, StrataError} from "@strata/base";
import type {Transport} from "@strata/storeapi";
import type {Counter, Histogram} from "@strata/telemetry";
import {type Endpoint, endpointText} from "./endpoint.ts";
import {PLACED, REMOTE_WRITE} from "./peer-request.ts";

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

/** One write: pieces of a request (see peer-request), and the same for a peer that turns out not to know parcels. */
export type PeerWrite = {
  readonly pieces: readonly Uint8Array[];
  readonly unpacked?: (() => readonly Uint8Array[]) | undefined;
};

/** One write that waits for its turn. */
type Item = PeerWrite & {
  readonly bytes: number;
  readonly replica: number;
  readonly since: number;
  readonly done: (error: StrataError | undefined) => void;
};

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
  #takesParcels = false;

  constructor(options: PeerOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
  }

  /** Whether writes are refused because the peer was found away. */
  get isAway(): boolean {
    return this.#now() < this.#awayUntil;
  }

  /** Whether it takes parcels, and series of several replicas in one request. Not known before the first answer, nor after a failure. */
  get takesParcels(): boolean {
    return this.#takesParcels;
  }

  /** Sends series of one replica (from 1), or PLACED; resolves with what went wrong. Never rejects. */
  write(write: PeerWrite, replica: number): Promise<StrataError | undefined> {
    const {endpoint} = this.#o;
    if (this.isAway) {
      return Promise.resolve(
        new StrataError(
          "unavailable",
          `backing off forward request for endpoint ${endpointText(endpoint)}: target not available`,
        ),
      );
    }
    const bytes = write.pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#queued > 0 && this.#queued + bytes > MAX_QUEUED_BYTES) {
      return Promise.resolve(
        new StrataError("unavailable", `cannot forward: ${this.#queued} bytes wait for ${endpoint.address} already`),
      );
    }
    return new Promise((resolve) => {
      this.#queued += bytes;
      this.#queue.push({...write, bytes, replica, since: this.#now(), done: resolve});
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
    try {
      const isPlaced = batch[0]?.replica === PLACED;
      const pieces = batch.flatMap((item) => item.pieces);
      this.#takesParcels = await this.#transmit(pieces, isPlaced);
      // What answered knows no parcels, and has passed over them: it took the place of one that did.
      if (isPlaced && !this.#takesParcels) {
        await this.#transmit(
          batch.flatMap((item) => item.unpacked?.() ?? item.pieces),
          false,
        );
      }
      this.#failures = 0;
      this.#awayUntil = 0;
      return undefined;
    } catch (err) {
      // Another program may answer next.
      if (errorCode(err) !== "conflict") this.#takesParcels = false;
      if (errorCode(err) === "unavailable") this.#backOff();
      return err instanceof StrataError ? err : new StrataError(errorCode(err), errorText(err), {cause: err});
    }
  }

  /** One call; whether the peer says that it takes parcels. */
  async #transmit(pieces: readonly Uint8Array[], isCompressed: boolean): Promise<boolean> {
    const {transport, timeoutMs} = this.#o;
    const options = {signal: this.#stop.signal, timeoutMs, isCompressed};
    return (await transport.unary(REMOTE_WRITE, Buffer.concat(pieces), options)).takesParcels;
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
