import {type FileHandle, open} from "node:fs/promises";
import {StrataError} from "@strata/base";

/** Collected before it goes to the file; a call per megabyte costs nothing beside the copy. */
const FLUSH_BYTES = 1024 * 1024;

/**
 * A file written from front to back through a buffer. `write` never waits; call `drain` between pieces of work, so that
 * the buffer stays near a megabyte. Errors of the disk come from `drain`, `patch` and `finish` as `unavailable`.
 */
export class FileSink {
  readonly path: string;
  readonly #handle: FileHandle;
  #buffer = new Uint8Array(2 * FLUSH_BYTES);
  #used = 0;
  readonly #claimed = {buffer: new Uint8Array(0), at: 0};
  #flushed = 0;
  #closed = false;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Creates `path`, which must not exist. */
  static async create(path: string): Promise<FileSink> {
    try {
      return new FileSink(path, await open(path, "wx+"));
    } catch (cause) {
      throw writeError(cause, path);
    }
  }

  /** Bytes written so far: the offset of the next one. */
  get position(): number {
    return this.#flushed + this.#used;
  }

  /** Appends a copy of data[from, to). */
  write(data: Uint8Array, from = 0, to: number = data.length): void {
    this.#reserve(to - from);
    this.#buffer.set(from === 0 && to === data.length ? data : data.subarray(from, to), this.#used);
    this.#used += to - from;
  }

  /**
   * Makes `length` bytes part of the file and tells where they lie; the caller fills them before the next call. PERF: a view for each of a chunk's small fields cost as much as the chunk's own copy.
   */
  claim(length: number): {readonly buffer: Uint8Array; readonly at: number} {
    this.#reserve(length);
    const claimed = this.#claimed;
    claimed.buffer = this.#buffer;
    claimed.at = this.#used;
    this.#used += length;
    return claimed;
  }

  /** Appends zeros up to a multiple of `alignment`. */
  pad(alignment: number): void {
    const missing = (alignment - (this.position % alignment)) % alignment;
    this.#reserve(missing);
    this.#buffer.fill(0, this.#used, this.#used + missing);
    this.#used += missing;
  }

  /** Whether enough is collected, with `more` bytes to come, that writing it out is due. */
  isDueWith(more: number): boolean {
    return this.#used + more >= FLUSH_BYTES;
  }

  /** Whether enough was collected that writing it out is due. */
  get isDue(): boolean {
    return this.#used >= FLUSH_BYTES;
  }

  /** Writes out what was collected, when it is due. */
  async drain(): Promise<void> {
    if (this.isDue) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#attempt(async () => {
      for (let done = 0; done < this.#used; ) {
        const {bytesWritten} = await this.#handle.write(this.#buffer, done, this.#used - done, this.#flushed + done);
        done += bytesWritten;
      }
    });
    this.#flushed += this.#used;
    this.#used = 0;
  }

  /** Overwrites what was written at `offset`. */
  async patch(offset: number, data: Uint8Array): Promise<void> {
    await this.flush();
    await this.#attempt(() => this.#handle.write(data, 0, data.length, offset));
  }

  /** Reads back bytes [offset, offset + length) that were written before. */
  async readBack(offset: number, length: number): Promise<Uint8Array> {
    await this.flush();
    const out = new Uint8Array(length);
    await this.#attempt(async () => {
      for (let done = 0; done < length; ) {
        const {bytesRead} = await this.#handle.read(out, done, length - done, offset + done);
        if (bytesRead === 0) throw new StrataError("internal", `BUG: ${this.path} is shorter than what was written`);
        done += bytesRead;
      }
    });
    return out;
  }

  /** Flushes, syncs to disk and closes. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#attempt(() => this.#handle.sync());
    await this.close();
  }

  /** Closes without flushing. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw writeError(cause, this.path);
    }
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#used + more));
    grown.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = grown;
  }
}

export function writeError(cause: unknown, path: string): StrataError {
  if (cause instanceof StrataError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new StrataError("unavailable", `cannot write ${path}: ${code}`, {cause, fields: {file: path}});
}

/** Makes the entries of a directory durable. */
export async function syncDir(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
