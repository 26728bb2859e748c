import {
  type EncodedChunk,
  encodeFloatChunks,
  type FloatColumns,
  HistogramChunkWriter,
  histogramAt,
  newFloatColumns,
  reserve,
  SAMPLES_PER_CHUNK,
} from "@strata/chunkenc";
import {RESET_HINT} from "@strata/model";
import {chainSamples} from "./chain-samples.ts";
import {type ChunkItem, sameBytes} from "./chunk-item.ts";
import {GoHeap} from "./go-heap.ts";

/** Puts the chunks of overlapping chunks' samples together anew; see `mergeSamples`. */
export type MergeChunks = (overlapping: readonly ChunkItem[]) => readonly ChunkItem[];

type Stream = {readonly chunks: readonly ChunkItem[]; at: number};

/**
 * The chunks of one series that several blocks hold, in order, each list ascending: what overlaps nothing passes through
 * untouched, exact duplicates count once, the rest is merged and encoded anew. Compat: the order in which chunks are
 * compared, and the base chunk going last into the merge, are those of the Go original.
 */
export function mergeOverlaps(
  lists: readonly (readonly ChunkItem[])[],
  emit: (chunk: ChunkItem) => void,
  merge: MergeChunks = mergeSamples,
): void {
  const heap = new GoHeap<Stream>((a, b) => {
    const x = head(a);
    const y = head(b);
    return x.mint === y.mint ? x.maxt < y.maxt : x.mint < y.mint;
  });
  for (const chunks of lists) if (chunks.length > 0) heap.push({chunks, at: 0});
  for (;;) {
    const current = next(heap);
    if (current === undefined) return;
    const overlapping: ChunkItem[] = [];
    let end = current.maxt;
    let previous = current;
    for (let top = heap.top; top !== undefined && head(top).mint <= end; top = heap.top) {
      const chunk = head(top);
      const duplicate = chunk.mint === previous.mint && chunk.maxt === previous.maxt && sameBytes(chunk, previous);
      if (!duplicate) {
        overlapping.push(chunk);
        end = Math.max(end, chunk.maxt);
        previous = chunk;
      }
      next(heap);
    }
    if (overlapping.length === 0) {
      emit(current);
      continue;
    }
    const [first, ...rest] = merge([...overlapping, current]);
    if (first !== undefined) emit(first);
    // What else came out may overlap the chunks that follow.
    if (rest.length > 0) heap.push({chunks: rest, at: 0});
  }
}

const head = (stream: Stream): ChunkItem => stream.chunks[stream.at] as ChunkItem;

function next(heap: GoHeap<Stream>): ChunkItem | undefined {
  const stream = heap.pop();
  if (stream === undefined) return undefined;
  const chunk = head(stream);
  stream.at++;
  if (stream.at < stream.chunks.length) heap.push(stream);
  return chunk;
}

/**
 * One sample a time out of all chunks, encoded anew with at most 120 samples a chunk; a chunk ends too where floats and
 * histograms take turns. A histogram that does not follow its predecessor in the same chunk says nothing of resets.
 */
export function mergeSamples(chunks: readonly ChunkItem[]): ChunkItem[] {
  const out: EncodedChunk[] = [];
  const floats = newFloatColumns(SAMPLES_PER_CHUNK * 2);
  let histograms: {kind: "int" | "float"; startTimes: boolean; writer: HistogramChunkWriter} | undefined;
  const flush = (): void => {
    out.push(...encodeFloatChunks(floats, 0, floats.n));
    floats.n = 0;
    floats.st?.fill(0);
    if (histograms !== undefined) out.push(...histograms.writer.finish());
    histograms = undefined;
  };
  chainSamples(chunks, (samples, at, follows) => {
    if (samples.kind === "floats") {
      if (histograms !== undefined) flush();
      appendFloat(floats, samples.columns, at);
      return;
    }
    const {columns} = samples;
    const startTimes = columns.st !== undefined;
    const kept = histograms;
    if (floats.n > 0 || (kept !== undefined && kept.kind !== columns.kind)) flush();
    if (histograms === undefined) {
      histograms = {kind: columns.kind, startTimes, writer: new HistogramChunkWriter(columns.kind, {startTimes})};
    }
    const h = histogramAt(columns, at);
    const silent = follows || h.resetHint === RESET_HINT.gauge ? h : {...h, resetHint: RESET_HINT.unknown};
    histograms.writer.append(columns.t[at] as number, silent, columns.st?.[at] ?? 0);
  });
  flush();
  return out.map((c) => ({...c, from: 0, length: c.data.length}));
}

/** Copies one sample by its bits, start time included. */
function appendFloat(out: FloatColumns, from: FloatColumns, at: number): void {
  reserve(out, out.n + 1);
  const st = from.st?.[at] ?? 0;
  if (st !== 0) out.st ??= new Float64Array(out.t.length);
  const i = out.n++;
  out.t[i] = from.t[at] as number;
  if (out.st !== undefined) out.st[i] = st;
  out.v.set(from.v.subarray(at, at + 1), i);
}
