import {xorEncode} from "@strata/kernels";
import {Labels} from "@strata/model";
import {AGGREGATE, type Queryable, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";

/** When benchmark data begins, ms. */
export const T0 = 1_700_000_000_000;
const PER_CHUNK = 120;
const BATCH_BYTES = 1 << 20;

/** Counters with resets now and then, `step` ms apart with a little jitter, as batches of XOR chunks. */
export function counters(
  series: number,
  samples: number,
  step: number,
  labelsOf: (i: number) => Record<string, string>,
  replicas = 1,
): SeriesBatch[] {
  const batches: SeriesBatch[] = [];
  const builder = new SeriesBatchBuilder(BATCH_BYTES);
  let seed = 1;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const ts = new Float64Array(PER_CHUNK);
  const vs = new Float64Array(PER_CHUNK);
  for (let s = 0; s < series; s++) {
    builder.startSeries(Labels.fromObject(labelsOf(s)));
    const chunks: {mint: number; maxt: number; data: Uint8Array}[] = [];
    for (let replica = 0; replica < replicas; replica++) {
      let v = 0;
      for (let from = 0; from < samples; from += PER_CHUNK) {
        const n = Math.min(PER_CHUNK, samples - from);
        for (let i = 0; i < n; i++) {
          v = random() < 0.0005 ? 0 : v + Math.floor(random() * 100);
          ts[i] = T0 + replica * 7000 + (from + i) * step + Math.floor(random() * 5);
          vs[i] = v;
        }
        chunks.push({mint: ts[0]!, maxt: ts[n - 1]!, data: xorEncode(ts, vs, 0, n)});
      }
    }
    chunks.sort((a, b) => a.mint - b.mint);
    for (const {mint, maxt, data} of chunks) builder.addChunk(mint, maxt, 1, 0, AGGREGATE.raw, data, 0, data.length);
    if (builder.byteLength > BATCH_BYTES) batches.push(builder.finish());
  }
  if (!builder.empty) batches.push(builder.finish());
  return batches;
}

/** A source that has nothing but these batches, whatever it is asked for. */
export const sourceOf = (batches: readonly SeriesBatch[]): Queryable => ({
  async *select() {
    yield* batches;
  },
  labelNames: () => Promise.reject(new Error("not asked for")),
  labelValues: () => Promise.reject(new Error("not asked for")),
});

/** A metric's labels: ten jobs, an instance a series. */
export const jobs = (name: string) => (i: number) => ({
  __name__: name,
  instance: `host-${String(i).padStart(6, "0")}`,
  job: `job-${i % 10}`,
});

const LES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, "+Inf"];

/** Labels of classic histograms of seventeen buckets. */
export const buckets = (name: string) => (i: number) => ({
  ...jobs(name)(Math.floor(i / LES.length)),
  le: String(LES[i % LES.length]),
});
