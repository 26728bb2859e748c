import {readdirSync} from "node:fs";
import {goldenDir} from "@strata/base/testing";
import {ByteReader} from "@strata/bytes";
import {type Histogram, type Labels, RESET_HINT} from "@strata/model";
import {readJsonLines} from "../../testing/golden-blocks.ts";
import {decodeHistogramRecord, type HistogramSample} from "../histogram-records.ts";
import {
  decodeExemplars,
  decodeMarkers,
  decodeMetadata,
  decodeSeries,
  decodeStones,
  readLabels,
} from "../other-records.ts";
import {RECORD} from "../record-type.ts";
import {decodeSamples, SampleColumns} from "../sample-records.ts";

/** Folders of golden `storage/wal`, found by listing. */
export const goldenWalCases = (): string[] => readdirSync(goldenDir("storage", "wal")).sort();

/** A line of `records.jsonl.gz`; the fields that a type has are among `series` … `mmap_markers`. */
export type GoldenRecord = {
  readonly log: string;
  readonly segment: number;
  readonly end_offset: number;
  readonly bytes: number;
  readonly type: string;
};

export const goldenRecords = (name: string): GoldenRecord[] =>
  readJsonLines<GoldenRecord>(goldenDir("storage", "wal", name, "records.jsonl.gz"));

const TYPES: Readonly<Record<number, string>> = {
  [RECORD.series]: "series",
  [RECORD.samples]: "samples",
  [RECORD.tombstones]: "tombstones",
  [RECORD.exemplars]: "exemplars",
  [RECORD.mmapMarkers]: "mmapmarkers",
  [RECORD.metadata]: "metadata",
  [RECORD.histograms]: "histogram_samples",
  [RECORD.floatHistograms]: "float_histogram_samples",
  [RECORD.customHistograms]: "custom_buckets_histogram_samples",
  [RECORD.customFloatHistograms]: "custom_buckets_float_histogram_samples",
  [RECORD.samplesV2]: "samples_v2",
  [RECORD.histogramsV2]: "histogram_samples_v2",
  [RECORD.floatHistogramsV2]: "float_histogram_samples_v2",
};

const RESET: Readonly<Record<number, string>> = {
  [RESET_HINT.unknown]: "unknown",
  [RESET_HINT.counterReset]: "reset",
  [RESET_HINT.notCounterReset]: "not_reset",
  [RESET_HINT.gauge]: "gauge",
};

/** The golden form of a record's content. */
export function recordForm(record: Uint8Array): Record<string, unknown> {
  const r = new ByteReader(record, "record", 1);
  const type = record[0] as number;
  return {type: TYPES[type], ...content(r, type)};
}

function content(r: ByteReader, type: number): Record<string, unknown> {
  switch (type) {
    case RECORD.series: {
      const series: unknown[] = [];
      decodeSeries(r, (ref, from, to) => {
        series.push({labels: labelsForm(readLabels(new ByteReader(r.data, "labels", from, to))), ref});
      });
      return {series};
    }
    case RECORD.samples:
    case RECORD.samplesV2: {
      const columns = new SampleColumns();
      decodeSamples(r, type, columns);
      const samples = Array.from({length: columns.n}, (_, i) => sampleForm(columns, i, true));
      return {samples};
    }
    case RECORD.tombstones:
      return {tombstones: decodeStones(r).map(({ref, mint, maxt}) => ({intervals: [[mint, maxt]], ref}))};
    case RECORD.exemplars:
      return {
        exemplars: decodeExemplars(r).map(({ref, t, v, labels}) => ({labels: labelsForm(labels), ref, t, v: hex(v)})),
      };
    case RECORD.metadata:
      return {metadata: decodeMetadata(r)};
    case RECORD.mmapMarkers:
      return {mmap_markers: decodeMarkers(r).map(({ref, chunkRef}) => ({mmap_ref: String(chunkRef), ref}))};
    default: {
      const samples: HistogramSample[] = [];
      decodeHistogramRecord(r, type, samples);
      return {histograms: samples.map(({ref, t, st, h}) => [ref, t, histogramForm(h), ...(st === 0 ? [] : [st])])};
    }
  }
}

export const labelsForm = (labels: Labels): unknown => [...labels].map(([name, value]) => [name, value]);

export function sampleForm(columns: SampleColumns, i: number, withRef: boolean): unknown[] {
  const high = columns.words[2 * i + 1] as number;
  const low = columns.words[2 * i] as number;
  const value = high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
  const st = columns.st[i] as number;
  return [...(withRef ? [columns.ref[i]] : []), columns.t[i], value, ...(st === 0 ? [] : [st])];
}

export function histogramForm(h: Histogram): object {
  return {
    kind: h.kind,
    reset: RESET[h.resetHint],
    schema: h.schema,
    zero_threshold: hex(h.zeroThreshold),
    zero_count: numberForm(h.zeroCount),
    count: numberForm(h.count),
    sum: h.stale ? "7ff0000000000002" : hex(h.sum),
    pos_spans: h.positiveSpans.map((s) => [s.offset, s.length]),
    pos_buckets: Array.from(h.positiveBuckets as ArrayLike<number | bigint>, numberForm),
    neg_spans: h.negativeSpans.map((s) => [s.offset, s.length]),
    neg_buckets: Array.from(h.negativeBuckets as ArrayLike<number | bigint>, numberForm),
    ...(h.customValues.length > 0 ? {custom_values: Array.from(h.customValues, hex)} : {}),
  };
}

const numberForm = (x: number | bigint): string => (typeof x === "bigint" ? String(x) : hex(x));

const view = new DataView(new ArrayBuffer(8));

export function hex(value: number): string {
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

/** Where two JSON values differ first, in words; undefined when they do not. Large values make assert's own diff take minutes. */
export function firstDifference(got: unknown, want: unknown, at = "$"): string | undefined {
  if (typeof got !== "object" || typeof want !== "object" || got === null || want === null) {
    return got === want ? undefined : `${at}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`;
  }
  const [a, b] = [got as Record<string, unknown>, want as Record<string, unknown>];
  if (Array.isArray(got) && Array.isArray(want) && got.length !== want.length) {
    const deeper = got.findIndex((x, i) => firstDifference(x, want[i]) !== undefined);
    return `${at}: ${got.length} entries, want ${want.length}; first difference at ${deeper}`;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const difference = firstDifference(a[key], b[key], `${at}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
