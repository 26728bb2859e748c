import {StrataError} from "@strata/base";
import {type DecodedChunk, decodeChunk, type HistogramColumns} from "@strata/chunkenc";
import type {ChunkItem} from "./chunk-item.ts";
import {GoHeap} from "./go-heap.ts";

type Samples = Exclude<DecodedChunk, {kind: "aggregates"}>;

/** A place in the samples of one chunk. */
type Cursor = {readonly samples: Samples; readonly t: Float64Array; readonly n: number; at: number};

/** Gets one merged sample: entry `at` of `samples`; `follows` when it is the successor of the sample before. */
export type SampleVisitor = (samples: Samples, at: number, follows: boolean) => void;

/**
 * Merges the samples of overlapping chunks of one series into ascending times, each time once. Compat: which of several
 * samples of one time wins follows the Go original step by step: the first chunk leads; it keeps the lead while its
 * time is strictly below all others', else the heap's first takes it.
 */
export function chainSamples(chunks: readonly ChunkItem[], visit: SampleVisitor): void {
  const cursors = chunks.map(cursorOf);
  const heap = new GoHeap<Cursor>((a, b) => timeOf(a) < timeOf(b));
  let current: Cursor | undefined = cursors[0];
  for (const cursor of cursors.slice(1)) if (++cursor.at < cursor.n) heap.push(cursor);
  let last = Number.NEGATIVE_INFINITY;
  let changed = true;
  while (current !== undefined) {
    current.at++;
    if (current.at < current.n) {
      const t = timeOf(current);
      if (t === last) continue;
      const next = heap.top;
      if (next === undefined || t < timeOf(next)) {
        visit(current.samples, current.at, !changed);
        last = t;
        changed = false;
        continue;
      }
      heap.push(current);
    }
    current = heap.pop();
    changed = true;
    if (current === undefined || timeOf(current) === last) continue;
    visit(current.samples, current.at, false);
    last = timeOf(current);
    changed = false;
  }
}

const timeOf = (cursor: Cursor): number => cursor.t[cursor.at] as number;

function cursorOf(chunk: ChunkItem): Cursor {
  const samples = decodeChunk(chunk.encoding, chunk.data, chunk.from, chunk.length);
  if (samples.kind === "aggregates") {
    throw new StrataError("execution", "cannot merge downsampled chunks that overlap");
  }
  const {t, n}: {t: Float64Array; n: number} = samples.columns as HistogramColumns;
  return {samples, t, n, at: -1};
}
