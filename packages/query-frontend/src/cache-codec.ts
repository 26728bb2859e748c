import {StrataError} from "@strata/base";
import {crc32c} from "@strata/bytes";
import type {Analysis} from "./analysis.ts";
import {joined, type Piece, type Points} from "./points.ts";
import type {QueryStats, RangeAnswer, RangeSeries} from "./range-answer.ts";

/** The answer for [start, end], ms, both inclusive, of one query. */
export type Extent<A> = {readonly start: number; readonly end: number; readonly answer: A};

/** How answers become bytes; the key is kept with them, because what they are stored under is only its hash. */
export type ExtentCodec<A> = {
  encode(key: string, extents: readonly Extent<A>[]): Uint8Array;
  /**
   * undefined where the bytes are of another key. The answer looks into `bytes`. `isOurs`: they never left this process, and
   * their checksum is not looked at, which takes as long as all the rest. Throws `corrupt`.
   */
  decode(key: string, bytes: Uint8Array, isOurs: boolean): readonly Extent<A>[] | undefined;
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
const MAGIC = 0x53514332;
const FIXED_BYTES = 16;
const SUMMED_FROM = 8;
const TIME_BYTES = 8;
const END_BYTES = 4;

/**
 * Answers to range queries: magic u32 · CRC32C of all behind it u32 · length of the header u32 · number of points u32 ·
 * header (JSON, spaces up to a multiple of 8) · times f64 … · ends u32 … · texts, each of the three in the header's order.
 * Little endian.
 */
export const rangeCodec: ExtentCodec<RangeAnswer> = {
  encode(key, extents) {
    const lists: Points[] = [];
    const add = (pieces: readonly Piece[]): Head => {
      if (pieces.length === 0) return [0, 0];
      const points = joined(pieces);
      lists.push(points);
      return [points.times.length, points.bytes.length];
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
    const points = lists.reduce((sum, {times}) => sum + times.length, 0);
    return framed(JSON.stringify(header), points, [
      ...lists.map(({times}) => bytesOf(times)),
      ...lists.map(({ends}) => bytesOf(ends)),
      ...lists.map(({bytes}) => bytes),
    ]);
  },
  decode(key, bytes, isOurs) {
    const {header, points, at} = unframed<Header>(bytes, isOurs);
    if (header.key !== key) return undefined;
    const reader = new Columns(bytes, at, points);
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
    encode: (key, extents) => framed(JSON.stringify({key, extents}), 0, []),
    decode(key, bytes, isOurs) {
      const {header} = unframed<{key: string; extents: readonly Extent<A>[]}>(bytes, isOurs);
      return header.key === key ? header.extents : undefined;
    },
  };
}

const bytesOf = (column: Float64Array | Uint32Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

function framed(header: string, points: number, columns: readonly Uint8Array[]): Uint8Array {
  const length = Buffer.byteLength(header);
  const text = Buffer.from(header + " ".repeat(-length & (TIME_BYTES - 1)));
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.writeUInt32LE(MAGIC, 0);
  fixed.writeUInt32LE(text.length, 8);
  fixed.writeUInt32LE(points, 12);
  const all = Buffer.concat([fixed, text, ...columns]);
  all.writeUInt32LE(crc32c(all, SUMMED_FROM, all.length), 4);
  return all;
}

function unframed<H>(bytes: Uint8Array, isOurs: boolean): {header: H; points: number; at: number} {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < FIXED_BYTES || buffer.readUInt32LE(0) !== MAGIC) throw broken();
  if (!isOurs && buffer.readUInt32LE(4) !== crc32c(buffer, SUMMED_FROM, buffer.length)) throw broken();
  const at = FIXED_BYTES + buffer.readUInt32LE(8);
  if (at > buffer.length) throw broken();
  try {
    return {header: JSON.parse(buffer.toString("utf8", FIXED_BYTES, at)) as H, points: buffer.readUInt32LE(12), at};
  } catch {
    throw broken();
  }
}

/** Takes lists of points, one after the other, out of the columns that begin at `at`. */
class Columns {
  readonly #bytes: Uint8Array;
  readonly #times: Float64Array;
  readonly #ends: Uint32Array;
  #point = 0;
  #text: number;

  constructor(bytes: Uint8Array, at: number, points: number) {
    const length = points * (TIME_BYTES + END_BYTES);
    if (length > bytes.length - at) throw broken();
    const from = bytes.byteOffset + at;
    // Columns want an alignment that the bytes of a remote cache need not have.
    const isAligned = from % TIME_BYTES === 0;
    const buffer = isAligned ? bytes.buffer : new Uint8Array(bytes.subarray(at, at + length)).buffer;
    const start = isAligned ? from : 0;
    this.#bytes = bytes;
    this.#times = new Float64Array(buffer, start, points);
    this.#ends = new Uint32Array(buffer, start + points * TIME_BYTES, points);
    this.#text = at + length;
  }

  take([n, length]: Head): Piece[] {
    if (n === 0) return [];
    const [from, to] = [this.#point, this.#point + n];
    if (!(n > 0 && length > 0 && to <= this.#times.length && length <= this.#bytes.length - this.#text)) throw broken();
    if (this.#ends[to - 1] !== length) throw broken();
    const bytes = this.#bytes.subarray(this.#text, this.#text + length);
    this.#point = to;
    this.#text += length;
    return [
      {points: {times: this.#times.subarray(from, to), ends: this.#ends.subarray(from, to), bytes}, from: 0, to: n},
    ];
  }
}

const broken = (): StrataError => new StrataError("corrupt", "cannot read the cached answer: it is damaged");
