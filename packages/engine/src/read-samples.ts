import {StrataError} from "@strata/base";
import {ENCODING, splitAggregates} from "@strata/chunkenc";
import {dedupPenalty, type Kernel, KernelArena, type KernelColumns, kernel} from "@strata/kernels";
import {AGGREGATE, dedupLanes, type Lane, type SeriesBatch, splitLanes} from "@strata/series";
import {type ChunkSamples, ENCODING_XOR} from "./decode-chunk.ts";
import type {Evaluation} from "./evaluation.ts";
import {detectReset} from "./histogram/compare.ts";
import {divide, type FloatHistogram, HINT} from "./histogram/float-histogram.ts";
import type {TimeRange} from "./read-ranges.ts";
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
  readonly #asked: TimeRange;
  readonly #cut: TimeRange;
  readonly #into: SampleColumns;
  readonly #k: Kernel = kernel();
  readonly #arena: KernelArena;
  /** Where a series' chunk bytes are put for decoding. */
  #bytes = 0;
  #bytesRoom = 0;
  /** Offsets, then lengths, of its chunks. */
  #table = 0;
  #tableRoom = 0;
  /** Columns of replicas before they are merged. */
  #lane = 0;
  #laneRoom = 0;

  /** Reads the chunks that reach into `asked`; samples outside of it may be read too: windows do not reach them. */
  constructor(ev: Evaluation, hints: Hints, asked: TimeRange, into: SampleColumns) {
    this.#ev = ev;
    this.#func = hints.func;
    this.#stats = hints.stats === "yes";
    this.#asked = asked;
    this.#cut = ev.ranges.cut(asked);
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
    const runs = series.parts.length === 1 ? this.#runs(part) : undefined;
    if (runs === undefined || !this.#readRuns(part, runs)) this.#readMerged(series);
    this.#ev.decoded(into.n + into.hn);
  }

  /**
   * The chunks' indexes by lane: one for chunks one after the other in time, two for a pair of replicas to be merged by
   * penalty. undefined for whatever kernels cannot read on their own: other encodings, more lanes, overlaps without dedup.
   */
  #runs({batch, from, to}: SeriesPart): number[][] | undefined {
    const {dedup} = this.#ev.options;
    const merge = dedup.enabled && dedup.replicaLabels.length > 0 && dedup.func === "penalty";
    const ends = [-Infinity, -Infinity];
    const lanes: number[][] = [[], []];
    for (let i = from; i < to; i++) {
      if (batch.encoding[i] !== ENCODING_XOR || batch.aggregate[i] !== AGGREGATE.raw) return undefined;
      const mint = batch.mint[i] as number;
      const maxt = batch.maxt[i] as number;
      if (maxt < this.#asked.mint || mint > this.#asked.maxt) continue;
      const lane = mint > (ends[0] as number) ? 0 : 1;
      if (lane === 1 && (!merge || mint <= (ends[1] as number))) return undefined;
      ends[lane] = maxt;
      (lanes[lane] as number[]).push(i);
    }
    return lanes;
  }

  /** PERF: bytes copied into kernel memory, one call that decodes a lane, one that merges two. False if one is corrupt. */
  #readRuns({batch}: SeriesPart, [first, second]: number[][]): boolean {
    const into = this.#into;
    const a = first as number[];
    const b = second as number[];
    if (b.length === 0) {
      into.reserve(samplesOf(batch, a));
      into.n = this.#decode(batch, a, into.columns);
      return into.n >= 0;
    }
    const [roomA, roomB] = [samplesOf(batch, a), samplesOf(batch, b)];
    const lanes = this.#lanes(roomA, roomB);
    let na = this.#decode(batch, a, lanes.a);
    let nb = this.#decode(batch, b, lanes.b);
    if (na < 0 || nb < 0) return false;
    const counter = mergesAsCounter(this.#func);
    if (counter) [na, nb] = [this.#addUp(lanes.a, na), this.#addUp(lanes.b, nb)];
    [na, nb] = [this.#clip(lanes.a, na), this.#clip(lanes.b, nb)];
    into.reserve(na + nb);
    into.n = dedupPenalty(this.#k, lanes.a, na, lanes.b, nb, counter, into.columns);
    return true;
  }

  /** Decodes chunks, one after the other, into columns that have room for them; -1 when one is corrupt. */
  #decode(batch: SeriesBatch, chunks: readonly number[], to: KernelColumns): number {
    if (chunks.length === 0) return 0;
    let low = Infinity;
    let high = 0;
    let total = 0;
    for (const i of chunks) {
      const offset = batch.offset[i] as number;
      const length = batch.length[i] as number;
      if (offset < low) low = offset;
      if (offset + length > high) high = offset + length;
      total += length;
    }
    if (high > batch.bytes.length) return -1;
    // Chunks of one lane mostly lie side by side; else they are copied one by one.
    const together = high - low <= 2 * total;
    this.#stage(together ? high - low : total, chunks.length);
    const u8 = this.#k.u8();
    const u32 = this.#k.u32();
    const table = this.#table / 4;
    if (together) u8.set(batch.bytes.subarray(low, high), this.#bytes);
    let at = 0;
    let room = 0;
    for (let k = 0; k < chunks.length; k++) {
      const i = chunks[k] as number;
      const offset = batch.offset[i] as number;
      const length = batch.length[i] as number;
      if (!together) u8.set(batch.bytes.subarray(offset, offset + length), this.#bytes + at);
      u32[table + k] = together ? offset - low : at;
      u32[table + chunks.length + k] = length;
      at += length;
      room += statedSamples(batch, i);
    }
    const n = this.#k.exports.xorDecodeMany(
      this.#bytes,
      this.#table,
      this.#table + 4 * chunks.length,
      chunks.length,
      to.ts,
      to.vs,
      room,
    );
    return n < 0 ? -1 : n;
  }

  /** Columns for two lanes. */
  #lanes(roomA: number, roomB: number): {a: KernelColumns; b: KernelColumns} {
    const room = roomA + roomB;
    if (room > this.#laneRoom || this.#laneRoom === 0) {
      this.#arena.free(this.#lane);
      this.#laneRoom = 0;
      this.#lane = this.#arena.alloc(32 * room + 64);
      this.#laneRoom = 2 * room + 4;
    }
    const at = (entries: number) => this.#lane + 8 * entries;
    return {a: {ts: at(0), vs: at(roomA)}, b: {ts: at(2 * roomA), vs: at(2 * roomA + roomB)}};
  }

  /** Cuts a lane's end off at maxt and its beginning at mint, since penalties must not see what lies outside. */
  /** See SampleList.appendCounter. */
  #addUp(lane: KernelColumns, n: number): number {
    const f64 = this.#k.f64();
    const [ts, vs] = [lane.ts / 8, lane.vs / 8];
    let out = 0;
    let total = 0;
    let last = 0;
    for (let i = 0; i < n; i++) {
      const v = f64[vs + i] as number;
      if (Number.isNaN(v)) continue;
      if (out === 0) total = v;
      else total += v >= last ? v - last : v;
      last = v;
      f64[ts + out] = f64[ts + i] as number;
      f64[vs + out++] = total;
    }
    return out;
  }

  #clip(lane: KernelColumns, n: number): number {
    const f64 = this.#k.f64();
    const [ts, vs] = [lane.ts / 8, lane.vs / 8];
    let to = n;
    while (to > 0 && (f64[ts + to - 1] as number) > this.#cut.maxt) to--;
    let from = 0;
    while (from < to && (f64[ts + from] as number) < this.#cut.mint) from++;
    if (from > 0) {
      f64.copyWithin(ts, ts + from, ts + to);
      f64.copyWithin(vs, vs + from, vs + to);
    }
    return to - from;
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
    const laneOf = merge
      ? splitLanes(
          chunks.map((c) => c.mint),
          chunks.map((c) => c.maxt),
          chunks.length,
        )
      : [];
    const counter = mergesAsCounter(this.#func) && laneOf.some((lane) => lane > 0);
    const lanes: SampleList[] = [];
    for (let i = 0; i < chunks.length; i++) {
      const at = laneOf[i] ?? 0;
      let lane = lanes[at];
      if (lane === undefined) {
        lane = new SampleList();
        lanes[at] = lane;
      }
      this.#append(lane, chunks[i] as Chunk, series, counter);
    }
    if (lanes.length === 0) return;
    const merged =
      lanes.length === 1
        ? (lanes[0] as SampleList).lane()
        : dedupLanes(
            lanes.map((l) => l.lane()),
            dedup.func,
            counter && dedup.func === "penalty",
          );
    this.#fill(merged, lanes);
  }

  /** The chunks that may hold something of what is asked for, by mint; aggregates of one chunk put together. */
  #chunksOf(series: SourceSeries): Chunk[] {
    const chunks: Chunk[] = [];
    for (const {batch, from, to} of series.parts) {
      let open: Chunk | undefined;
      for (let i = from; i < to; i++) {
        const mint = batch.mint[i] as number;
        const maxt = batch.maxt[i] as number;
        if (maxt < this.#asked.mint || mint > this.#asked.maxt) continue;
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

  /** Appends what of the chunk lies after the lane's last sample and within the cut; `counter` adds up raw data, too. */
  #append(lane: SampleList, chunk: Chunk, series: SourceSeries, counter: boolean): void {
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
        // What follows a downsampled counter goes on from its total.
        if (counter || (wanted === AGGREGATE.counter && lane.addsUp)) {
          lane.appendCounter(raw, this.#cut.mint, this.#cut.maxt);
        } else lane.append(raw, this.#cut.mint, this.#cut.maxt);
        return;
      }
      const sum = wanted === undefined ? decode(AGGREGATE.sum) : undefined;
      const column = wanted === undefined ? decode(AGGREGATE.count) : decode(wanted);
      if (column === undefined || (wanted === undefined && sum === undefined)) {
        throw new StrataError("corrupt", `no valid chunk found for ${func || "average"}`);
      }
      if (wanted === AGGREGATE.counter) lane.appendCounter(column, this.#cut.mint, this.#cut.maxt);
      else lane.append(sum === undefined ? column : averages(sum, column), this.#cut.mint, this.#cut.maxt);
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
    return {...h, hint, zeroThreshold: 0, zeroCount: 0, pi: [], pv: [], ni: [], nv: [], custom: []};
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

/**
 * Whether replicas are merged as counters: each is added up first, resets taken out, and the one switched to is lifted to
 * where the other was; else a switch would look like a reset, or a reset would be lost in one. Not under `resets`, which
 * counts what would be taken out.
 */
const mergesAsCounter = (func: string): boolean => isCounterFunc(func) && func !== "resets";

/** Sum by count where both have a sample of equal time; the sum of histograms is a histogram, their count a number. */
function averages(sums: ChunkSamples, counts: ChunkSamples): ChunkSamples {
  const n = Math.min(sums.n, counts.n);
  const ts = new Float64Array(n);
  const vs = new Float64Array(n);
  const hs: FloatHistogram[] | undefined = sums.hs && [];
  let out = 0;
  for (let i = 0, j = 0; i < sums.n && j < counts.n; ) {
    const a = sums.ts[i] as number;
    const b = counts.ts[j] as number;
    if (a === b) {
      const h = sums.hs?.[i];
      ts[out] = a;
      if (h !== undefined && hs !== undefined) hs[out] = divide(h, counts.vs[j] as number);
      vs[out++] = (sums.vs[i++] as number) / (counts.vs[j++] as number);
    } else if (a < b) i++;
    else j++;
  }
  return {ts, vs, n: out, hs, st: undefined};
}

/** The samples that a raw chunk states, at most what its bytes could hold. */
function statedSamples(batch: SeriesBatch, i: number): number {
  const offset = batch.offset[i] as number;
  const length = batch.length[i] as number;
  if (length < 2) return 0;
  const stated = ((batch.bytes[offset] as number) << 8) | (batch.bytes[offset + 1] as number);
  // A sample takes at least two bits; a chunk that states more is corrupt and will not be decoded.
  return Math.min(stated, length * 4);
}

function samplesOf(batch: SeriesBatch, chunks: readonly number[]): number {
  let samples = 0;
  for (const i of chunks) samples += statedSamples(batch, i);
  return samples;
}

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

  /** Adds what lies in [mint, maxt] and after the last sample. */
  append(samples: ChunkSamples, mint: number, maxt: number): void {
    const after = this.#n > 0 ? Math.max(mint - 1, this.#ts[this.#n - 1] as number) : mint - 1;
    let from = 0;
    let to = samples.n;
    while (from < to && (samples.ts[from] as number) <= after) from++;
    while (to > from && (samples.ts[to - 1] as number) > maxt) to--;
    this.#reserve(to - from);
    this.#ts.set(samples.ts.subarray(from, to), this.#n);
    // As arrays, so that bits are kept.
    this.#vs.set(samples.vs.subarray(from, to), this.#n);
    const {hs, st} = samples;
    if (hs !== undefined) {
      this.#hs ??= [];
      for (let i = from; i < to; i++) if (hs[i] !== undefined) this.#hs[this.#n + i - from] = hs[i];
    }
    if (st !== undefined) {
      this.starts ??= [];
      while (this.starts.length < this.#n) this.starts.push(0);
      for (let i = from; i < to; i++) this.starts[this.#n + i - from] = st[i] as number;
    }
    this.#n += to - from;
  }

  /** Whether it holds a counter that was added up. */
  get addsUp(): boolean {
    return this.#counterT !== -Infinity;
  }

  /**
   * A counter's chunk: resets are taken out across chunks, NaN skipped, and the last point of a downsampled one, which
   * repeats the time before it, only carries the value to go on from. Histograms stay as they are.
   */
  appendCounter(samples: ChunkSamples, mint: number, maxt: number): void {
    this.#reserve(samples.n);
    for (let i = 0; i < samples.n; i++) {
      const t = samples.ts[i] as number;
      const v = samples.vs[i] as number;
      const h = samples.hs?.[i];
      if (h !== undefined) {
        if (t <= this.#counterT) continue;
        this.#counterT = t;
        if (t < mint || t > maxt) continue;
        this.#hs ??= [];
        this.#hs[this.#n] = h;
        this.#ts[this.#n++] = t;
        continue;
      }
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

  lane(): Lane {
    return {ts: this.#ts, vs: this.#vs, n: this.#n, other: this.#hs};
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
