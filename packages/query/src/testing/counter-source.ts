import {encodeXorChunks} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {AGGREGATE, type Queryable, type Select, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";

const SCRAPE_MS = 15_000;

/** `series` counters named as the first matcher says, of `samples` samples that go up by one a second from t = 0. */
export class CounterSource implements Queryable {
  readonly #series: number;
  readonly #samples: number;
  /** Called when a select begins; what it waits for before the first batch. */
  readonly #gate: (signal: AbortSignal) => Promise<void>;
  selects = 0;
  /** Matchers of the last select. */
  matchers: Select["matchers"] = [];

  constructor(series: number, samples: number, gate: (signal: AbortSignal) => Promise<void> = async () => {}) {
    this.#series = series;
    this.#samples = samples;
    this.#gate = gate;
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    this.selects++;
    this.matchers = q.matchers;
    await this.#gate(signal);
    const t = Float64Array.from({length: this.#samples}, (_, k) => k * SCRAPE_MS);
    const chunks = encodeXorChunks({t, v: t.map((x) => x / 1000), n: this.#samples});
    const builder = new SeriesBatchBuilder();
    for (let i = 0; i < this.#series; i++) {
      builder.startSeries(Labels.fromObject({__name__: q.matchers[0]?.value ?? "", i: String(i).padStart(6, "0")}));
      for (const c of chunks) {
        builder.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
      }
      if (builder.series >= 100) yield builder.finish();
    }
    if (!builder.empty) yield builder.finish();
  }

  async labelNames() {
    return {values: [], warnings: []};
  }

  async labelValues() {
    return {values: [], warnings: []};
  }
}

/** Waits until the caller leaves. */
export const never = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), {once: true}));
