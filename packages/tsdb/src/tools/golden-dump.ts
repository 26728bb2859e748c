import {crc32c} from "@strata/bytes";
import {
  AGGREGATES,
  type AggregatePart,
  chunkSamples,
  decodeChunk,
  ENCODING,
  encodingName,
  histogramAt,
} from "@strata/chunkenc";
import {type Histogram, type Labels, RESET_HINT} from "@strata/model";
import type {BlockReader} from "../block-reader.ts";

/*
 * The line format in which the reference data describes a block: one JSON object a series, in index order. Floats are the
 * 16 hex digits of their bits, so that NaN payloads survive; integers that may not fit a double are decimal strings.
 */

const RESET_NAMES: Readonly<Record<number, string>> = {
  [RESET_HINT.unknown]: "unknown",
  [RESET_HINT.counterReset]: "reset",
  [RESET_HINT.notCounterReset]: "not_reset",
  [RESET_HINT.gauge]: "gauge",
};

/** The lines of a block's dump, one a series, without newline. Deletions are not applied. */
export async function* goldenDump(block: BlockReader): AsyncGenerator<string> {
  for (const id of await block.index.all()) {
    const {labels, entry} = await block.index.series(id);
    const chunks: object[] = [];
    const samples: unknown[] = [];
    await block.chunks.read(entry.chunkRef.slice(0, entry.chunks), (i, encoding, buffer, at, length) => {
      const meta = {ref: String(entry.chunkRef[i]), mint: entry.mint[i], maxt: entry.maxt[i]};
      chunks.push({...meta, ...chunkFields(encoding, buffer, at, length)});
      if (encoding !== ENCODING.aggregate) samples.push(...goldenSamples(encoding, buffer, at, length));
    });
    yield goldenLine(id, labels, chunks, samples);
  }
}

const goldenLine = (id: number, labels: Labels, chunks: readonly object[], samples: readonly unknown[]): string =>
  JSON.stringify({id, labels: [...labels], chunks, samples: samples.length > 0 ? samples : undefined});

function chunkFields(encoding: number, buffer: Uint8Array, at: number, length: number): object {
  const sum = crc32c(buffer, at, at + length, crc32c(Uint8Array.of(encoding)));
  const fields = {
    encoding: encodingName(encoding),
    samples: chunkSamples(encoding, buffer, at, length),
    bytes: length,
    crc32c: sum.toString(16).padStart(8, "0"),
  };
  const decoded = decodeChunk(encoding, buffer, at, length);
  if (decoded.kind === "histograms") return {...fields, reset_header: RESET_NAMES[decoded.columns.resetHeader]};
  if (decoded.kind === "floats") return fields;
  return {...fields, aggr: aggregateFields(decoded.parts, buffer)};
}

function aggregateFields(parts: readonly (AggregatePart | undefined)[], buffer: Uint8Array): object {
  const entries = AGGREGATES.flatMap((name, i) => {
    const part = parts[i];
    if (part === undefined) return [];
    const {encoding, from, length} = part;
    const decoded = decodeChunk(encoding, buffer, from, length);
    const header = decoded.kind === "histograms" ? {reset_header: RESET_NAMES[decoded.columns.resetHeader]} : {};
    const samples = goldenSamples(encoding, buffer, from, length);
    return [[name, {bytes: length, encoding: encodingName(encoding), ...header, samples}] as const];
  });
  // Names sorted, as the reference's map prints them.
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The samples of a chunk, [t, value] or [t, value, st]; a packed chunk has none of its own. */
export function goldenSamples(encoding: number, bytes: Uint8Array, at: number, length: number): unknown[] {
  const decoded = decodeChunk(encoding, bytes, at, length);
  if (decoded.kind === "aggregates") return [];
  const {columns} = decoded;
  const out: unknown[] = [];
  for (let i = 0; i < columns.n; i++) {
    const st = columns.st?.[i] ?? 0;
    const value =
      decoded.kind === "floats"
        ? hexAt(decoded.columns.v, i)
        : goldenHistogram(histogramAt(decoded.columns, i), hexAt(decoded.columns.sum, i));
    out.push(st === 0 ? [columns.t[i], value] : [columns.t[i], value, st]);
  }
  return out;
}

function goldenHistogram(h: Histogram, sum: string): object {
  return {
    kind: h.kind,
    reset: RESET_NAMES[h.resetHint],
    schema: h.schema,
    zero_threshold: hex(h.zeroThreshold),
    zero_count: numberText(h.zeroCount),
    count: numberText(h.count),
    sum,
    pos_spans: h.positiveSpans.map((s) => [s.offset, s.length]),
    pos_buckets: Array.from(h.positiveBuckets as ArrayLike<number | bigint>, numberText),
    neg_spans: h.negativeSpans.map((s) => [s.offset, s.length]),
    neg_buckets: Array.from(h.negativeBuckets as ArrayLike<number | bigint>, numberText),
    custom_values: h.customValues.length > 0 ? Array.from(h.customValues, hex) : undefined,
  };
}

const numberText = (x: number | bigint): string => (typeof x === "bigint" ? String(x) : hex(x));

const float = new Float64Array(1);

function hex(value: number): string {
  float[0] = value;
  return hexAt(float, 0);
}

/** The bits of column[i], never passed through a Number, which could change a NaN's payload. */
function hexAt(column: Float64Array, i: number): string {
  const [low, high] = new Uint32Array(column.buffer, column.byteOffset + i * 8, 2) as unknown as [number, number];
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
