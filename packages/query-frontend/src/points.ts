import type {JsonScan} from "./json-scan.ts";

/**
 * Points of one series in time order, kept as the JSON they came in: point i is `[t,…]` and lies in
 * bytes[i === 0 ? 0 : ends[i - 1] + 1, ends[i]), with a comma between two. So cutting and joining copy bytes, and nothing
 * is parsed or printed twice.
 */
export type Points = {
  /** ms, ascending. */
  readonly times: Float64Array;
  readonly ends: Uint32Array;
  readonly bytes: Uint8Array;
};

/** Points [from, to) of `points`. */
export type Piece = {readonly points: Points; readonly from: number; readonly to: number};

const COMMA = 0x2c;
const QUOTE = 0x22;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const DOT = 0x2e;
const ZERO = 0x30;

/** Times and ends while a series is read; one a reader, because series come one after the other. */
class Columns {
  times = new Float64Array(1024);
  ends = new Uint32Array(1024);
  n = 0;

  push(time: number, end: number): void {
    if (this.n === this.times.length) {
      const times = new Float64Array(this.n * 2);
      const ends = new Uint32Array(this.n * 2);
      times.set(this.times);
      ends.set(this.ends);
      this.times = times;
      this.ends = ends;
    }
    this.times[this.n] = time;
    this.ends[this.n++] = end;
  }
}

/** Points that the first block of an answer has room for, and that no block has more of; each is twice as large. */
const FIRST_POINTS = 512;
const MOST_POINTS = 16 * 1024;
const POINT_BYTES = 12;

/**
 * Where columns of the series of one answer go. PERF: two buffers a series, of which a split query has hundreds, cost the
 * collector as much as reading the points.
 */
class Blocks {
  #times = new Float64Array(0);
  #ends = new Uint32Array(0);
  #used = 0;

  /** Copies of the first `n` entries. */
  keep({times, ends, n}: Columns): {times: Float64Array; ends: Uint32Array} {
    if (this.#used + n > this.#times.length) this.#open(n);
    const from = this.#used;
    this.#used += n;
    const kept = {times: this.#times.subarray(from, from + n), ends: this.#ends.subarray(from, from + n)};
    kept.times.set(times.subarray(0, n));
    kept.ends.set(ends.subarray(0, n));
    return kept;
  }

  #open(least: number): void {
    const size = Math.max(least, Math.min(MOST_POINTS, Math.max(FIRST_POINTS, 2 * this.#times.length)));
    const block = new ArrayBuffer(POINT_BYTES * size);
    this.#times = new Float64Array(block, 0, size);
    this.#ends = new Uint32Array(block, 8 * size, size);
    this.#used = 0;
  }
}

/** Reads arrays of points out of one answer. */
export class PointReader {
  readonly #scan: JsonScan;
  readonly #columns = new Columns();
  readonly #blocks = new Blocks();
  #end = 0;

  constructor(scan: JsonScan) {
    this.#scan = scan;
  }

  /** Behind the array read last. */
  get end(): number {
    return this.#end;
  }

  /** The array of points at `at`, floats or histograms. */
  read(at: number): Points {
    return this.#compact(at) ?? this.#rewritten(at);
  }

  /** The common form: no white space, times in decimals, values that Go's 'f' format would print as they are. */
  #compact(at: number): Points | undefined {
    const {bytes} = this.#scan;
    const columns = this.#columns;
    columns.n = 0;
    const start = at + 1;
    let i = start;
    if (bytes[at] !== OPEN || bytes[i] === CLOSE) return undefined;
    for (;;) {
      if (bytes[i++] !== OPEN) return undefined;
      let whole = 0;
      let c = bytes[i] as number;
      for (; c >= ZERO && c <= ZERO + 9; c = bytes[++i] as number) whole = whole * 10 + (c - ZERO);
      let ms = whole * 1000;
      if (c === DOT) {
        let scale = 100;
        for (c = bytes[++i] as number; c >= ZERO && c <= ZERO + 9; c = bytes[++i] as number) {
          ms += (c - ZERO) * scale;
          scale /= 10;
        }
        if (scale < 0.1) return undefined;
      }
      if (c !== COMMA) return undefined;
      i++;
      if (bytes[i] === QUOTE) {
        for (c = bytes[++i] as number; c !== QUOTE; c = bytes[++i] as number)
          if (c === 0x65 || c === undefined) return undefined;
        i++;
      } else {
        i = this.#scan.value(i);
      }
      if (bytes[i++] !== CLOSE) return undefined;
      columns.push(ms, i - start);
      if (bytes[i] === CLOSE) break;
      if (bytes[i++] !== COMMA) return undefined;
    }
    this.#end = i + 1;
    return this.#take(bytes.subarray(start, i));
  }

  /** Any other form, printed anew in the common one. */
  #rewritten(at: number): Points {
    const columns = this.#columns;
    columns.n = 0;
    const texts: string[] = [];
    let length = 0;
    this.#end = this.#scan.array(at, (from) => {
      const to = this.#scan.value(from);
      const point = this.#scan.parse(from, to);
      if (!Array.isArray(point) || typeof point[0] !== "number") return this.#scan.fail(from);
      const [t, v] = point as [number, unknown];
      const text = `[${t},${JSON.stringify(typeof v === "string" ? plainNumber(v) : v)}]`;
      length += (length > 0 ? 1 : 0) + text.length;
      columns.push(Math.round(t * 1000), length);
      texts.push(text);
      return to;
    });
    return this.#take(Buffer.from(texts.join(",")));
  }

  #take(bytes: Uint8Array): Points {
    return {...this.#blocks.keep(this.#columns), bytes};
  }
}

/** Compat: numbers as Go's 'f' format prints them, never with an exponent: `1e-09` is `0.000000001`. */
export function plainNumber(text: string): string {
  const found = /^(-?)(\d+)(?:\.(\d+))?e([+-]?\d+)$/i.exec(text);
  if (found === null) return text;
  const [, sign = "", whole = "", fraction = "", exponent] = found;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${"0".repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The first of points [from, to) at `t` or later; `to` where there is none. */
export function firstAtOrAfter({times}: Points, from: number, to: number, t: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of `piece` in [mint, maxt], ms, both inclusive; undefined where there is nothing. */
export function cut(piece: Piece, mint: number, maxt: number): Piece | undefined {
  const from = firstAtOrAfter(piece.points, piece.from, piece.to, mint);
  const to = firstAtOrAfter(piece.points, from, piece.to, maxt + 1);
  return from < to ? {points: piece.points, from, to} : undefined;
}

/** The JSON of a piece, without brackets; a view of its points' bytes. */
export function pieceBytes({points, from, to}: Piece): Uint8Array {
  const start = from === 0 ? 0 : (points.ends[from - 1] as number) + 1;
  return points.bytes.subarray(start, points.ends[to - 1]);
}

/** All pieces as one list of points of its own, so that nothing else stays alive for them. */
export function joined(pieces: readonly Piece[]): Points {
  const n = pieces.reduce((sum, {from, to}) => sum + to - from, 0);
  const times = new Float64Array(n);
  const ends = new Uint32Array(n);
  const texts = pieces.map(pieceBytes);
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + text.length, 0) + Math.max(0, pieces.length - 1));
  let i = 0;
  let at = 0;
  pieces.forEach(({points, from, to}, p) => {
    if (p > 0) bytes[at++] = COMMA;
    const text = texts[p] as Uint8Array;
    bytes.set(text, at);
    const shift = at - (from === 0 ? 0 : (points.ends[from - 1] as number) + 1);
    for (let k = from; k < to; k++) {
      times[i] = points.times[k] as number;
      ends[i++] = (points.ends[k] as number) + shift;
    }
    at += text.length;
  });
  return {times, ends, bytes};
}

/** Of points [from, to) those whose distance from `origin` is a multiple of `step` (ms), as points of their own. */
export function thinned(points: Points, origin: number, step: number, from: number, to: number): Points {
  const pieces: Piece[] = [];
  for (let i = from; i < to; i++) {
    if (((points.times[i] as number) - origin) % step === 0) pieces.push({points, from: i, to: i + 1});
  }
  return joined(pieces);
}
