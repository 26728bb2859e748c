import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {
  AGGREGATE,
  type LabelAnswer,
  type LabelQuery,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";

export type MemorySeries = {readonly labels: Readonly<Record<string, string>>; readonly chunks: number};

/** A Queryable over a few made-up series, one chunk a minute from time 0; counts what is asked of it. */
export class MemoryStore implements Queryable {
  /** In label order. */
  readonly series: readonly MemorySeries[];
  readonly chunkBytes: number;
  /** Series in a batch. */
  readonly batchSeries: number;
  /** Fails after so many batches. */
  failAfter = Number.POSITIVE_INFINITY;
  /** Hangs until the signal after so many batches. */
  hangAfter = Number.POSITIVE_INFINITY;
  failure = new StrataError("execution", "disk on fire");
  warnings: readonly string[] = [];
  batchesMade = 0;
  /** The signals of the selects so far, the requests, and how many selects have ended. */
  readonly signals: AbortSignal[] = [];
  readonly selects: Select[] = [];
  readonly labelQueries: LabelQuery[] = [];
  ended = 0;

  constructor(series: readonly MemorySeries[], chunkBytes = 16, batchSeries = 2) {
    this.series = series;
    this.chunkBytes = chunkBytes;
    this.batchSeries = batchSeries;
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    this.signals.push(signal);
    this.selects.push(q);
    try {
      const out = new SeriesBatchBuilder();
      for (const w of this.warnings) out.addWarning(w);
      let batches = 0;
      for (const [i, s] of this.#matching(q).entries()) {
        out.startSeries(s.labels.without(q.withoutReplicaLabels));
        const data = Buffer.alloc(this.chunkBytes, 65 + (i % 26));
        for (let c = 0; c < s.chunks && !q.skipChunks; c++) {
          const mint = c * 60_000;
          if (mint > q.maxt || mint + 59_999 < q.mint) continue;
          out.addChunk(mint, mint + 59_999, 1, 0, AGGREGATE.raw, data, 0, data.length);
        }
        if (out.series < this.batchSeries) continue;
        await this.#gate(batches++, signal);
        yield out.finish();
      }
      await this.#gate(batches, signal);
      if (!out.empty) yield out.finish();
    } finally {
      this.ended++;
    }
  }

  async labelNames(q: LabelQuery): Promise<LabelAnswer> {
    this.labelQueries.push(q);
    const names = new Set(this.#matching(q).flatMap((s) => Object.keys(s.labels.toObject())));
    return {values: [...names].sort(), warnings: this.warnings};
  }

  async labelValues(name: string, q: LabelQuery): Promise<LabelAnswer> {
    this.labelQueries.push(q);
    const values = new Set(this.#matching(q).map((s) => s.labels.get(name)));
    values.delete("");
    return {values: [...values].sort(), warnings: this.warnings};
  }

  #matching(q: Pick<Select, "matchers">): {labels: Labels; chunks: number}[] {
    return this.series
      .map((s) => ({labels: Labels.fromObject(s.labels), chunks: s.chunks}))
      .filter((s) => q.matchers.every((m) => m.matches(s.labels.get(m.name))));
  }

  async #gate(batches: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.batchesMade++;
    if (batches >= this.failAfter) throw this.failure;
    if (batches < this.hangAfter) return;
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }
}
