import type {Buckets} from "./otlp-metrics.ts";
import type {SpanCounts} from "./series-writer.ts";

/** Empty buckets in a row that are written rather than skipped by a new span: a span costs as much. */
const MAX_GAP = 2;

/**
 * Buckets as spans and counts. `shift` joins 2^shift buckets to one; `first` is what index 0 becomes (1 for exponential
 * buckets, which Prometheus numbers by their upper bound).
 */
export function layBuckets({offset, counts}: Buckets, shift: number, first: number): SpanCounts {
  const spans: [number, number][] = [];
  const out: number[] = [];
  let end = 0;
  const put = (index: number, count: number): void => {
    const last = spans.at(-1);
    if (last !== undefined && index === end - 1) {
      out[out.length - 1] = (out.at(-1) as number) + count;
      return;
    }
    const gap = index - end;
    if (last !== undefined && gap <= MAX_GAP) {
      for (let i = 0; i < gap; i++) out.push(0);
      last[1] += gap + 1;
    } else spans.push([gap, 1]);
    out.push(count);
    end = index + 1;
  };
  counts.forEach((count, i) => {
    if (count > 0) put(Math.floor((i + offset) / 2 ** shift) + first, count);
  });
  return {spans, counts: out};
}
