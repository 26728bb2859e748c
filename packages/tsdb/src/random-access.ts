import {type FileHandle, open} from "node:fs/promises";
import {errorCode, forEachLimit, StrataError} from "@strata/base";

/**
 * Bytes that are read at any place: a local file, a buffer, or a part of an object in a bucket. The caller owns what
 * `read` returns, except that a buffer's reader hands out views; nobody writes into either.
 */
export interface RandomAccess {
  /** For error messages: a path or key. */
  readonly name: string;
  readonly size: number;
  /**
   * Exactly bytes [offset, offset + length); asking beyond the end is `corrupt`. The bytes may be put into `into`, where
   * one of at least that length is given, and are then a view of it.
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** Positioned reads of one open file. */
export class FileAccess implements RandomAccess {
  readonly name: string;
  readonly size: number;
  #handle: FileHandle | undefined;

  private constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  /** Opens `path`; a missing file is `not_found`, one that cannot be read `unavailable`. */
  static async open(path: string): Promise<FileAccess> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, "r");
      const stat = await handle.stat();
      if (!stat.isFile()) throw new StrataError("corrupt", `cannot read ${path}: not a file`, {fields: {file: path}});
      return new FileAccess(path, stat.size, handle);
    } catch (err) {
      await handle?.close();
      throw fileError(err, path);
    }
  }

  async read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    checkRange(this, offset, length);
    // PERF: not zeroed, every byte is overwritten; zeroing a megabyte at a time was a tenth of a merge.
    const buffer = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length);
    const handle = this.#handle;
    if (handle === undefined) throw new StrataError("internal", `BUG: read of closed file ${this.name}`);
    for (let done = 0; done < length; ) {
      const {bytesRead} = await handle.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) throw outOfRange(this, offset, length);
      done += bytesRead;
    }
    return buffer;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

/** A file held in memory. Hands out views of `bytes`. */
export class BufferAccess implements RandomAccess {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this, offset, length);
    return this.#bytes.subarray(offset, offset + length);
  }

  async close(): Promise<void> {}
}

/** A StrataError for an error of the file system: `not_found`, else `unavailable`. */
export function fileError(err: unknown, path: string): StrataError {
  if (err instanceof StrataError) return err;
  const reason = (err as NodeJS.ErrnoException).code ?? errorCode(err);
  const code = reason === "ENOENT" ? "not_found" : "unavailable";
  return new StrataError(code, `cannot read ${path}: ${reason === "ENOENT" ? "no such file or directory" : reason}`, {
    cause: err,
    fields: {file: path},
  });
}

function checkRange(file: RandomAccess, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= file.size)) throw outOfRange(file, offset, length);
}

const outOfRange = (file: RandomAccess, offset: number, length: number): StrataError =>
  new StrataError("corrupt", `cannot read ${length} bytes at ${offset} of ${file.name}: it has ${file.size} bytes`, {
    fields: {file: file.name, offset, length, size: file.size},
  });

/** One piece to read, [from, to), and the entry of the caller's list it stands for. */
export type Piece = {readonly from: number; readonly to: number; readonly index: number};

/** Reading over a gap of this size costs less than another call. */
const COALESCE_GAP = 16 * 1024;
/** How much one coalesced read takes at the most, unless a single piece is larger. */
const COALESCE_MAX = 1024 * 1024;

/** Reads under way at a time: single ones wait for the thread pool and the disk more than they cost. */
const READS_AT_ONCE = 4;

/**
 * Reads many pieces (ascending by `from`) in few calls: neighbours are joined over small gaps. `use` gets each piece's
 * bytes as a place in a larger buffer; pieces of different calls come in any order.
 */
export async function readPieces(
  file: RandomAccess,
  pieces: readonly Piece[],
  use: (index: number, buffer: Uint8Array, at: number, length: number) => void,
  arena?: ReadArena | undefined,
): Promise<void> {
  await forEachLimit(joinedPieces(pieces), READS_AT_ONCE, async ({first, last, from, to}) => {
    const buffer = await file.read(from, to - from, arena?.take(to - from));
    for (let i = first; i < last; i++) {
      const piece = pieces[i] as Piece;
      use(piece.index, buffer, piece.from - from, piece.to - piece.from);
    }
  });
}

/** Pieces [first, last), which bytes [from, to) hold. */
type Joined = {readonly first: number; readonly last: number; readonly from: number; readonly to: number};

function joinedPieces(pieces: readonly Piece[]): Joined[] {
  const joined: Joined[] = [];
  for (let first = 0; first < pieces.length; ) {
    const {from, to: end} = pieces[first] as Piece;
    let to = end;
    let last = first + 1;
    for (; last < pieces.length; last++) {
      const piece = pieces[last] as Piece;
      if (piece.from > to + COALESCE_GAP || piece.to - from > COALESCE_MAX) break;
      to = Math.max(to, piece.to);
    }
    joined.push({first, last, from, to});
    first = last;
  }
  return joined;
}

/**
 * Room for reads that is used again and again: a merge that lets the collector find each megabyte it has read holds twice
 * the memory. What was taken is good until the next `reset`.
 */
export class ReadArena {
  #blocks: Uint8Array[] = [];
  #next = 0;

  /** A buffer of at least `length` bytes that nobody else uses until `reset`. */
  take(length: number): Uint8Array {
    const block = this.#blocks[this.#next];
    if (block === undefined || block.length < length) {
      this.#blocks[this.#next] = Buffer.allocUnsafeSlow(Math.max(length, 64 * 1024));
    }
    return this.#blocks[this.#next++] as Uint8Array;
  }

  /** Everything may be overwritten from now on. */
  reset(): void {
    this.#next = 0;
  }
}
