import type {RandomAccess} from "../random-access.ts";
import {corrupt} from "../wire.ts";
import {decodeSeriesEntry, type SeriesEntry, seriesEntrySize} from "./series-entry.ts";

/** How much of the index is read at once. */
const SCAN_BYTES = 64 * 1024;

/**
 * Decodes series entries in the order in which they lie, through one buffer. Memory: the buffer, or the longest entry
 * where that is more.
 */
export class EntryScanner {
  readonly #file: RandomAccess;
  readonly #scale: number;
  /** Where entries must have ended. */
  readonly #limit: number;
  readonly #room = Buffer.allocUnsafeSlow(SCAN_BYTES);
  #bytes: Uint8Array = this.#room.subarray(0, 0);
  #base = 0;

  /** The file offset of series `id` is id × `scale`. */
  constructor(file: RandomAccess, scale: number, limit: number) {
    this.#file = file;
    this.#scale = scale;
    this.#limit = limit;
  }

  /** Decodes the entry of series `id` into `entry`; a promise only where bytes have to be read. Throws `corrupt`. */
  decode(id: number, entry: SeriesEntry): Promise<void> | undefined {
    const from = id * this.#scale;
    const at = from - this.#base;
    const {length} = this.#bytes;
    if (at < 0 || at >= length) return this.#fetch(id, entry);
    const size = seriesEntrySize(this.#bytes, at, length);
    if (size < 0 || at + size > length) return this.#fetch(id, entry);
    decodeSeriesEntry(this.#bytes, at, at + size, entry, this.#file.name, this.#base);
    return undefined;
  }

  async #fetch(id: number, entry: SeriesEntry): Promise<void> {
    const {name} = this.#file;
    const from = id * this.#scale;
    if (from >= this.#limit) throw corrupt(name, from, `no series with id ${id}`, "index-series-checksum");
    const length = Math.min(SCAN_BYTES, this.#limit - from);
    this.#bytes = await this.#file.read(from, length, this.#room);
    this.#base = from;
    const size = seriesEntrySize(this.#bytes, 0, length);
    if (size < 0 || from + size > this.#limit) {
      throw corrupt(name, from, "series entry is longer than the file", "index-series-checksum");
    }
    if (size > length) this.#bytes = await this.#file.read(from, size);
    decodeSeriesEntry(this.#bytes, 0, size, entry, name, from);
  }
}
