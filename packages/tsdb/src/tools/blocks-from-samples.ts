import {encodeXorChunks} from "@strata/chunkenc";
import {compareLabels, type Labels} from "@strata/model";
import type {BlockMeta} from "../block-meta.ts";
import {BlockWriter} from "../writer/block-writer.ts";
import {SampleSpill} from "./sample-spill.ts";

/** Two hours: the shortest blocks, to whose multiples all are aligned; ms. */
export const SHORTEST_BLOCK = 2 * 60 * 60 * 1000;
/** Longer blocks grow by this factor, so that they fit the ranges that compaction merges into. */
const BLOCK_FACTOR = 3;
const MAX_STEPS = 9;
/** Samples held while samples still come, in bytes. */
const BUFFER_BYTES = 32 * 1024 * 1024;
/** Samples sorted at once while a block is written; 16 bytes each. A single series with more is sorted whole. */
const SORT_SAMPLES = 2 * 1024 * 1024;
const RECORD_WORDS = 5;

export type BlocksFromSamplesOptions = {
  /** From `blockRange`; 2 h by default. */
  readonly rangeMs?: number | undefined;
  readonly bufferBytes?: number | undefined;
  readonly sortSamples?: number | undefined;
};

/** The longest range of blocks that is aligned to compaction and not above `maxMs`; at least 2 h. */
export function blockRange(maxMs: number): number {
  let range = SHORTEST_BLOCK;
  for (let i = 0; i < MAX_STEPS && range * BLOCK_FACTOR <= maxMs; i++) range *= BLOCK_FACTOR;
  return range;
}

/**
 * Makes blocks of float samples that come in any order: `series` and `add` while they come, then `write`. Memory grows
 * with the number of series; samples lie in temporary files below the output directory as soon as they are many. Writing
 * reads the samples of a block once for each `sortSamples` of them, and once more to count.
 *
 * Times of a series may come in any order (the Go original drops or refuses those that go back); of several samples with
 * one time the first is kept, the others count as `dropped`.
 */
export class BlocksFromSamples {
  readonly #dir: string;
  readonly #spill: SampleSpill;
  readonly #sortSamples: number;
  readonly #labels: Labels[] = [];
  readonly #ids = new Map<string, number>();
  #dropped = 0;

  constructor(dir: string, options: BlocksFromSamplesOptions = {}) {
    this.#dir = dir;
    this.#spill = new SampleSpill(dir, options.rangeMs ?? SHORTEST_BLOCK, options.bufferBytes ?? BUFFER_BYTES);
    this.#sortSamples = options.sortSamples ?? SORT_SAMPLES;
  }

  /** Samples left out because their series has another one at the same time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The number of the series with these labels. */
  series(labels: Labels): number {
    const key = labels.toString();
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#labels.length;
      this.#labels.push(labels);
      this.#ids.set(key, id);
    }
    return id;
  }

  /** Adds a sample, t in whole ms. */
  add(series: number, t: number, value: number): void {
    this.#spill.add(series, t, value);
  }

  /** Whether so many samples are held that `flush` should be awaited. */
  get isDue(): boolean {
    return this.#spill.isDue;
  }

  flush(): Promise<void> {
    return this.#spill.flush();
  }

  /** Blocks that `write` will make. */
  get blocks(): number {
    return this.#spill.starts.length;
  }

  /** Writes the blocks, oldest first; each is there when it is given. Stops between blocks, and within, by `signal`. */
  async *write(signal: AbortSignal): AsyncGenerator<{readonly dir: string; readonly meta: BlockMeta}> {
    const order = Uint32Array.from(this.#labels.keys()).sort((a, b) =>
      compareLabels(this.#labels[a] as Labels, this.#labels[b] as Labels),
    );
    const ranks = new Uint32Array(order.length);
    order.forEach((id, rank) => {
      ranks[id] = rank;
    });
    for (const start of this.#spill.starts) {
      const writer = await BlockWriter.create(this.#dir);
      try {
        const times = {mint: Number.POSITIVE_INFINITY, maxt: Number.NEGATIVE_INFINITY};
        for await (const part of this.#sorted(start, ranks)) {
          signal.throwIfAborted();
          await this.#writePart(writer, part, order, times);
        }
        const meta = await writer.finish({minTime: times.mint, maxTime: times.maxt + 1});
        if (meta !== undefined) yield {dir: writer.dir, meta};
      } finally {
        await writer.abort();
      }
      await this.#spill.drop(start);
    }
  }

  /** The samples of a range by rank of their series, in parts that are sorted in memory. */
  async *#sorted(start: number, ranks: Uint32Array): AsyncGenerator<Part> {
    const counts = new Uint32Array(ranks.length);
    await this.#spill.read(start, (words, n) => {
      for (let i = 0; i < n; i++) {
        const rank = ranks[words[i * RECORD_WORDS] as number] as number;
        counts[rank] = (counts[rank] as number) + 1;
      }
    });
    for (let from = 0; from < counts.length; ) {
      let to = from;
      let samples = 0;
      while (to < counts.length && (samples === 0 || samples + (counts[to] as number) <= this.#sortSamples)) {
        samples += counts[to++] as number;
      }
      if (samples > 0) yield await this.#collect(start, ranks, counts, from, to, samples);
      from = to;
    }
  }

  async #collect(
    start: number,
    ranks: Uint32Array,
    counts: Uint32Array,
    from: number,
    to: number,
    samples: number,
  ): Promise<Part> {
    const ends = new Uint32Array(to - from);
    let end = 0;
    for (let rank = from; rank < to; rank++) {
      ends[rank - from] = end;
      end += counts[rank] as number;
    }
    const [t, v] = [new Float64Array(samples), new Float64Array(samples)];
    const [tWords, vWords] = [new Uint32Array(t.buffer), new Uint32Array(v.buffer)];
    await this.#spill.read(start, (words, n) => {
      for (let at = 0; at < n * RECORD_WORDS; at += RECORD_WORDS) {
        const rank = ranks[words[at] as number] as number;
        if (rank < from || rank >= to) continue;
        const slot = 2 * (ends[rank - from] as number);
        ends[rank - from] = slot / 2 + 1;
        tWords[slot] = words[at + 1] as number;
        tWords[slot + 1] = words[at + 2] as number;
        vWords[slot] = words[at + 3] as number;
        vWords[slot + 1] = words[at + 4] as number;
      }
    });
    return {firstRank: from, ends, t, v};
  }

  async #writePart(
    writer: BlockWriter,
    {firstRank, ends, t, v}: Part,
    order: Uint32Array,
    times: {mint: number; maxt: number},
  ): Promise<void> {
    for (let i = 0, from = 0; i < ends.length; i++) {
      const end = ends[i] as number;
      if (end === from) continue;
      const n = ascendingOnce(t.subarray(from, end), v.subarray(from, end));
      this.#dropped += end - from - n;
      writer.startSeries(this.#labels[order[firstRank + i] as number] as Labels);
      for (const chunk of encodeXorChunks({t, v, n: end}, from, from + n)) {
        const wait = writer.addChunk(chunk.mint, chunk.maxt, chunk.encoding, chunk.data);
        if (wait !== undefined) await wait;
      }
      const wait = writer.endSeries();
      if (wait !== undefined) await wait;
      times.mint = Math.min(times.mint, t[from] as number);
      times.maxt = Math.max(times.maxt, t[from + n - 1] as number);
      from = end;
    }
  }

  /** Removes temporary files; safe to call twice. */
  close(): Promise<void> {
    return this.#spill.close();
  }
}

/** Samples of the series firstRank, firstRank + 1, …: the i-th ends at ends[i] and begins where the one before ends. */
type Part = {
  readonly firstRank: number;
  readonly ends: Uint32Array;
  readonly t: Float64Array;
  readonly v: Float64Array;
};

/** Sorts one series by time in place and keeps the first sample of each time; gives how many are left. */
function ascendingOnce(t: Float64Array, v: Float64Array): number {
  let strictly = true;
  for (let i = 1; i < t.length && strictly; i++) strictly = (t[i - 1] as number) < (t[i] as number);
  if (strictly) return t.length;
  const order = Uint32Array.from(t.keys()).sort((a, b) => (t[a] as number) - (t[b] as number) || a - b);
  const [oldT, oldV] = [t.slice(), v.slice()];
  const from = new Uint32Array(oldV.buffer);
  const into = new Uint32Array(v.buffer, v.byteOffset, 2 * v.length);
  let n = 0;
  for (const at of order) {
    if (n > 0 && t[n - 1] === oldT[at]) continue;
    t[n] = oldT[at] as number;
    // By words, so that a NaN keeps its bits.
    into[2 * n] = from[2 * at] as number;
    into[2 * n + 1] = from[2 * at + 1] as number;
    n++;
  }
  return n;
}
