import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {crc32c} from "@strata/bytes";
import {ENCODING, histogramCount} from "@strata/chunkenc";
import {fileError} from "../random-access.ts";
import {readU32, WireReader, writeU32} from "../wire.ts";
import {writeError} from "../writer/file-sink.ts";

export const CHUNKS_HEAD_DIR = "chunks_head";
const MAGIC = 0x0130bc91;
const VERSION = 1;
const HEADER_BYTES = 8;
/** Series reference, mint, maxt (8 bytes each), encoding. */
const ENTRY_HEAD_BYTES = 25;
const CRC_BYTES = 4;
const MAX_FILE_BYTES = 128 * 1024 * 1024;
const FLUSH_BYTES = 256 * 1024;
/** Marks the encoding of a chunk of out-of-order samples. */
const OUT_OF_ORDER_BIT = 0x80;
const TWO_32 = 2 ** 32;

/** A full chunk of a head, in a file. Times in ms, both inclusive; `offset` and `length` are those of its data. */
export type HeadChunk = {
  readonly ref: number;
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: number;
  readonly outOfOrder: boolean;
  readonly samples: number;
  readonly file: number;
  /** Of the entry. */
  readonly offset: number;
  readonly dataAt: number;
  readonly length: number;
};

type File = {readonly index: number; readonly path: string; handle: number; bytes: number};

/**
 * The files in which a head lays down its full chunks, so that it need not hold them.
 *
 * ```
 * BE u32 magic · version 1 · 3 zeros · { BE u64 series · BE i64 mint · BE i64 maxt · u8 encoding · uvarint n · data · CRC32C }… 0…
 * ```
 *
 * Encoding bit 7: out of order. Zeros for series, mint and maxt end a file. Nothing here need survive a crash: the log has
 * it all, so files are synced only when they are full.
 */
export class HeadChunkFiles {
  readonly dir: string;
  /** The last failure that `write` did not throw. */
  lastError: unknown;
  readonly #files = new Map<number, File>();
  #open: File | undefined;
  #buffer = Buffer.allocUnsafeSlow(FLUSH_BYTES);
  #used = 0;
  #next = 1;

  constructor(dir: string) {
    this.dir = dir;
  }

  /**
   * Reads all entries in order. A damaged file and all behind it are removed (after the damage nothing can be trusted to be
   * complete); returns the error in that case. A wrong magic number or version throws: that is no file of ours.
   */
  load(visit: (chunk: HeadChunk) => void): StrataError | undefined {
    let indexes: number[] = [];
    try {
      indexes = readdirSync(this.dir)
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .sort((a, b) => a - b);
    } catch (err) {
      const error = fileError(err, this.dir);
      if (error.code !== "not_found") throw error;
    }
    for (const [i, index] of indexes.entries()) {
      this.#next = index + 1;
      const path = this.#path(index);
      let bytes: Uint8Array;
      try {
        bytes = readFileSync(path);
      } catch (err) {
        throw fileError(err, path);
      }
      // A file that was only just begun.
      if (bytes.length < HEADER_BYTES && i === indexes.length - 1) {
        unlinkSync(path);
        continue;
      }
      const file: File = {index, path, handle: -1, bytes: bytes.length};
      this.#files.set(index, file);
      // What another run wrote last was not synced, and will be relied upon once there are files behind it.
      if (i === indexes.length - 1) syncFile(path);
      try {
        if (i > 0 && index !== (indexes[i - 1] as number) + 1)
          throw corruptFile(path, 0, "files before it are missing");
        // Only of a file that is sound to its end: a damaged one goes, with all that it holds.
        const chunks: HeadChunk[] = [];
        readFile(bytes, path, index, (chunk) => chunks.push(chunk));
        chunks.forEach(visit);
      } catch (err) {
        if (!(err instanceof StrataError) || err.code !== "corrupt" || err.fields.fatal === true) throw err;
        for (const bad of indexes.slice(i)) {
          this.#files.delete(bad);
          unlinkSync(this.#path(bad));
        }
        this.#next = index;
        return err;
      }
    }
    return undefined;
  }

  /**
   * Appends a chunk, data[from, from + length); returns its place: file, and offset of the entry. Once a file was begun
   * this does not fail: what the disk refuses waits in memory, for `flush` to tell of.
   */
  write(
    ref: number,
    mint: number,
    maxt: number,
    encoding: number,
    outOfOrder: boolean,
    data: Uint8Array,
    from: number,
    length: number,
  ): {file: number; offset: number; dataAt: number} {
    const most = ENTRY_HEAD_BYTES + 5 + length + CRC_BYTES;
    if (this.#open === undefined) this.begin();
    if ((this.#open as File).bytes + most > MAX_FILE_BYTES) this.#attempt(() => this.begin());
    const file = this.#open as File;
    if (this.#used + most > this.#buffer.length) {
      this.#attempt(() => this.flush());
      if (this.#used + most > this.#buffer.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#used + most));
        grown.set(this.#buffer.subarray(0, this.#used));
        this.#buffer = grown;
      }
    }
    const out = this.#buffer;
    const start = this.#used;
    const offset = file.bytes;
    let at = start;
    writeU32(out, at, Math.floor(ref / TWO_32));
    writeU32(out, at + 4, ref >>> 0);
    writeU32(out, at + 8, Math.floor(mint / TWO_32));
    writeU32(out, at + 12, mint >>> 0);
    writeU32(out, at + 16, Math.floor(maxt / TWO_32));
    writeU32(out, at + 20, maxt >>> 0);
    out[at + 24] = encoding | (outOfOrder ? OUT_OF_ORDER_BIT : 0);
    at += ENTRY_HEAD_BYTES;
    let rest = length;
    for (; rest >= 0x80; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
    out[at++] = rest;
    const dataAt = offset + at - start;
    out.set(data.subarray(from, from + length), at);
    at += length;
    writeU32(out, at, crc32c(out, start, at));
    at += CRC_BYTES;
    this.#used = at;
    file.bytes += at - start;
    return {file: file.index, offset, dataAt};
  }

  /** Copies `length` bytes of a chunk's data at `dataAt` of a file to out[at…). */
  read(fileIndex: number, dataAt: number, length: number, out: Uint8Array, at: number): void {
    const file = this.#files.get(fileIndex);
    if (file === undefined) throw new StrataError("internal", `BUG: no head chunk file ${fileIndex}`);
    const flushed = file === this.#open ? file.bytes - this.#used : file.bytes;
    if (dataAt >= flushed) {
      const from = dataAt - flushed;
      out.set(this.#buffer.subarray(from, from + length), at);
      return;
    }
    try {
      if (file.handle < 0) file.handle = openSync(file.path, "r");
      for (let done = 0; done < length; ) {
        const n = readSync(file.handle, out, at + done, length - done, dataAt + done);
        if (n === 0) throw corruptFile(file.path, dataAt, "the file ends");
        done += n;
      }
    } catch (err) {
      throw fileError(err, file.path);
    }
  }

  /** Writes out what was collected. */
  flush(): void {
    const file = this.#open;
    if (file === undefined || this.#used === 0) return;
    const from = file.bytes - this.#used;
    try {
      for (let done = 0; done < this.#used; ) {
        done += writeSync(file.handle, this.#buffer, done, this.#used - done, from + done);
      }
    } catch (err) {
      throw writeError(err, file.path);
    }
    this.#used = 0;
  }

  /** Removes the files below number `index`, to none of which anything refers any more. A file being written stays. */
  truncate(index: number): void {
    for (const file of [...this.#files.values()].sort((a, b) => a.index - b.index)) {
      if (file === this.#open || file.index >= index) return;
      if (file.handle >= 0) closeSync(file.handle);
      this.#files.delete(file.index);
      unlinkSync(file.path);
    }
  }

  /** Bytes of all files. */
  get bytes(): number {
    let total = 0;
    for (const file of this.#files.values()) total += file.bytes;
    return total;
  }

  /** Writes out what was collected and closes all. Safe to call twice. */
  close(): void {
    this.flush();
    this.abandon();
  }

  /** Closes all without writing. */
  abandon(): void {
    this.#used = 0;
    this.#open = undefined;
    for (const file of this.#files.values()) {
      if (file.handle >= 0) closeSync(file.handle);
      file.handle = -1;
    }
  }

  /** Runs what will be tried again anyway, and more loudly then. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (err) {
      this.lastError = err;
    }
  }

  #path(index: number): string {
    return join(this.dir, String(index).padStart(6, "0"));
  }

  /** Begins a file. */
  begin(): void {
    this.flush();
    const index = this.#next;
    const path = this.#path(index);
    try {
      if (this.#open !== undefined) fdatasyncSync(this.#open.handle);
      mkdirSync(this.dir, {recursive: true});
      const handle = openSync(path, "wx+");
      const header = new Uint8Array(HEADER_BYTES);
      writeU32(header, 0, MAGIC);
      header[4] = VERSION;
      const file = {index, path, handle, bytes: HEADER_BYTES};
      writeSync(handle, header);
      this.#files.set(index, file);
      this.#open = file;
    } catch (err) {
      throw writeError(err, path);
    }
    this.#next++;
  }
}

function syncFile(path: string): void {
  const handle = openSync(path, "r");
  try {
    fdatasyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readFile(bytes: Uint8Array, path: string, index: number, visit: (chunk: HeadChunk) => void): void {
  if (bytes.length < HEADER_BYTES) throw corruptFile(path, 0, `${bytes.length} bytes are no header`);
  const magic = readU32(bytes, 0);
  if (magic !== MAGIC) throw corruptFile(path, 0, `invalid magic number ${magic.toString(16)}`, true);
  if (bytes[4] !== VERSION) throw corruptFile(path, 4, `unknown version ${bytes[4]}`, true);
  const r = new WireReader(bytes);
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (isZero(bytes, at, Math.min(at + ENTRY_HEAD_BYTES - 1, bytes.length))) {
      if (!isZero(bytes, at, bytes.length)) throw corruptFile(path, at, "there is data behind the end");
      return;
    }
    r.reset(bytes, at, bytes.length);
    const ref = r.u64();
    const mint = signed(r);
    const maxt = signed(r);
    const type = r.u8();
    const length = r.uvarint();
    const dataAt = r.at;
    r.skip(length);
    const sum = r.u32();
    if (r.failed) throw corruptFile(path, at, "the entry is cut short");
    const end = dataAt + length;
    if (sum !== crc32c(bytes, at, end)) throw corruptFile(path, at, "checksum is wrong");
    const encoding = type & ~OUT_OF_ORDER_BIT;
    if (length < 2 || encoding < ENCODING.xor || encoding > ENCODING.floatHistogramST) {
      throw corruptFile(path, at, `a chunk of encoding ${encoding} and ${length} bytes`);
    }
    const outOfOrder = type !== encoding;
    const samples = histogramCount(encoding, bytes, dataAt);
    visit({ref, mint, maxt, encoding, outOfOrder, samples, file: index, offset: at, dataAt, length});
    at = end + CRC_BYTES;
  }
}

function signed(r: WireReader): number {
  const high = r.u32() | 0;
  return high * TWO_32 + r.u32();
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

const corruptFile = (path: string, offset: number, why: string, fatal = false): StrataError =>
  new StrataError("corrupt", `cannot read ${path} at ${offset}: ${why}`, {fields: {file: path, offset, fatal}});
