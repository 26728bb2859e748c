import type {Labels} from "@strata/model";

/**
 * A series found in a block, its chunks not read yet. `chunks` is flat, four numbers a chunk (mint, maxt, chunk
 * reference, series id), ascending by mint: one array a series instead of an object a chunk.
 */
export type SeriesRow = {readonly labels: Labels; readonly chunks: number[]};

export const ROW_STRIDE = 4;

/** Sorts chunks by mint, then maxt, then reference; most rows are sorted already. */
export function sortChunks(chunks: number[]): number[] {
  let sorted = true;
  for (let i = ROW_STRIDE; i < chunks.length && sorted; i += ROW_STRIDE) {
    sorted = (chunks[i - ROW_STRIDE] as number) <= (chunks[i] as number);
  }
  if (sorted) return chunks;
  const order = Array.from({length: chunks.length / ROW_STRIDE}, (_, i) => i * ROW_STRIDE);
  order.sort((a, b) => {
    for (let k = 0; k < 3; k++) {
      const c = (chunks[a + k] as number) - (chunks[b + k] as number);
      if (c !== 0) return c;
    }
    return 0;
  });
  return order.flatMap((at) => chunks.slice(at, at + ROW_STRIDE));
}
