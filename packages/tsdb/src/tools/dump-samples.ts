import {StrataError, unlimited} from "@strata/base";
import {ENCODING, histogramAt} from "@strata/chunkenc";
import {type Histogram, type Labels, type Matcher, METRIC_NAME, quoteLabelName} from "@strata/model";
import type {Queryable, Select, SeriesBatch} from "@strata/series";
import {chainSamples} from "../compact/chain-samples.ts";
import type {ChunkItem} from "../compact/chunk-item.ts";
import {goFloat} from "./go-text.ts";

export type DumpOptions = {
  readonly matchers: readonly Matcher[];
  /** ms, both inclusive. */
  readonly mint: number;
  readonly maxt: number;
  /** How a native histogram prints; without it they are left out, as OpenMetrics text has to. */
  readonly histogramText?: ((h: Histogram) => string) | undefined;
};

/** One sample's line, without newline: `{labels} value time`, as `tsdb dump` prints it. */
export const dumpLine = (labels: Labels, value: string, t: number): string => `${labels} ${value} ${t}`;

/**
 * The same as OpenMetrics: the name in front, seconds behind, no spaces between labels. Names beyond ASCII letters are
 * quoted, and values escaped as OpenMetrics reads them, which differs from `tsdb dump` for control characters.
 */
export function openMetricsLine(labels: Labels, value: string, t: number): string {
  const metric = labels.get(METRIC_NAME);
  const plain = isLegacyMetricName(metric);
  const parts = plain || metric === "" ? [] : [openMetricsQuote(metric)];
  for (const [name, text] of labels) {
    if (name !== METRIC_NAME) parts.push(`${quoteLabelName(name)}=${openMetricsQuote(text)}`);
  }
  return `${plain ? metric : ""}{${parts.join(",")}} ${value} ${(t / 1000).toFixed(3)}`;
}

const isLegacyMetricName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);

const openMetricsQuote = (text: string): string =>
  `"${text.replace(/["\\\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`;

/** Every sample of the selected series as a line, series by series, each time once. */
export async function* dumpSamples(
  source: Pick<Queryable, "select">,
  options: DumpOptions,
  signal: AbortSignal,
  line: (labels: Labels, value: string, t: number) => string = dumpLine,
): AsyncGenerator<string> {
  for await (const {labels, chunks} of wholeSeries(source.select(selectOf(options), signal))) {
    if (chunks.some((chunk) => chunk.encoding === ENCODING.aggregate)) {
      throw new StrataError("bad_data", `cannot dump the samples of ${labels}: the block is downsampled`);
    }
    for (const group of overlapGroups(chunks)) yield* groupLines(labels, group, options, line);
  }
}

function groupLines(
  labels: Labels,
  group: readonly ChunkItem[],
  options: DumpOptions,
  line: (labels: Labels, value: string, t: number) => string,
): string[] {
  const lines: string[] = [];
  chainSamples(group, (samples, at) => {
    const t = samples.columns.t[at] as number;
    if (t < options.mint || t > options.maxt) return;
    if (samples.kind === "floats") lines.push(line(labels, goFloat(samples.columns.v[at] as number), t));
    else if (options.histogramText !== undefined) {
      lines.push(line(labels, options.histogramText(histogramAt(samples.columns, at)), t));
    }
  });
  return lines;
}

const selectOf = ({matchers, mint, maxt}: DumpOptions): Select => ({
  matchers,
  mint,
  maxt,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [],
  withoutReplicaLabels: [],
  skipChunks: false,
  limit: 0,
  partialResponse: false,
  budget: unlimited(),
});

type WholeSeries = {readonly labels: Labels; readonly chunks: readonly ChunkItem[]};

/** Series put together again where a batch ended within one. */
async function* wholeSeries(batches: AsyncIterable<SeriesBatch>): AsyncGenerator<WholeSeries> {
  let open: {labels: Labels; chunks: ChunkItem[]} | undefined;
  for await (const batch of batches) {
    for (let s = 0; s < batch.labels.length; s++) {
      const labels = batch.labels[s] as Labels;
      if (open !== undefined && !open.labels.equals(labels)) {
        yield open;
        open = undefined;
      }
      open ??= {labels, chunks: []};
      for (let c = batch.firstChunk[s] as number; c < (batch.firstChunk[s + 1] as number); c++) {
        open.chunks.push({
          mint: batch.mint[c] as number,
          maxt: batch.maxt[c] as number,
          encoding: batch.encoding[c] as number,
          data: batch.bytes,
          from: batch.offset[c] as number,
          length: batch.length[c] as number,
        });
      }
    }
  }
  if (open !== undefined) yield open;
}

/** Chunks (ascending by mint) in groups that overlap one another. */
function* overlapGroups(chunks: readonly ChunkItem[]): Generator<ChunkItem[]> {
  let group: ChunkItem[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const chunk of chunks) {
    if (group.length > 0 && chunk.mint > end) {
      yield group;
      group = [];
    }
    group.push(chunk);
    end = Math.max(group.length === 1 ? chunk.maxt : end, chunk.maxt);
  }
  if (group.length > 0) yield group;
}
