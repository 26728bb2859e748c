import {encodeXorChunks} from "@strata/chunkenc";
import {compareLabels, compareUtf8, Labels, shardOf} from "@strata/model";
import {
  AGGREGATE,
  type LabelAnswer,
  type LabelQuery,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";

/** One series: its labels, and float samples as [time in ms, value], times ascending. */
export type SampleSeries = {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [t: number, v: number])[];
};

/** A Queryable over a few series with real samples, which does all that a StoreAPI asks of a leaf. */
export class SampleStore implements Queryable {
  readonly series: readonly SampleSeries[];
  /** What was asked for. */
  readonly selects: Select[] = [];

  constructor(series: readonly SampleSeries[]) {
    this.series = series;
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    this.selects.push(q);
    const found = this.#matching(q)
      .map(({labels, samples}) => ({labels: labels.without(q.withoutReplicaLabels), samples}))
      .filter(({labels}) => q.shard === undefined || shardOf(labels, q.shard) === q.shard.index)
      .sort((a, b) => compareLabels(a.labels, b.labels));
    const out = new SeriesBatchBuilder();
    for (const {labels, samples} of q.limit > 0 ? found.slice(0, q.limit) : found) {
      signal.throwIfAborted();
      out.startSeries(labels);
      if (q.skipChunks) continue;
      const [t, v] = [Float64Array.from(samples, (s) => s[0]), Float64Array.from(samples, (s) => s[1])];
      for (const c of encodeXorChunks({t, v, n: samples.length})) {
        if (c.mint > q.maxt || c.maxt < q.mint) continue;
        out.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
      }
    }
    if (!out.empty) yield out.finish();
  }

  async labelNames(q: LabelQuery): Promise<LabelAnswer> {
    const names = new Set(this.#matching(q).flatMap(({labels}) => Object.keys(labels.toObject())));
    for (const name of q.withoutReplicaLabels) names.delete(name);
    return {values: cut([...names].sort(compareUtf8), q.limit), warnings: []};
  }

  async labelValues(name: string, q: LabelQuery): Promise<LabelAnswer> {
    if (q.withoutReplicaLabels.includes(name)) return {values: [], warnings: []};
    const values = new Set(this.#matching(q).map(({labels}) => labels.get(name)));
    values.delete("");
    return {values: cut([...values].sort(compareUtf8), q.limit), warnings: []};
  }

  #matching({matchers, mint, maxt}: Pick<Select, "matchers" | "mint" | "maxt">) {
    return this.series
      .map(({labels, samples}) => ({labels: Labels.fromObject(labels), samples}))
      .filter(({labels}) => matchers.every((m) => m.matches(labels.get(m.name))))
      .filter(({samples}) => (samples[0]?.[0] ?? 0) <= maxt && (samples.at(-1)?.[0] ?? 0) >= mint);
  }
}

const cut = (values: string[], limit: number): string[] => (limit > 0 ? values.slice(0, limit) : values);
