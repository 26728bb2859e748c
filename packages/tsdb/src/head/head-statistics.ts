import {METRIC_NAME} from "@strata/model";
import type {Head} from "./head.ts";
import {OPEN} from "./series-store.ts";

export type Count = {readonly name: string; readonly value: number};

/** What is in a head, and which names and values have the most series. */
export type HeadStatistics = {
  readonly series: number;
  readonly labelPairs: number;
  readonly chunks: number;
  /** ms; 0 while there is no sample. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly seriesByMetricName: readonly Count[];
  readonly valuesByLabelName: readonly Count[];
  /** Bytes that a label's names and values would take in all its series. */
  readonly bytesByLabelName: readonly Count[];
  readonly seriesByLabelPair: readonly Count[];
};

/** Compat: what the headers of two strings take in Go. */
const STRING_HEADERS = 32;

/** The `limit` largest of each list; 0 for all. Looks at every label pair. */
export function headStatistics(head: Head, limit: number): HeadStatistics {
  const metrics: Count[] = [];
  const pairs: Count[] = [];
  const values = new Map<string, number>();
  const bytes = new Map<string, number>();
  for (const {name, value, series} of head.postings.counts()) {
    if (name === METRIC_NAME) metrics.push({name: value, value: series});
    pairs.push({name: `${name}=${value}`, value: series});
    values.set(name, (values.get(name) ?? 0) + 1);
    const size = Buffer.byteLength(name) + Buffer.byteLength(value) + STRING_HEADERS;
    bytes.set(name, (bytes.get(name) ?? 0) + series * size);
  }
  const top = (counts: Iterable<Count>): Count[] => {
    const sorted = [...counts].sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
    return limit > 0 ? sorted.slice(0, limit) : sorted;
  };
  const listed = (map: ReadonlyMap<string, number>): Count[] => [...map].map(([name, value]) => ({name, value}));
  const {minTime, maxTime} = head;
  return {
    series: head.series,
    labelPairs: pairs.length,
    chunks: chunksOf(head),
    minTime: minTime <= maxTime ? minTime : 0,
    maxTime: minTime <= maxTime ? maxTime : 0,
    seriesByMetricName: top(metrics),
    valuesByLabelName: top(listed(values)),
    bytesByLabelName: top(listed(bytes)),
    seriesByLabelPair: top(pairs),
  };
}

function chunksOf({store}: Head): number {
  let chunks = 0;
  for (let slot = 0; slot < store.table.slots; slot++) {
    if (store.open[slot] !== OPEN.none) chunks++;
    for (const newest of [store.newest[slot], store.newestOoo[slot]]) {
      for (let i = newest as number; i !== 0; i = store.chunks.older[i] as number) chunks++;
    }
  }
  return chunks;
}
