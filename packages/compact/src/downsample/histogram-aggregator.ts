import {StrataError} from "@strata/base";
import {HistogramChunkWriter} from "@strata/chunkenc";
import {detectReset, HINT, isCustom} from "@strata/engine/histogram";
import {windowEnd} from "@strata/kernels";
import {RESET_HINT} from "@strata/model";
import {coarser, hinted, type LaidHistogram, minus, plus, toModel} from "./laid-histogram.ts";

/** Histograms of one series with their times (ms), ascending. */
export type HistogramSamples = {readonly t: readonly number[]; readonly h: readonly LaidHistogram[]};

/** A row a window: its end, how many histograms were in it, their sum, and the counter at its end. */
export type AggregatedHistograms = {
  readonly t: number[];
  readonly count: number[];
  readonly sum: LaidHistogram[];
  readonly counter: LaidHistogram[];
};

/**
 * Aggregates histograms [from, to) over windows of `resolution` ms. All come down to the smallest schema among them. The
 * counter adds up increases from the first histogram on; a reset adds the whole histogram. Compat: whether there was a
 * reset is judged by the histogram before it came down, against the one before it that did; gauges never reset. Sums are
 * gauges, since they may go down from window to window. No window ends after `lastT`, which is that of the whole batch.
 */
export function aggregateHistograms(
  samples: HistogramSamples,
  from: number,
  to: number,
  resolution: number,
  lastT: number,
): AggregatedHistograms {
  const out: AggregatedHistograms = {t: [], count: [], sum: [], counter: []};
  const schema = smallestSchema(samples.h, from, to);
  const gauges = (samples.h[from] as LaidHistogram).h.hint === HINT.gauge;
  let counter: LaidHistogram | undefined;
  let previous: LaidHistogram | undefined;
  for (let i = from; i < to; ) {
    const end = Math.min(windowEnd(samples.t[i] as number, resolution), lastT);
    let sum: LaidHistogram | undefined;
    let count = 0;
    for (; i < to && (samples.t[i] as number) <= end; i++) {
      const original = samples.h[i] as LaidHistogram;
      const own = isCustom(original.h) ? original : coarser(original, schema);
      if (counter === undefined || previous === undefined) counter = own;
      else {
        const reset = own.h.hint !== HINT.gauge && detectReset(original.h, previous.h);
        counter = plus(counter, reset ? own.h : minus(own, previous));
      }
      sum = hinted(sum === undefined ? own : plus(sum, own.h), HINT.gauge);
      previous = own;
      count++;
    }
    if (sum === undefined || counter === undefined) throw new StrataError("internal", "BUG: a window without samples");
    if (gauges) counter = hinted(counter, HINT.gauge);
    out.t.push(end);
    out.count.push(count);
    out.sum.push(sum);
    out.counter.push(counter);
  }
  return out;
}

function smallestSchema(histograms: readonly LaidHistogram[], from: number, to: number): number {
  let schema = Number.POSITIVE_INFINITY;
  for (let i = from; i < to; i++) schema = Math.min(schema, (histograms[i] as LaidHistogram).h.schema);
  return schema;
}

/** Rows that one chunk holds at the most, as its count is 16 bits wide. */
const MAX_ROWS = 65535;

/**
 * Encodes one column as a float histogram chunk, as far as it goes into one: `rows` says how many rows that is. A change
 * of zero threshold, bounds or hint ends a chunk. Compat: the header says "not reset" where the first row says nothing.
 */
export function encodeColumn(
  t: readonly number[],
  h: readonly LaidHistogram[],
): {readonly rows: number; readonly encoding: number; readonly data: Uint8Array} {
  const writer = new HistogramChunkWriter("float", {perChunk: MAX_ROWS, silentHeader: RESET_HINT.notCounterReset});
  for (let i = 0; i < t.length; i++) writer.append(t[i] as number, toModel(h[i] as LaidHistogram));
  const [first] = writer.finish();
  if (first === undefined) throw new StrataError("internal", "BUG: a column without rows");
  return {rows: first.samples, encoding: first.encoding, data: first.data};
}
