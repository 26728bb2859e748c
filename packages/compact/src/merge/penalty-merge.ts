import {StrataError} from "@strata/base";
import {
  appendFloatChunk,
  decodeHistograms,
  ENCODING,
  type EncodedChunk,
  type Encoding,
  encodeFloatChunks,
  HistogramChunkWriter,
  type HistogramColumns,
  histogramAt,
  isHistogramEncoding,
  newFloatColumns,
  SAMPLES_PER_CHUNK,
} from "@strata/chunkenc";
import {dedupFold, type Kernel, KernelArena, type KernelColumns, kernel, xorMaxLength} from "@strata/kernels";
import {type ChunkItem, mergeSamples} from "@strata/tsdb/blocks";
import {type Pick, penaltyFold} from "./penalty-fold.ts";

/** The classes of chunks that can be merged with one another. */
type Class = "float" | "int" | "floatHistogram";

/**
 * Bytes of merged chunks that lie in one buffer. PERF: a buffer for each chunk left the process with 40 MB of gaps between
 * buffers; those of this size go back to the system.
 */
const SLAB_BYTES = 256 * 1024;

/**
 * Merges overlapping chunks of one series's replicas by penalty (`--deduplication.func=penalty`): one replica is kept to
 * until it leaves a gap. The base chunk, which is last, leads; the others follow in order. Made anew for each merge of
 * blocks, closed after it.
 *
 * Chunks of different classes (floats, histograms of whole and of float counts) are merged class by class, and then sample
 * by sample. The original drops all that are not of the base chunk's class.
 */
export class PenaltyMerge implements Disposable {
  readonly #arena = new KernelArena("merging replicas");
  #room = 0;
  #acc: KernelColumns = {ts: 0, vs: 0};
  #next: KernelColumns = {ts: 0, vs: 0};
  #tmp: KernelColumns = {ts: 0, vs: 0};
  #reach = 0;
  #out = 0;
  #slab = new Uint8Array(0);
  #slabUsed = 0;

  readonly merge = (overlapping: readonly ChunkItem[]): readonly ChunkItem[] => {
    const base = overlapping.at(-1);
    if (base === undefined) return [];
    const ordered = [base, ...overlapping.slice(0, -1)];
    const classes = new Map<Class, ChunkItem[]>();
    for (const chunk of ordered) {
      const kind = classOf(chunk);
      const list = classes.get(kind);
      if (list === undefined) classes.set(kind, [chunk]);
      else list.push(chunk);
    }
    const merged = [...classes].map(([kind, chunks]) => this.#mergeClass(kind, chunks));
    const [only = []] = merged;
    return merged.length === 1 ? only : mergeSamples(merged.flat());
  };

  close(): void {
    this.#arena.close();
    this.#room = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #mergeClass(kind: Class, chunks: readonly ChunkItem[]): readonly ChunkItem[] {
    if (kind !== "float") return mergeHistograms(chunks);
    return chunks.every(({encoding}) => encoding === ENCODING.xor) ? this.#mergeXor(chunks) : mergeStarted(chunks);
  }

  /** PERF: decoded, folded and encoded in linear memory: the chunks of a series of replicas often overlap all in a row. */
  #mergeXor(chunks: readonly ChunkItem[]): ChunkItem[] {
    const k = kernel();
    const {exports} = k;
    let total = 0;
    for (const {data, from} of chunks) total += ((data[from] as number) << 8) | (data[from + 1] as number);
    this.#reserve(total);
    let n = 0;
    for (const chunk of chunks) {
      const {data, from, length} = chunk;
      const source = k.scratch(length + 64);
      k.write(source, data, from, from + length);
      const got = exports.xorDecode(source, length, this.#next.ts, this.#next.vs, this.#room);
      if (got < 0) throw undecodable(chunk);
      n = dedupFold(k, this.#acc, this.#reach, n, this.#next, got, this.#tmp);
    }
    const out: ChunkItem[] = [];
    const room = xorMaxLength(SAMPLES_PER_CHUNK);
    for (let at = 0; at < n; at += SAMPLES_PER_CHUNK) {
      const count = Math.min(SAMPLES_PER_CHUNK, n - at);
      const t = this.#acc.ts + 8 * at;
      const length = exports.xorEncode(t, this.#acc.vs + 8 * at, count, this.#out, room);
      const f64 = k.f64();
      const mint = f64[t / 8] as number;
      const maxt = f64[t / 8 + count - 1] as number;
      const from = this.#keep(k, length);
      out.push({mint, maxt, encoding: ENCODING.xor, data: this.#slab, from, length});
    }
    return out;
  }

  /** Copies the encoded chunk out of linear memory; where it then begins in the slab, which is never written over. */
  #keep(k: Kernel, length: number): number {
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, length));
      this.#slabUsed = 0;
    }
    const from = this.#slabUsed;
    this.#slab.set(k.u8().subarray(this.#out, this.#out + length), from);
    this.#slabUsed += length;
    return from;
  }

  #reserve(samples: number): void {
    if (samples <= this.#room) return;
    this.#arena.close();
    this.#room = Math.max(samples, 2 * this.#room, 1024);
    const column = (): number => this.#arena.alloc(8 * this.#room);
    this.#acc = {ts: column(), vs: column()};
    this.#next = {ts: column(), vs: column()};
    this.#tmp = {ts: column(), vs: column()};
    this.#reach = column();
    this.#out = this.#arena.alloc(xorMaxLength(SAMPLES_PER_CHUNK));
  }
}

function classOf({encoding}: ChunkItem): Class {
  if (encoding === ENCODING.xor || encoding === ENCODING.xor2) return "float";
  if (encoding === ENCODING.histogram || encoding === ENCODING.histogramST) return "int";
  if (isHistogramEncoding(encoding)) return "floatHistogram";
  throw new StrataError("execution", "cannot merge downsampled chunks that overlap", {
    fields: {class: "overlap-downsampled"},
  });
}

/** Floats of which some have start times. */
function mergeStarted(chunks: readonly ChunkItem[]): ChunkItem[] {
  const all = chunks.map((chunk) => {
    const columns = newFloatColumns(SAMPLES_PER_CHUNK);
    appendFloatChunk(chunk.encoding, chunk.data, chunk.from, chunk.length, columns);
    return columns;
  });
  const picks = penaltyFold(all.map(({t, n}) => ({t, n})));
  const out = newFloatColumns(picks.length);
  const words = new Uint32Array(out.v.buffer);
  out.st = new Float64Array(picks.length);
  for (const [i, {chunk, at}] of picks.entries()) {
    const columns = all[chunk] as (typeof all)[number];
    out.t[i] = columns.t[at] as number;
    out.st[i] = columns.st?.[at] ?? 0;
    // As words, so that NaN payloads survive.
    words.set(new Uint32Array(columns.v.buffer, columns.v.byteOffset + 8 * at, 2), 2 * i);
  }
  out.n = picks.length;
  return items(encodeFloatChunks(out));
}

function mergeHistograms(chunks: readonly ChunkItem[]): ChunkItem[] {
  const all = chunks.map(({encoding, data, from, length}) =>
    decodeHistograms(encoding as Encoding, data, from, length),
  );
  const kind = (all[0] as HistogramColumns).kind;
  const startTimes = all.some(({st}) => st !== undefined);
  const writer = new HistogramChunkWriter(kind, {startTimes});
  const picks: readonly Pick[] = penaltyFold(all.map(({t, n}) => ({t, n})));
  for (const {chunk, at} of picks) {
    const columns = all[chunk] as HistogramColumns;
    writer.append(columns.t[at] as number, histogramAt(columns, at), columns.st?.[at] ?? 0);
  }
  return items(writer.finish());
}

const items = (chunks: readonly EncodedChunk[]): ChunkItem[] =>
  chunks.map((chunk) => ({...chunk, from: 0, length: chunk.data.length}));

const undecodable = (chunk: ChunkItem): StrataError =>
  new StrataError(
    "corrupt",
    `cannot decode chunk of [${chunk.mint}, ${chunk.maxt}]: it does not hold the samples it states`,
    {fields: {class: "chunk-unreadable"}},
  );
