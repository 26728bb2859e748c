import {StrataError} from "@strata/base";
import {type Kernel, type KernelArena, kernel} from "@strata/kernels";
import {offsetOf, type StoredChunks, segmentOf} from "@strata/tsdb/blocks";

/** Samples decoded at once, unless one chunk states more. PERF: columns of this size stay in the cache. */
const PIECE_SAMPLES = 64 * 1024;
/** No chunk states more. */
const MAX_CHUNK_SAMPLES = 65535;
const COLUMN_BYTES = 8 * (PIECE_SAMPLES + MAX_CHUNK_SAMPLES);
const PIECE_CHUNKS = 4096;

/** Decodes float chunks into two columns in linear memory, a piece of the series at a time. */
export class FloatLoader {
  readonly t: number;
  readonly v: number;
  readonly #k: Kernel;
  readonly #arena: KernelArena;
  readonly #offsets: number;
  readonly #lengths: number;
  readonly #encodings: number;
  #source = 0;
  #sourceBytes = 0;

  constructor(arena: KernelArena, k: Kernel = kernel()) {
    this.#k = k;
    this.#arena = arena;
    this.t = arena.alloc(COLUMN_BYTES);
    this.v = arena.alloc(COLUMN_BYTES);
    this.#offsets = arena.alloc(4 * PIECE_CHUNKS);
    this.#lengths = arena.alloc(4 * PIECE_CHUNKS);
    this.#encodings = arena.alloc(PIECE_CHUNKS);
  }

  /** Where the piece of rows [from, …) ends that is decoded at once. */
  pieceEnd(chunks: StoredChunks, from: number, to: number): number {
    const last = Math.min(to, from + PIECE_CHUNKS);
    let samples = 0;
    for (let i = from; i < last; i++) {
      const data = chunks.buffer[i] as Uint8Array;
      const at = (chunks.at[i] as number) + 1;
      samples += ((data[at] as number) << 8) | (data[at + 1] as number);
      if (samples > PIECE_SAMPLES) return Math.max(i, from + 1);
    }
    return last;
  }

  /**
   * Decodes rows [from, to), a piece as `pieceEnd` gives it, and leaves out stale markers and samples that are behind one
   * before them or behind `lastT`. How many samples `t` and `v` then hold. Throws `corrupt`.
   */
  load(chunks: StoredChunks, from: number, to: number, lastT: number): number {
    this.#reserve(chunks, from, to);
    const k = this.#k;
    const u8 = k.u8();
    const u32 = k.u32();
    let used = 0;
    for (let i = from; i < to; i++) {
      const data = chunks.buffer[i] as Uint8Array;
      const at = chunks.at[i] as number;
      const end = chunks.end[i] as number;
      u8.set(data.subarray(at + 1, end), this.#source + used);
      const row = i - from;
      u32[this.#offsets / 4 + row] = used;
      u32[this.#lengths / 4 + row] = end - at - 1;
      u8[this.#encodings + row] = data[at] as number;
      used += end - at - 1;
    }
    const room = PIECE_SAMPLES + MAX_CHUNK_SAMPLES;
    const {exports} = k;
    const n = exports.floatDecodeMany(
      this.#source,
      this.#offsets,
      this.#lengths,
      this.#encodings,
      to - from,
      this.t,
      this.v,
      room,
    );
    if (n < 0) throw undecodable(chunks, from - n - 1);
    return exports.downsampleClean(this.t, this.v, n, lastT);
  }

  #reserve(chunks: StoredChunks, from: number, to: number): void {
    let bytes = 64;
    for (let i = from; i < to; i++) bytes += (chunks.end[i] as number) - (chunks.at[i] as number);
    if (bytes <= this.#sourceBytes) return;
    this.#arena.free(this.#source);
    this.#sourceBytes = Math.max(bytes, 2 * this.#sourceBytes, 64 * 1024);
    this.#source = this.#arena.alloc(this.#sourceBytes);
  }
}

/** What is wrong with row `i`, whose checksum was right but whose content is not. */
export function undecodable(chunks: StoredChunks, i: number): StrataError {
  const ref = chunks.ref[i] as number;
  const place = `segment ${segmentOf(ref)} at ${offsetOf(ref)}`;
  return new StrataError("corrupt", `cannot decode chunk in ${place}: it does not hold the samples it states`, {
    fields: {segment: segmentOf(ref), offset: offsetOf(ref), class: "chunk-unreadable"},
  });
}
