import {RESET_HINT, type Span, toFloatHistogram} from "@strata/model";
import type {FloatColumns} from "../float-chunk.ts";
import {type HistogramColumns, histogramAt} from "../histogram-chunk.ts";
import type {GoldenHistogram, GoldenSample} from "./golden-chunks.ts";

const RESET_NAMES: Readonly<Record<number, string>> = {
  [RESET_HINT.unknown]: "unknown",
  [RESET_HINT.counterReset]: "reset",
  [RESET_HINT.notCounterReset]: "not_reset",
  [RESET_HINT.gauge]: "gauge",
};

/** The 16 hex digits of each float of a column. */
export function hexColumn(column: Float64Array, n: number = column.length): string[] {
  const words = new Uint32Array(column.buffer, column.byteOffset, 2 * n);
  const word = (i: number): string => (words[i] as number).toString(16).padStart(8, "0");
  return Array.from({length: n}, (_, i) => word(2 * i + 1) + word(2 * i));
}

const withStart = (t: number, value: string | GoldenHistogram, st: number | undefined): GoldenSample =>
  st === undefined || st === 0 ? [t, value] : [t, value, st];

/** Float samples as the golden dumps write them. */
export function goldenFloats(columns: FloatColumns): GoldenSample[] {
  return hexColumn(columns.v, columns.n).map((v, i) => withStart(columns.t[i] as number, v, columns.st?.[i]));
}

const spans = (list: readonly Span[]): [number, number][] => list.map(({offset, length}) => [offset, length]);

/** Histograms as the golden dumps write them. */
export function goldenHistograms(columns: HistogramColumns): GoldenSample[] {
  const sums = hexColumn(columns.sum, columns.n);
  return sums.map((sum, i) => {
    const h = histogramAt(columns, i);
    const hex = (column: Float64Array): string[] => hexColumn(column);
    const value: GoldenHistogram = {
      kind: h.kind,
      reset: RESET_NAMES[h.resetHint] as string,
      schema: h.schema,
      zero_threshold: hex(Float64Array.of(h.zeroThreshold))[0] as string,
      zero_count: h.kind === "int" ? String(h.zeroCount) : (hex(Float64Array.of(h.zeroCount))[0] as string),
      count: h.kind === "int" ? String(h.count) : (hex(Float64Array.of(h.count))[0] as string),
      sum,
      pos_spans: spans(h.positiveSpans),
      pos_buckets: h.kind === "int" ? Array.from(h.positiveBuckets, String) : hex(h.positiveBuckets),
      neg_spans: spans(h.negativeSpans),
      neg_buckets: h.kind === "int" ? Array.from(h.negativeBuckets, String) : hex(h.negativeBuckets),
    };
    if (h.customValues.length > 0) value.custom_values = hex(h.customValues);
    return withStart(columns.t[i] as number, value, columns.st?.[i]);
  });
}

/** The float form of dumped integer histograms. */
export function floatForm(columns: HistogramColumns): GoldenHistogram["pos_buckets"][] {
  return Array.from({length: columns.n}, (_, i) => {
    const h = toFloatHistogram(histogramAt(columns, i));
    return [
      ...hexColumn(Float64Array.of(h.count, h.zeroCount)),
      ...hexColumn(h.positiveBuckets),
      ...hexColumn(h.negativeBuckets),
    ];
  });
}
