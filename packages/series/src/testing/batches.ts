import {Labels} from "@strata/model";
import {AGGREGATE, type Aggregate, type SeriesBatch, SeriesBatchBuilder} from "../series-batch.ts";

/** A chunk as test data: its bytes are the text, its times as given. */
export type PlainChunk = {
  mint: number;
  maxt: number;
  data: string;
  aggregate?: Aggregate;
  encoding?: number;
  source?: number;
};

export type PlainSeries = {labels: Record<string, string>; chunks: PlainChunk[]};

/** One batch of the series, in the order given. */
export function batchOf(series: readonly PlainSeries[], warnings: readonly string[] = []): SeriesBatch {
  const b = new SeriesBatchBuilder(16);
  for (const w of warnings) b.addWarning(w);
  for (const s of series) {
    b.startSeries(Labels.fromObject(s.labels));
    for (const c of s.chunks) {
      const data = Buffer.from(c.data, "latin1");
      b.addChunk(c.mint, c.maxt, c.encoding ?? 1, c.source ?? 0, c.aggregate ?? AGGREGATE.raw, data, 0, data.length);
    }
  }
  return b.finish();
}

/** What `batchOf` was given, labels of continued series once. */
export function plain(batches: readonly SeriesBatch[]): Required<PlainChunk & {labels: string}>[][] {
  return batches.map((b) =>
    b.labels.flatMap((labels, row) => {
      const chunks: Required<PlainChunk & {labels: string}>[] = [];
      for (let i = b.firstChunk[row]!; i < b.firstChunk[row + 1]!; i++) {
        chunks.push({
          labels: labels.toString(),
          mint: b.mint[i]!,
          maxt: b.maxt[i]!,
          encoding: b.encoding[i]!,
          source: b.source[i]!,
          aggregate: b.aggregate[i] as Aggregate,
          data: Buffer.from(b.bytes.subarray(b.offset[i]!, b.offset[i]! + b.length[i]!)).toString("latin1"),
        });
      }
      return chunks;
    }),
  );
}

/** A stream of batches; `onReturn` hears that the consumer closed it. */
export async function* streamOf(batches: readonly SeriesBatch[], onReturn?: () => void): AsyncGenerator<SeriesBatch> {
  try {
    for (const b of batches) yield b;
  } finally {
    onReturn?.();
  }
}

export async function collect(stream: AsyncIterable<SeriesBatch>): Promise<SeriesBatch[]> {
  const out: SeriesBatch[] = [];
  for await (const b of stream) out.push(b);
  return out;
}
