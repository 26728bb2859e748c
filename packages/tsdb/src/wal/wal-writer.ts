import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import {join} from "node:path";
import {crc32c} from "@strata/bytes";
import {syncDir, writeError} from "../writer/file-sink.ts";
import {compress, compressionBit, type WalCompression} from "./compression.ts";
import {FRAGMENT_HEADER_BYTES, listSegments, PAGE_BYTES, SEGMENT_BYTES, segmentName} from "./segments.ts";
import {WalStats} from "./wal-stats.ts";

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;
/** Under the periodic policy, what a crash of the machine can lose at the most. A killed process loses nothing. */
const SYNC_EVERY_MS = 5000;

/** `periodic`: written before acknowledged, synced every 5 s and at a segment's end; `commit`: synced before acknowledged. */
export type WalSync = "periodic" | "commit";

export type WalWriterOptions = {
  readonly compression?: WalCompression | undefined;
  /** A multiple of the page size. */
  readonly segmentBytes?: number | undefined;
  readonly sync?: WalSync | undefined;
};

/**
 * Appends records to a log, in a segment of its own. `log` writes to the file at once (it blocks for the copy into the
 * page cache only), all of its records or none: after a failed write, a full disk for example, the file is cut back, and
 * later calls may succeed. One writer a folder.
 */
export class WalWriter {
  readonly dir: string;
  readonly compression: WalCompression;
  readonly stats = new WalStats();
  readonly #segmentBytes: number;
  readonly #sync: WalSync;
  #index: number;
  #file: number;
  /** Bytes written to the segment. */
  #at = 0;
  #out = Buffer.allocUnsafeSlow(64 * 1024);
  #used = 0;
  /** The file holds more than #at, which has to go before anything else is written. */
  #torn = false;
  #dirty = false;
  #syncing: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #syncError: unknown;
  #closed = false;

  private constructor(dir: string, index: number, options: WalWriterOptions) {
    this.dir = dir;
    this.compression = options.compression ?? "none";
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#sync = options.sync ?? "periodic";
    this.#index = index;
    this.#file = create(dir, index);
    if (this.#sync === "periodic") {
      this.#timer = setInterval(() => void this.#background(), SYNC_EVERY_MS);
      this.#timer.unref();
    }
  }

  /** Begins a new segment behind those that are there (0 in an empty folder, which is made). */
  static open(dir: string, options: WalWriterOptions = {}): WalWriter {
    try {
      mkdirSync(dir, {recursive: true});
    } catch (err) {
      throw writeError(err, dir);
    }
    const last = listSegments(dir).at(-1);
    return new WalWriter(dir, last === undefined ? 0 : last.index + 1, options);
  }

  /** Number of the segment being written. */
  get segment(): number {
    return this.#index;
  }

  /** Bytes in it. */
  get offset(): number {
    return this.#at;
  }

  /** Writes the records as one batch. Throws `unavailable`, with nothing written, when the disk refuses. */
  log(records: readonly Uint8Array[]): void {
    if (this.#torn) this.#cut();
    const start = {index: this.#index, at: this.#at};
    try {
      for (const record of records) this.#frame(record);
      this.#flush();
    } catch (err) {
      this.#used = 0;
      this.stats.writesFailed++;
      this.#rollBack(start);
      throw writeError(err, join(this.dir, segmentName(this.#index)));
    }
    this.#dirty = true;
  }

  /**
   * What has to be waited for before what was logged may be acknowledged: under `commit` a sync, which all that wait share.
   * Rejects with the error of a background sync that failed since the last call.
   */
  async acknowledge(): Promise<void> {
    if (this.#syncError !== undefined) {
      const error = this.#syncError;
      this.#syncError = undefined;
      throw writeError(error, this.dir);
    }
    if (this.#sync === "commit") await this.sync();
  }

  /** Syncs all that was logged before the call. Callers during a sync share the next one. */
  sync(): Promise<void> {
    if (this.#syncing === undefined) {
      this.#syncing = this.#syncNow().finally(() => {
        this.#syncing = undefined;
      });
      return this.#syncing;
    }
    this.#queued ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.sync();
      });
    return this.#queued;
  }

  /** Ends the segment (synced) and begins the next; returns the new one's number. */
  nextSegment(): number {
    this.#pad();
    this.#flush();
    this.#advance();
    return this.#index;
  }

  /** Removes all segments below `index`. */
  async truncate(index: number): Promise<void> {
    this.stats.truncations++;
    try {
      for (const segment of listSegments(this.dir)) if (segment.index < index) unlinkSync(segment.path);
      await syncDir(this.dir);
    } catch (err) {
      this.stats.truncationsFailed++;
      throw writeError(err, this.dir);
    }
  }

  /** Pads the last page, syncs and closes. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#queued?.catch(() => undefined);
    await this.#syncing?.catch(() => undefined);
    try {
      this.#pad();
      this.#flush();
      fdatasyncSync(this.#file);
    } catch (err) {
      throw writeError(err, this.dir);
    } finally {
      closeSync(this.#file);
    }
  }

  /** Lays a record out in fragments behind what waits in #out. */
  #frame(record: Uint8Array): void {
    const packed = compress(this.compression, record);
    const bits = packed === undefined ? 0 : compressionBit(this.compression);
    const data = packed ?? record;
    this.stats.savedBytes += record.length - data.length;
    if (this.#pageLeft() < FRAGMENT_HEADER_BYTES) this.#pad();
    const end = this.#at + this.#used;
    const pagesLeft = Math.floor(this.#segmentBytes / PAGE_BYTES) - Math.floor(end / PAGE_BYTES) - 1;
    const room = this.#pageLeft() - FRAGMENT_HEADER_BYTES + (PAGE_BYTES - FRAGMENT_HEADER_BYTES) * pagesLeft;
    if (data.length > room && end > 0) this.nextSegment();
    let from = 0;
    // A page may have room for a header and nothing else: the first fragment is then empty, and not the only "first".
    let isFirst = true;
    do {
      const to = Math.min(data.length, from + this.#pageLeft() - FRAGMENT_HEADER_BYTES);
      const isLast = to === data.length;
      const type = isFirst ? (isLast ? FULL : FIRST) : isLast ? LAST : MIDDLE;
      this.#fragment(type | bits, data, from, to);
      if (this.#pageLeft() < FRAGMENT_HEADER_BYTES) this.#pad();
      from = to;
      isFirst = false;
    } while (from < data.length);
  }

  #fragment(type: number, data: Uint8Array, from: number, to: number): void {
    const length = FRAGMENT_HEADER_BYTES + to - from;
    this.#reserve(length);
    this.stats.parts++;
    this.stats.partBytes += length;
    const out = this.#out;
    let at = this.#used;
    out[at] = type;
    at = out.writeUInt16BE(to - from, at + 1);
    at = out.writeUInt32BE(crc32c(data, from, to), at);
    out.set(from === 0 && to === data.length ? data : data.subarray(from, to), at);
    this.#used = at + to - from;
  }

  #pageLeft(): number {
    return PAGE_BYTES - ((this.#at + this.#used) % PAGE_BYTES);
  }

  /** Zeros up to the page's end. */
  #pad(): void {
    const left = this.#pageLeft();
    if (left === PAGE_BYTES) return;
    this.#reserve(left);
    this.#out.fill(0, this.#used, this.#used + left);
    this.#used += left;
  }

  #flush(): void {
    for (let done = 0; done < this.#used; ) {
      this.#torn = true;
      done += writeSync(this.#file, this.#out, done, this.#used - done, this.#at + done);
    }
    this.#torn = false;
    this.stats.flushes++;
    this.stats.completedPages += Math.floor((this.#at + this.#used) / PAGE_BYTES) - Math.floor(this.#at / PAGE_BYTES);
    this.#at += this.#used;
    this.#used = 0;
  }

  #advance(): void {
    const start = performance.now();
    fdatasyncSync(this.#file);
    this.stats.onSync((performance.now() - start) / 1000);
    const next = create(this.dir, this.#index + 1);
    closeSync(this.#file);
    this.#file = next;
    this.#index++;
    this.#at = 0;
  }

  /** Back to where a failed batch began; what cannot be undone now is undone before the next batch. */
  #rollBack(start: {index: number; at: number}): void {
    if (this.#index !== start.index) {
      closeSync(this.#file);
      for (let i = this.#index; i > start.index; i--) rmSync(join(this.dir, segmentName(i)), {force: true});
      this.#index = start.index;
      this.#file = openSync(join(this.dir, segmentName(start.index)), "r+");
      this.#torn = true;
    }
    if (this.#at !== start.at) this.#torn = true;
    this.#at = start.at;
    try {
      this.#cut();
    } catch {
      // Still torn: the next call tries again, and until then nothing is written behind the torn part.
    }
  }

  #cut(): void {
    try {
      ftruncateSync(this.#file, this.#at);
      this.#torn = false;
    } catch (err) {
      throw writeError(err, join(this.dir, segmentName(this.#index)));
    }
  }

  async #syncNow(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const file = this.#file;
    try {
      const start = performance.now();
      await syncFile(file);
      this.stats.onSync((performance.now() - start) / 1000);
    } catch (err) {
      // A segment that ended meanwhile was synced before it was closed.
      if (file !== this.#file) return;
      this.#dirty = true;
      throw writeError(err, this.dir);
    }
  }

  async #background(): Promise<void> {
    try {
      await this.sync();
    } catch (err) {
      this.#syncError = err;
    }
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#used + more));
    grown.set(this.#out.subarray(0, this.#used));
    this.#out = grown;
  }
}

function create(dir: string, index: number): number {
  const path = join(dir, segmentName(index));
  try {
    const file = openSync(path, "wx+");
    // The entry has to be as durable as what will be synced into the file.
    const folder = openSync(dir, "r");
    fsyncSync(folder);
    closeSync(folder);
    return file;
  } catch (err) {
    throw writeError(err, path);
  }
}

const syncFile = (file: number): Promise<void> =>
  new Promise((resolve, reject) => {
    fdatasync(file, (err) => {
      if (err) reject(err);
      else resolve();
    });
  });
