import {StrataError} from "@strata/base";
import {crc32c} from "@strata/bytes";
import {joined, type Piece} from "./points.ts";
import type {Analysis, QueryStats, RangeAnswer, RangeSeries} from "./range-answer.ts";

/** The answer for [start, end], ms, both inclusive, of one query. */
export type Extent<A> = {readonly start: number; readonly end: number; readonly answer: A};

/** How answers become bytes; the key is kept with them, because what they are stored under is only its hash. */
export type ExtentCodec<A> = {
  encode(key: string, extents: readonly Extent<A>[]): Uint8Array;
  /** undefined where the bytes are of another key. Throws `corrupt`. */
  decode(key: string, bytes: Uint8Array): readonly Extent<A>[] | undefined;
};

type SeriesHead = {readonly metric: string; readonly key: string; readonly floats: Head; readonly histograms: Head};
/** Number of points and bytes of their text. */
type Head = readonly [points: number, bytes: number];

type Header = {
  readonly key: string;
  readonly extents: readonly {
    readonly start: number;
    readonly end: number;
    readonly warnings: readonly string[];
    readonly stats: QueryStats | undefined;
    readonly analysis: Analysis | undefined;
    readonly series: readonly SeriesHead[];
  }[];
};

/** Version of the form below, so that another one is a miss. */
const MAGIC = 0x53514331;
const FIXED_BYTES = 12;
const SUMMED_FROM = 8;
/** Time and end of a point. */
const POINT_BYTES = 12;

/**
 * Answers to range queries: magic u32 · CRC32C of all behind it u32 · length of the header u32 · header (JSON) · for each
 * list of points, in the header's order: times f64 … · ends u32 … · text. Little endian, without alignment.
 */
export const rangeCodec: ExtentCodec<RangeAnswer> = {
  encode(key, extents) {
    const parts: Uint8Array[] = [];
    const add = (pieces: readonly Piece[]): Head => {
      if (pieces.length === 0) return [0, 0];
      const {times, ends, bytes} = joined(pieces);
      for (const column of [times, ends])
        parts.push(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
      parts.push(bytes);
      return [times.length, bytes.length];
    };
    const header: Header = {
      key,
      extents: extents.map(({start, end, answer}) => ({
        start,
        end,
        warnings: answer.warnings,
        stats: answer.stats,
        analysis: answer.analysis,
        series: answer.series.map(({metric, key: labels, floats, histograms}) => ({
          metric,
          key: labels,
          floats: add(floats),
          histograms: add(histograms),
        })),
      })),
    };
    return framed(JSON.stringify(header), parts);
  },
  decode(key, bytes) {
    const {header, at} = unframed<Header>(bytes);
    if (header.key !== key) return undefined;
    const reader = new Columns(bytes, at);
    return header.extents.map(({start, end, series, warnings, stats, analysis}) => ({
      start,
      end,
      answer: {
        series: series.map(
          ({metric, key: labels, floats, histograms}): RangeSeries => ({
            metric,
            key: labels,
            floats: reader.take(floats),
            histograms: reader.take(histograms),
          }),
        ),
        warnings,
        stats,
        analysis,
        noStore: false,
      },
    }));
  },
};

/** Answers that are JSON throughout. */
export function jsonCodec<A>(): ExtentCodec<A> {
  return {
    encode: (key, extents) => framed(JSON.stringify({key, extents}), []),
    decode(key, bytes) {
      const {header} = unframed<{key: string; extents: readonly Extent<A>[]}>(bytes);
      return header.key === key ? header.extents : undefined;
    },
  };
}

function framed(header: string, parts: readonly Uint8Array[]): Uint8Array {
  const text = Buffer.from(header);
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.writeUInt32LE(MAGIC, 0);
  fixed.writeUInt32LE(text.length, 8);
  const all = Buffer.concat([fixed, text, ...parts]);
  all.writeUInt32LE(crc32c(all, SUMMED_FROM, all.length), 4);
  return all;
}

function unframed<H>(bytes: Uint8Array): {header: H; at: number} {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < FIXED_BYTES || buffer.readUInt32LE(0) !== MAGIC) throw broken();
  if (buffer.readUInt32LE(4) !== crc32c(buffer, SUMMED_FROM, buffer.length)) throw broken();
  const at = FIXED_BYTES + buffer.readUInt32LE(8);
  if (at > buffer.length) throw broken();
  try {
    return {header: JSON.parse(buffer.toString("utf8", FIXED_BYTES, at)) as H, at};
  } catch {
    throw broken();
  }
}

class Columns {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  take([points, text]: Head): Piece[] {
    if (points === 0) return [];
    if (!(points > 0 && text > 0 && points * POINT_BYTES + text <= this.#bytes.length - this.#at)) throw broken();
    const times = new Float64Array(this.#copy(points * 8));
    const ends = new Uint32Array(this.#copy(points * 4));
    const bytes = this.#bytes.subarray(this.#at, this.#at + text);
    this.#at += text;
    if (ends[points - 1] !== text) throw broken();
    return [{points: {times, ends, bytes}, from: 0, to: points}];
  }

  /** Columns want an alignment that the bytes of a cache do not have. */
  #copy(length: number): ArrayBuffer {
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return copy.buffer;
  }
}

const broken = (): StrataError => new StrataError("corrupt", "cannot read the cached answer: it is damaged");
