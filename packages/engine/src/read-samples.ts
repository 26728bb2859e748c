import {StrataError} from "@strata/base";
import {ENCODING, splitAggregates} from "@strata/chunkenc";
import {type Kernel, KernelArena, kernel} from "@strata/kernels";
import {AGGREGATE, dedupLanes, type Lane, splitLanes} from "@strata/series";
import {type ChunkSamples, ENCODING_XOR} from "./decode-chunk.ts";
import type {Evaluation} from "./evaluation.ts";
import {detectReset} from "./histogram/compare.ts";
import {type FloatHistogram, HINT, isCustom} from "./histogram/float-histogram.ts";
import type {SampleColumns} from "./sample-columns.ts";
import {type Hints, isCounterFunc, type SeriesPart, type SourceSeries} from "./select-series.ts";

/** Where one chunk's data lies in its batch's bytes. */
type Part = {readonly encoding: number; readonly from: number; readonly length: number};

/** One chunk of a series: its raw data, or the aggregates of a downsampled one, by AGGREGATE. */
type Chunk = {
  readonly bytes: Uint8Array;
  readonly mint: number;
  readonly maxt: number;
  readonly parts: (Part | undefined)[];
};

/**
 * Reads the samples of source series into SampleColumns: decodes, chooses the downsampled column that stands for the
 * function, merges replicas or, without dedup, reads overlapping chunks one after the other as Thanos does.
 */
export class SampleReader {
  readonly #ev: Evaluation;
  readonly #func: string;
  readonly #stats: boolean;
  readonly #mint: number;
  readonly #maxt: number;
  readonly #into: SampleColumns;
  readonly #k: Kernel = kernel();
  readonly #arena: KernelArena;
  /** Where a series' chunk bytes are put for decoding. */
  #bytes = 0;
  #bytesRoom = 0;
  /** Offsets, then lengths, of its chunks. */
  #table = 0;
  #tableRoom = 0;

  /** Samples outside [mint, maxt] (ms, inclusive) may be read too; windows do not reach them. */
  constructor(ev: Evaluation, hints: Hints, mint: number, maxt: number, into: SampleColumns) {
    this.#ev = ev;
    this.#func = hints.func;
    this.#stats = hints.stats;
    this.#mint = mint;
    this.#maxt = maxt;
    this.#into = into;
    this.#arena = new KernelArena("encoded chunks", ev.budget);
  }

  close(): void {
    this.#arena.close();
  }

  /** Fills the columns with the series' samples, stale markers included. */
  read(series: SourceSeries): void {
    const into = this.#into;
    into.clear();
    const part = series.parts[0] as SeriesPart;
    if (series.parts.length === 1 && this.#plainFloats(part)) this.#readPlain(series, part);
    else this.#readMerged(series);
    this.#ev.readSamples(into.n + into.hn);
  }

  /** Whether the chunks are raw XOR chunks, one after the other in time. */
  #plainFloats({batch, from, to}: SeriesPart): boolean {
    let end = -Infinity;
    for (let i = from; i < to; i++) {
      if (batch.encoding[i] !== ENCODING_XOR || batch.aggregate[i] !== AGGREGATE.raw) return false;
      if ((batch.mint[i] as number) <= end) return false;
      end = batch.maxt[i] as number;
    }
    return true;
  }

  /** PERF: one copy of the series' bytes into kernel memory and one call that decodes all its chunks. */
  #readPlain(series: SourceSeries, {batch, from, to}: SeriesPart): void {
    let first = from;
    let last = to;
    while (first < last && (batch.maxt[first] as number) < this.#mint) first++;
    while (last > first && (batch.mint[last - 1] as number) > this.#maxt) last--;
    if (first === last) return;
    let low = Infinity;
    let high = 0;
    let samples = 0;
    let total = 0;
    for (let i = first; i < last; i++) {
      const offset = batch.offset[i] as number;
      const length = batch.length[i] as number;
      if (offset < low) low = offset;
      if (offset + length > high) high = offset + length;
      total += length;
      samples += length < 2 ? 0 : ((batch.bytes[offset] as number) << 8) | (batch.bytes[offset + 1] as number);
    }
    if (high - low > 2 * total || high > batch.bytes.length) {
      this.#readMerged(series);
      return;
    }
    const chunks = last - first;
    this.#stage(high - low, chunks);
    const into = this.#into;
    into.reserve(samples);
    this.#k.u8().set(batch.bytes.subarray(low, high), this.#bytes);
    const u32 = this.#k.u32();
    const offsets = this.#table / 4;
    for (let i = 0; i < chunks; i++) {
      u32[offsets + i] = (batch.offset[first + i] as number) - low;
      u32[offsets + chunks + i] = batch.length[first + i] as number;
    }
    const {ts, vs} = into.columns;
    const n = this.#k.exports.xorDecodeMany(
      this.#bytes,
      this.#table,
      this.#table + 4 * chunks,
      chunks,
      ts,
      vs,
      samples,
    );
    // A corrupt chunk: the other way names it, or leaves it out where the answer may be partial.
    if (n < 0) this.#readMerged(series);
    else into.n = n;
  }

  #stage(bytes: number, chunks: number): void {
    // Decoders read up to 16 bytes past the end.
    if (bytes + 16 > this.#bytesRoom) {
      this.#arena.free(this.#bytes);
      this.#bytesRoom = 0;
      this.#bytes = this.#arena.alloc(2 * bytes + 64);
      this.#bytesRoom = 2 * bytes + 64;
    }
    if (chunks > this.#tableRoom) {
      this.#arena.free(this.#table);
      this.#tableRoom = 0;
      this.#table = this.#arena.alloc(16 * chunks);
      this.#tableRoom = 2 * chunks;
    }
  }

  /** Everything else: mixed encodings, downsampled chunks, several sources, overlaps. */
  #readMerged(series: SourceSeries): void {
    const chunks = this.#chunksOf(series);
    const {dedup} = this.#ev.options;
    const merge = dedup.enabled && dedup.replicaLabels.length > 0;
    const counter = isCounterFunc(this.#func);
    const laneOf = merge
      ? splitLanes(
          chunks.map((c) => c.mint),
          chunks.map((c) => c.maxt),
          chunks.length,
        )
      : [];
    const lanes: SampleList[] = [];
    for (let i = 0; i < chunks.length; i++) {
      const at = laneOf[i] ?? 0;
      let lane = lanes[at];
      if (lane === undefined) {
        lane = new SampleList();
        lanes[at] = lane;
      }
      this.#append(lane, chunks[i] as Chunk, series);
    }
    if (lanes.length === 0) return;
    const merged =
      lanes.length === 1
        ? (lanes[0] as SampleList).lane()
        : dedupLanes(
            lanes.map((l) => l.lane(counter)),
            dedup.func,
            counter && dedup.func === "penalty",
          );
    this.#fill(merged, lanes);
  }

  /** The chunks that may hold something in [mint, maxt], by mint; aggregates of one chunk put together. */
  #chunksOf(series: SourceSeries): Chunk[] {
    const chunks: Chunk[] = [];
    for (const {batch, from, to} of series.parts) {
      let open: Chunk | undefined;
      for (let i = from; i < to; i++) {
        const mint = batch.mint[i] as number;
        const maxt = batch.maxt[i] as number;
        if (maxt < this.#mint || mint > this.#maxt) continue;
        const aggregate = batch.aggregate[i] as number;
        const part = {
          encoding: batch.encoding[i] as number,
          from: batch.offset[i] as number,
          length: batch.length[i] as number,
        };
        const goesOn = aggregate !== AGGREGATE.raw && open?.mint === mint && open.maxt === maxt;
        if ((open === undefined || !goesOn || open.parts[AGGREGATE.raw]) ?? open.parts[aggregate]) {
          open = {bytes: batch.bytes, mint, maxt, parts: []};
          chunks.push(open);
        }
        open.parts[aggregate] = part;
      }
    }
    return chunks.sort((a, b) => a.mint - b.mint);
  }

  /** Appends what of the chunk lies after the lane's last sample and within [mint, maxt]. */
  #append(lane: SampleList, chunk: Chunk, series: SourceSeries): void {
    try {
      const func = this.#func;
      const wanted = columnFor(func);
      const parts = unpack(chunk);
      const decode = (aggregate: number): ChunkSamples | undefined => {
        const part = parts[aggregate];
        return part && this.#ev.options.decodeChunk(part.encoding, chunk.bytes, part.from, part.length);
      };
      const raw = decode(AGGREGATE.raw);
      if (raw !== undefined) {
        lane.append(raw, this.#mint, this.#maxt);
        return;
      }
      const sum = wanted === undefined ? decode(AGGREGATE.sum) : undefined;
      const column = wanted === undefined ? decode(AGGREGATE.count) : decode(wanted);
      if (column === undefined || (wanted === undefined && sum === undefined)) {
        throw new StrataError("corrupt", `no valid chunk found for ${func || "average"}`);
      }
      if (wanted === AGGREGATE.counter) lane.appendCounter(column, this.#mint, this.#maxt);
      else lane.append(sum === undefined ? column : averages(sum, column), this.#mint, this.#maxt);
    } catch (err) {
      const text = `cannot read chunk [${chunk.mint}, ${chunk.maxt}] of series ${series.labels}: ${(err as Error).message}`;
      if (!(err instanceof StrataError) || err.code !== "corrupt") throw err;
      if (!this.#ev.options.partialResponse) throw new StrataError("corrupt", text, {cause: err});
      this.#ev.annotations.note(text);
    }
  }

  /** Splits a lane into float columns and histogram lists. */
  #fill(merged: Lane, lanes: readonly SampleList[]): void {
    const into = this.#into;
    const starts = lanes.some((l) => l.starts !== undefined) ? (lanes[0] as SampleList).starts : undefined;
    if (merged.other === undefined) {
      into.setFloats(merged.ts, merged.vs, merged.n);
      if (starts !== undefined) into.st = Float64Array.from(starts.slice(0, merged.n));
      return;
    }
    const ts = new Float64Array(merged.n);
    const vs = new Float64Array(merged.n);
    const bits = new BigUint64Array(vs.buffer);
    const from = new BigUint64Array(merged.vs.buffer, merged.vs.byteOffset, merged.n);
    const hts: number[] = [];
    const hs: FloatHistogram[] = [];
    const fst: number[] = [];
    const hst: number[] = [];
    let n = 0;
    for (let i = 0; i < merged.n; i++) {
      const h = merged.other[i] as FloatHistogram | undefined;
      if (h !== undefined) {
        hts.push(merged.ts[i] as number);
        hs.push(h);
        hst.push(starts?.[i] ?? 0);
      } else {
        ts[n] = merged.ts[i] as number;
        bits[n++] = from[i] as bigint;
        fst.push(starts?.[i] ?? 0);
      }
    }
    into.setFloats(ts, vs, n);
    into.setHistograms(hts, this.#stats ? withoutBuckets(hs) : hs);
    if (starts !== undefined) {
      into.st = Float64Array.from(fst);
      into.hst = hst;
    }
  }
}

/**
 * Counts and sums alone. With the buckets goes what resets are found by, so hints are worked out first: each histogram
 * of unknown hint is compared with the one read before it.
 */
function withoutBuckets(hs: readonly FloatHistogram[]): FloatHistogram[] {
  return hs.map((h, i) => {
    let {hint} = h;
    if (hint === HINT.unknown && i > 0) hint = detectReset(h, hs[i - 1] as FloatHistogram) ? HINT.reset : HINT.notReset;
    const schema = isCustom(h) ? h.schema : 0;
    return {...h, hint, schema, zeroThreshold: 0, zeroCount: 0, pi: [], pv: [], ni: [], nv: []};
  });
}

/** The parts of a chunk, a packed downsampled one taken apart. */
function unpack(chunk: Chunk): Chunk["parts"] {
  const raw = chunk.parts[AGGREGATE.raw];
  if (raw?.encoding !== ENCODING.aggregate) return chunk.parts;
  return [undefined, ...splitAggregates(chunk.bytes, raw.from, raw.length)];
}

/** The downsampled column that stands for the samples under a function; undefined: sum / count. */
function columnFor(func: string): number | undefined {
  if (func === "min" || func.startsWith("min_")) return AGGREGATE.min;
  if (func === "max" || func.startsWith("max_")) return AGGREGATE.max;
  if (func === "count" || func.startsWith("count_")) return AGGREGATE.count;
  if (func.startsWith("sum_")) return AGGREGATE.sum;
  if (isCounterFunc(func) || func === "xincrease" || func === "xrate") return AGGREGATE.counter;
  return undefined;
}

/** Sum by count where both have a sample of equal time. */
function averages(sums: ChunkSamples, counts: ChunkSamples): ChunkSamples {
  const n = Math.min(sums.n, counts.n);
  const ts = new Float64Array(n);
  const vs = new Float64Array(n);
  let out = 0;
  for (let i = 0, j = 0; i < sums.n && j < counts.n; ) {
    const a = sums.ts[i] as number;
    const b = counts.ts[j] as number;
    if (a === b) {
      ts[out] = a;
      vs[out++] = (sums.vs[i++] as number) / (counts.vs[j++] as number);
    } else if (a < b) i++;
    else j++;
  }
  return {ts, vs, n: out, hs: undefined, st: undefined};
}

const STALE_BITS = 0x7ff0000000000002n;

/** Samples of consecutive chunks, growing. */
class SampleList {
  #ts = new Float64Array(256);
  #vs = new Float64Array(256);
  #n = 0;
  #hs: (FloatHistogram | undefined)[] | undefined;
  starts: number[] | undefined;
  /** Running value of counter chunks: what has been counted, and the last value and time seen. */
  #total = 0;
  #lastV = 0;
  #counterT = -Infinity;

  append(samples: ChunkSamples, mint: number, maxt: number): void {
    const from = new BigUint64Array(samples.vs.buffer, samples.vs.byteOffset, samples.n);
    this.#reserve(samples.n);
    const to = new BigUint64Array(this.#vs.buffer);
    for (let i = 0; i < samples.n; i++) {
      const t = samples.ts[i] as number;
      if (t < mint || t > maxt || (this.#n > 0 && t <= (this.#ts[this.#n - 1] as number))) continue;
      this.#ts[this.#n] = t;
      to[this.#n] = from[i] as bigint;
      const h = samples.hs?.[i];
      if (h !== undefined) {
        this.#hs ??= [];
        this.#hs[this.#n] = h;
      }
      if (samples.st !== undefined) {
        this.starts ??= [];
        while (this.starts.length < this.#n) this.starts.push(0);
        this.starts[this.#n] = samples.st[i] as number;
      }
      this.#n++;
    }
  }

  /**
   * A downsampled counter chunk: resets are taken out across chunks, NaN skipped, and its last point, which repeats the
   * time before it, only carries the value to go on from.
   */
  appendCounter(samples: ChunkSamples, mint: number, maxt: number): void {
    this.#reserve(samples.n);
    for (let i = 0; i < samples.n; i++) {
      const t = samples.ts[i] as number;
      const v = samples.vs[i] as number;
      if (Number.isNaN(v) || t < this.#counterT) continue;
      if (t === this.#counterT) {
        this.#lastV = v;
        continue;
      }
      if (this.#counterT === -Infinity) this.#total = v;
      else this.#total += v >= this.#lastV ? v - this.#lastV : v;
      this.#lastV = v;
      this.#counterT = t;
      if (t < mint || t > maxt) continue;
      this.#ts[this.#n] = t;
      this.#vs[this.#n++] = this.#total;
    }
  }

  /** The list as a lane. Counters' NaN go here: a replica's stale marker must not end the other's life. */
  lane(dropNaN = false): Lane {
    if (!dropNaN) return {ts: this.#ts, vs: this.#vs, n: this.#n, other: this.#hs};
    const kept: number[] = [];
    const bits = new BigUint64Array(this.#vs.buffer);
    for (let i = 0; i < this.#n; i++) if (this.#hs?.[i] !== undefined || bits[i] !== STALE_BITS) kept.push(i);
    return {
      ts: Float64Array.from(kept, (i) => this.#ts[i] as number),
      vs: Float64Array.from(kept, (i) => this.#vs[i] as number),
      n: kept.length,
      other: this.#hs && kept.map((i) => this.#hs?.[i]),
    };
  }

  #reserve(more: number): void {
    if (this.#n + more <= this.#ts.length) return;
    const room = Math.max(2 * this.#ts.length, this.#n + more);
    const ts = new Float64Array(room);
    const vs = new Float64Array(room);
    ts.set(this.#ts.subarray(0, this.#n));
    vs.set(this.#vs.subarray(0, this.#n));
    this.#ts = ts;
    this.#vs = vs;
  }
}
