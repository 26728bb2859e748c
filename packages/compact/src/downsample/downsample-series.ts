import {StrataError} from "@strata/base";
import {ENCODING} from "@strata/chunkenc";
import type {KernelArena} from "@strata/kernels";
import {type BlockCursor, offsetOf, type StoredChunks, segmentOf} from "@strata/tsdb/blocks";
import {type AggregateChunk, aggregateChunk, downsampleAggregates} from "./aggregate-series.ts";
import {RawSeries} from "./raw-series.ts";
import {RESOLUTION} from "./resolution.ts";

/** Takes downsampled series in order; a promise only where there is something to wait for. */
export type SeriesSink = {
  start(refs: readonly number[]): void;
  chunk(mint: number, maxt: number, data: Uint8Array): Promise<void> | undefined;
  end(): Promise<void> | undefined;
};

type Chunk = {readonly mint: number; readonly maxt: number; readonly data: Uint8Array};

/** Downsamples series of one block, one after the other. */
export class SeriesDownsampler {
  readonly #dir: string;
  readonly #from: number;
  readonly #to: number;
  readonly #raw: RawSeries;
  /** What a raw chunk that lies in a downsampled block goes through first. */
  readonly #leftover: RawSeries | undefined;
  readonly #out: Chunk[] = [];

  /** `dir` for messages; from one resolution to another, ms. Memory is the arena's, which the caller closes. */
  constructor(dir: string, from: number, to: number, arena: KernelArena) {
    this.#dir = dir;
    this.#from = from;
    this.#to = to;
    this.#raw = new RawSeries(to, arena);
    this.#leftover = from === RESOLUTION.raw ? undefined : new RawSeries(from, arena);
  }

  /** All series of the cursor; those with nothing left are passed over. */
  async run(cursor: BlockCursor, sink: SeriesSink, signal: AbortSignal | undefined): Promise<void> {
    const out = this.#out;
    for (;;) {
      const more = cursor.next();
      if (!(typeof more === "boolean" ? more : await more)) return;
      signal?.throwIfAborted();
      out.length = 0;
      this.#series(cursor);
      if (out.length === 0) continue;
      sink.start(cursor.refs);
      for (const {mint, maxt, data} of out) {
        const wait = sink.chunk(mint, maxt, data);
        if (wait !== undefined) await wait;
      }
      const wait = sink.end();
      if (wait !== undefined) await wait;
    }
  }

  #series(cursor: BlockCursor): void {
    const {chunks, from, to} = cursor;
    this.#checkOrder(chunks, from, to);
    const emit = (mint: number, maxt: number, data: Uint8Array): void => void this.#out.push({mint, maxt, data});
    if (this.#from === RESOLUTION.raw) this.#raw.downsample(chunks, from, to, emit);
    else downsampleAggregates(this.#aggregates(chunks, from, to), this.#from, this.#to, emit);
  }

  #aggregates(chunks: StoredChunks, from: number, to: number): AggregateChunk[] {
    const list: AggregateChunk[] = [];
    for (let i = from; i < to; i++) {
      const data = chunks.buffer[i] as Uint8Array;
      const at = (chunks.at[i] as number) + 1;
      const length = (chunks.end[i] as number) - at;
      const mint = chunks.mint[i] as number;
      const maxt = chunks.maxt[i] as number;
      if (data[at - 1] === ENCODING.aggregate) list.push(aggregateChunk(mint, maxt, data, at, length));
      else {
        // Compat: an old fault of the original left raw chunks, most of them empty, in downsampled blocks.
        const emit = (first: number, last: number, made: Uint8Array): void =>
          void list.push(aggregateChunk(first, last, made, 0, made.length));
        this.#leftover?.downsample(chunks, i, i + 1, emit);
      }
    }
    return list;
  }

  #checkOrder(chunks: StoredChunks, from: number, to: number): void {
    for (let i = from + 1; i < to; i++) {
      if ((chunks.mint[i] as number) > (chunks.maxt[i - 1] as number)) continue;
      const ref = chunks.ref[i] as number;
      throw new StrataError(
        "corrupt",
        `cannot downsample ${this.#dir}: chunk at ${offsetOf(ref)} of segment ${segmentOf(ref)} begins at ` +
          `${chunks.mint[i]}, before the one in front of it has ended (${chunks.maxt[i - 1]})`,
        {fields: {class: "chunk-out-of-order"}},
      );
    }
  }
}
