import type {Labels} from "@strata/model";
import type {Init, thanos} from "@strata/proto";
import {matchersOf} from "../store-request.ts";
import type {ApiAnswer, ReadApis} from "./read-api.ts";

type Counts = readonly {readonly name: string; readonly value: number}[];

/** What is in a database's head, as it counts itself. */
export type HeadNumbers = {
  readonly series: number;
  readonly labelPairs: number;
  readonly chunks: number;
  /** ms. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly seriesByMetricName: Counts;
  readonly valuesByLabelName: Counts;
  readonly bytesByLabelName: Counts;
  readonly seriesByLabelPair: Counts;
};

/** A database whose head is told of. */
export type CountedHead = {
  /** The key of its numbers in the answer: its tenant, or "". */
  readonly name: string;
  /** External labels, by which it is chosen. */
  readonly labels: Labels;
  /** The `limit` largest of each list; 0 for all. */
  numbers(limit: number): HeadNumbers;
};

/** The Status API over heads of the component's own. */
export const headStatus = (heads: () => readonly CountedHead[]): NonNullable<ReadApis["status"]> =>
  async function* status({limit, matchers}): AsyncGenerator<ApiAnswer<Init<thanos.TSDBStatistics>>> {
    const own = matchersOf(matchers);
    const chosen = heads().filter(({labels}) => own.every((m) => m.matches(labels.get(m.name))));
    const most = Math.max(0, limit);
    yield {value: {statistics: new Map(chosen.map((head) => [head.name, entryOf(head.numbers(most))]))}};
  };

const entryOf = (n: HeadNumbers): Init<thanos.TSDBStatisticsEntry> => ({
  headStatistics: {
    numSeries: n.series,
    numLabelPairs: n.labelPairs,
    chunkCount: n.chunks,
    minTime: n.minTime,
    maxTime: n.maxTime,
  },
  seriesCountByMetricName: n.seriesByMetricName,
  labelValueCountByLabelName: n.valuesByLabelName,
  memoryInBytesByLabelName: n.bytesByLabelName,
  seriesCountByLabelValuePair: n.seriesByLabelPair,
});
