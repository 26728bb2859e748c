import {unlimited} from "@strata/base";
import {encodeXorChunks} from "@strata/chunkenc";
import {execute, writeResultJson} from "@strata/engine";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {AGGREGATE, mergeBatches, type Selectable, SeriesBatchBuilder, SeriesFrameWriter} from "@strata/series";
import {storeBatches} from "@strata/storeapi";

const SERIES = 200;
const SAMPLES = 240;
const SCRAPE_MS = 15_000;
const END_MS = SAMPLES * SCRAPE_MS;

/** The shapes that dashboards ask for most: a rate folded into groups, plain series, instant values. */
const QUERIES: readonly {readonly query: string; readonly step: number}[] = [
  {query: "sum by (job) (rate(x[5m]))", step: 0},
  {query: "sum by (job) (rate(x[5m]))", step: 60_000},
  {query: "x", step: 60_000},
];
const ROUNDS = 4;

/**
 * Runs a few queries over made-up series in this thread, so that the first queries of users find compiled code: right
 * after a start they take a fraction of the time. Never fails.
 */
export async function warmUp(): Promise<void> {
  const queryable = madeUpEndpoint();
  const signal = new AbortController().signal;
  for (let round = 0; round < ROUNDS; round++) {
    for (const {query, step} of QUERIES) {
      try {
        const params = {start: step === 0 ? END_MS : 0, end: END_MS, step};
        const result = await execute(parseExpr(query, {}), params, queryable, {}, signal);
        for (const _ of writeResultJson(result));
      } catch {
        // Whatever is wrong will show where it matters: at the first real query.
        return;
      }
      // Real queries that have come meanwhile get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** One endpoint whose frames are made once. */
function madeUpEndpoint(): Selectable {
  const frames: Uint8Array[] = [];
  const t = Float64Array.from({length: SAMPLES}, (_, i) => i * SCRAPE_MS);
  const writer = new SeriesFrameWriter({batchSeries: 64});
  for (let from = 0; from < SERIES; from += 64) {
    const builder = new SeriesBatchBuilder();
    for (let i = from; i < Math.min(from + 64, SERIES); i++) {
      const v = t.map((x, k) => Math.floor((x * (i + 1)) / 977) + (k % 7));
      builder.startSeries(Labels.fromObject({__name__: "x", i: String(i).padStart(4, "0"), job: `job-${i % 5}`}));
      for (const c of encodeXorChunks({t, v, n: SAMPLES})) {
        builder.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
      }
    }
    frames.push(...writer.frames(builder.finish()));
  }
  const options = {what: "warm-up", source: 0, stripLabels: [], shard: undefined, partialResponse: false};
  const groups = async function* () {
    yield frames;
  };
  return {select: () => mergeBatches([storeBatches(groups(), options, unlimited())])};
}
