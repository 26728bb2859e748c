import type {MatrixResult} from "../api.ts";

/** A histogram over time: how much fell into each bucket at each time. */
export type HeatData = {
  readonly times: readonly number[];
  /** Edges of the buckets, ascending; one more than there are rows. The outer ones may be infinite. */
  readonly edges: readonly number[];
  /** Row-major from the lowest bucket up: `row * times.length + time`. NaN where there is no histogram. */
  readonly cells: Float64Array;
  readonly max: number;
};

/** Rows drawn at most: more are thinner than a pixel. */
const MAX_ROWS = 120;

type Bucket = {readonly low: number; readonly high: number; readonly count: number};

/**
 * The heat map of classic histograms (series with `le`, such as of `sum by (le) (rate(x_bucket[5m]))`) or of native
 * ones; several of a kind are added up. Undefined where the series hold neither. Times in Unix seconds.
 */
export function heatData(
  series: readonly MatrixResult[],
  start: number,
  end: number,
  step: number,
): HeatData | undefined {
  const length = Math.floor((end - start) / step + 1e-6) + 1;
  const slots: (Bucket[] | undefined)[] = new Array(length).fill(undefined);
  const put = (t: number, buckets: readonly Bucket[]): void => {
    const i = Math.round((t - start) / step);
    if (i < 0 || i >= length) return;
    slots[i] ??= [];
    for (const bucket of buckets) slots[i]?.push(bucket);
  };
  const found = putNative(series, put) || putClassic(series, put);
  if (!found) return undefined;
  return fill(
    slots,
    Array.from({length}, (_, i) => start + i * step),
  );
}

type Put = (t: number, buckets: readonly Bucket[]) => void;

function putNative(series: readonly MatrixResult[], put: Put): boolean {
  let found = false;
  for (const {histograms = []} of series) {
    for (const [t, {buckets = []}] of histograms) {
      found = true;
      put(
        t,
        buckets.map(([, low, high, count]) => ({low: Number(low), high: Number(high), count: Number(count)})),
      );
    }
  }
  return found;
}

function putClassic(series: readonly MatrixResult[], put: Put): boolean {
  const groups = Map.groupBy(
    series.filter(({metric, values = []}) => metric.le !== undefined && values.length > 0),
    ({metric}) => JSON.stringify(Object.entries(metric).filter(([name]) => name !== "le")),
  );
  for (const members of groups.values()) {
    const sorted = members
      .map(({metric, values = []}) => ({le: bound(metric.le ?? ""), values}))
      .sort((a, b) => a.le - b.le);
    const atTimes = new Map<number, {le: number; cumulative: number}[]>();
    for (const {le, values} of sorted) {
      for (const [t, text] of values) {
        const list = atTimes.get(t);
        if (list === undefined) atTimes.set(t, [{le, cumulative: Number(text)}]);
        else list.push({le, cumulative: Number(text)});
      }
    }
    for (const [t, list] of atTimes) put(t, uncumulated(list));
  }
  return groups.size > 0;
}

const bound = (le: string): number => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le));

/** Buckets as such from counts of everything below each bound. A classic histogram of positive bounds starts at zero. */
function uncumulated(list: readonly {le: number; cumulative: number}[]): Bucket[] {
  let low = (list[0]?.le ?? 0) > 0 ? 0 : Number.NEGATIVE_INFINITY;
  let below = 0;
  return list.map(({le, cumulative}) => {
    // Counts of different scrapes may step back a little.
    const bucket = {low, high: le, count: Math.max(0, cumulative - below)};
    low = le;
    below = Math.max(below, cumulative);
    return bucket;
  });
}

function fill(slots: readonly (readonly Bucket[] | undefined)[], times: readonly number[]): HeatData {
  const edges = edgesOf(slots);
  const rows = edges.length - 1;
  const cells = new Float64Array(Math.max(0, rows) * times.length).fill(Number.NaN);
  let max = 0;
  slots.forEach((buckets, at) => {
    if (buckets === undefined) return;
    for (let row = 0; row < rows; row++) cells[row * times.length + at] = 0;
    for (const {low, high, count} of buckets) {
      const [from, to] = [rowAbove(edges, low), rowBelow(edges, high)];
      const share = count / (to - from + 1);
      for (let row = from; row <= to; row++) {
        const cell = (cells[row * times.length + at] as number) + share;
        cells[row * times.length + at] = cell;
        if (cell > max) max = cell;
      }
    }
  });
  return {times, edges, cells, max};
}

/** All bounds that occur, thinned out evenly when there are too many. */
function edgesOf(slots: readonly (readonly Bucket[] | undefined)[]): number[] {
  const all = new Set<number>();
  for (const buckets of slots) {
    for (const {low, high, count} of buckets ?? []) {
      // An empty bucket at the end only stretches the picture.
      if (count > 0) all.add(low).add(high);
    }
  }
  const sorted = [...all].sort((a, b) => a - b);
  const every = Math.ceil((sorted.length - 1) / MAX_ROWS);
  if (every <= 1) return sorted;
  return sorted.filter((_, i) => i % every === 0 || i === sorted.length - 1);
}

/** The row that begins at or holds `low`. */
function rowAbove(edges: readonly number[], low: number): number {
  let row = 0;
  while (row < edges.length - 2 && (edges[row + 1] as number) <= low) row++;
  return row;
}

/** The row that ends at or holds `high`. */
function rowBelow(edges: readonly number[], high: number): number {
  let row = edges.length - 2;
  while (row > 0 && (edges[row] as number) >= high) row--;
  return Math.max(row, 0);
}
