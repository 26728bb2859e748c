import {chunkSamples} from "@strata/chunkenc";
import {compareUtf8, formatGoDuration, METRIC_NAME} from "@strata/model";
import type {BlockReader} from "../block-reader.ts";

/** A count with the label name, pair or value it belongs to. */
export type Ranked = {readonly key: string; readonly count: number};

export type BlockAnalysis = {
  readonly ulid: string;
  readonly durationMs: number;
  readonly series: number;
  readonly labelNames: number;
  readonly pairs: number;
  readonly entries: number;
  /** How many whole block ranges the series with it leave uncovered. */
  readonly churnOfPairs: readonly Ranked[];
  readonly churnOfNames: readonly Ranked[];
  readonly commonPairs: readonly Ranked[];
  /** Bytes of all values of a name. */
  readonly valueLengths: readonly Ranked[];
  readonly cardinalities: readonly Ranked[];
  readonly metricCardinalities: readonly Ranked[];
  /** Chunks by fullness in tenths of 120 samples; only when asked for. */
  readonly fullness?: readonly number[] | undefined;
};

const FULL_CHUNK = 120;
const BUCKETS = 10;

/** Counts what `tsdb analyze` prints; with `extended` every chunk is read too. */
export async function analyzeBlock(block: BlockReader, options: {extended?: boolean} = {}): Promise<BlockAnalysis> {
  const {meta, index} = block;
  const range = meta.maxTime - meta.minTime;
  const pairUncovered = new Map<string, number>();
  const nameUncovered = new Map<string, number>();
  const pairCount = new Map<string, number>();
  let entries = 0;
  const ids = await index.all();
  await index.readSeries(ids, (_, labels, entry) => {
    const covered = entry.chunks === 0 ? 0 : (entry.maxt[entry.chunks - 1] as number) - (entry.mint[0] as number);
    const uncovered = range - covered;
    for (const [name, value] of labels) {
      const pair = `${name}=${value}`;
      add(pairUncovered, pair, uncovered);
      add(nameUncovered, name, uncovered);
      add(pairCount, pair, 1);
      entries++;
    }
  });
  const names = await index.labelNames();
  const valueLengths: Ranked[] = [];
  for (const name of names) {
    let count = 0;
    for (const value of await index.labelValues(name)) count += Buffer.byteLength(value);
    valueLengths.push({key: name, count});
  }
  const metrics: Ranked[] = [];
  for (const value of await index.labelValues(METRIC_NAME)) {
    const lists = await index.postings(METRIC_NAME, [value]);
    metrics.push({key: value, count: lists[0]?.length ?? 0});
  }
  const ranges = (counts: Map<string, number>): Ranked[] =>
    ranked([...counts].map(([key, ms]) => ({key, count: Math.floor(ms / range)})));
  return {
    ulid: meta.ulid,
    durationMs: range,
    series: ids.length,
    labelNames: names.length,
    pairs: pairCount.size,
    entries,
    churnOfPairs: ranges(pairUncovered),
    churnOfNames: ranges(nameUncovered),
    commonPairs: ranked([...pairCount].map(([key, count]) => ({key, count}))),
    valueLengths: ranked(valueLengths),
    cardinalities: ranked(names.map((key) => ({key, count: index.cardinality(key)}))),
    metricCardinalities: ranked(metrics),
    fullness: options.extended ? await fullness(block) : undefined,
  };
}

function add(counts: Map<string, number>, key: string, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

/** Largest first; equal counts by name, where the original leaves the order to chance. */
const ranked = (list: readonly Ranked[]): Ranked[] =>
  [...list].sort((a, b) => b.count - a.count || compareUtf8(a.key, b.key));

async function fullness(block: BlockReader): Promise<number[]> {
  const buckets: number[] = new Array(BUCKETS).fill(0);
  const refs: number[] = [];
  const flush = async (): Promise<void> => {
    await block.chunks.read(refs, (_, encoding, buffer, at, length) => {
      const samples = Math.min(chunkSamples(encoding, buffer, at, length), FULL_CHUNK);
      const bucket = Math.max(0, Math.ceil((BUCKETS * samples) / FULL_CHUNK) - 1);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    });
    refs.length = 0;
  };
  const ids = await block.index.all();
  for (let i = 0; i < ids.length; i += 256) {
    await block.index.readSeries(ids.subarray(i, i + 256), (_, __, entry) => {
      for (let c = 0; c < entry.chunks; c++) refs.push(entry.chunkRef[c] as number);
    });
    await flush();
  }
  return buckets;
}

/** The lines that `tsdb analyze` prints, at most `limit` in each list. */
export function analysisLines(analysis: BlockAnalysis, limit = 20): string[] {
  const section = (heading: string, list: readonly Ranked[]): string[] => [
    "",
    heading,
    ...list.slice(0, limit).map(({key, count}) => `${count} ${key}`),
  ];
  return [
    `Block ID: ${analysis.ulid}`,
    `Duration: ${formatGoDuration(analysis.durationMs)}`,
    `Series: ${analysis.series}`,
    `Label names: ${analysis.labelNames}`,
    `Postings (unique label pairs): ${analysis.pairs}`,
    `Postings entries (total label pairs): ${analysis.entries}`,
    ...section("Label pairs most involved in churning:", analysis.churnOfPairs),
    ...section("Label names most involved in churning:", analysis.churnOfNames),
    ...section("Most common label pairs:", analysis.commonPairs),
    ...section("Label names with highest cumulative label value length:", analysis.valueLengths),
    ...section("Highest cardinality labels:", analysis.cardinalities),
    ...section("Highest cardinality metric names:", analysis.metricCardinalities),
    ...(analysis.fullness === undefined ? [] : fullnessLines(analysis.fullness)),
  ];
}

function fullnessLines(buckets: readonly number[]): string[] {
  const total = buckets.reduce((sum, n) => sum + n, 0);
  return [
    "",
    "Compaction analysis:",
    `Fullness: Amount of samples in chunks (100% is ${FULL_CHUNK} samples)`,
    ...buckets.map((count, i) => {
      const percent = total === 0 ? 0 : Math.floor((100 * count) / total);
      return `${String((i + 1) * 10).padStart(7)}%: ${"#".repeat(percent)}`;
    }),
  ];
}
