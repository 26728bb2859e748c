import {compareUtf8, Labels} from "@strata/model";
import type {FrameCursor} from "./frame-cursor.ts";

/**
 * Makes Labels out of encoded label messages (name 1, value 2). Series come in label order, so most labels of a row are
 * those of the row before: equal bytes give the very same strings again, and other strings are interned, which keeps
 * memory low and makes later comparisons a comparison of pointers.
 */
export class LabelReader {
  readonly #strings = interner();
  /** The encoded labels of the row before: label i is #prevBytes[#prevFrom[i], #prevTo[i]). */
  #prevBytes: Uint8Array = new Uint8Array(0);
  #prevFrom: number[] = [];
  #prevTo: number[] = [];
  #prevPairs: readonly string[] = [];
  #previous: Labels = Labels.EMPTY;

  /** The row's labels, from `count` encoded labels at bytes[from[i], to[i]). The cursor stands over the same bytes. */
  read(cursor: FrameCursor, from: readonly number[], to: readonly number[], count: number): Labels {
    const bytes = cursor.bytes;
    const pairs = new Array<string>(2 * count);
    let same = count === this.#prevFrom.length;
    let sorted = true;
    for (let i = 0; i < count; i++) {
      if (i < this.#prevFrom.length && this.#equalsPrevious(bytes, from[i]!, to[i]!, i)) {
        pairs[2 * i] = this.#prevPairs[2 * i]!;
        pairs[2 * i + 1] = this.#prevPairs[2 * i + 1]!;
      } else {
        same = false;
        this.#readPair(cursor, from[i]!, to[i]!, pairs, 2 * i);
      }
      if (pairs[2 * i + 1] === "" || (i > 0 && compareUtf8(pairs[2 * i - 2]!, pairs[2 * i]!) >= 0)) sorted = false;
    }
    this.#prevBytes = bytes;
    if (same) {
      // Only the place of the bytes has changed.
      for (let i = 0; i < count; i++) this.#note(i, from[i]!, to[i]!);
      return this.#previous;
    }
    this.#prevFrom.length = count;
    this.#prevTo.length = count;
    for (let i = 0; i < count; i++) this.#note(i, from[i]!, to[i]!);
    this.#prevPairs = pairs;
    this.#previous = sorted ? new Labels(pairs) : fromUnsorted(pairs);
    return this.#previous;
  }

  #note(i: number, from: number, to: number): void {
    this.#prevFrom[i] = from;
    this.#prevTo[i] = to;
  }

  #equalsPrevious(bytes: Uint8Array, from: number, to: number, i: number): boolean {
    const prev = this.#prevBytes;
    const at = this.#prevFrom[i]!;
    const length = to - from;
    if (this.#prevTo[i]! - at !== length) return false;
    // From the end: values differ there, names and leading parts rarely.
    for (let k = length - 1; k >= 0; k--) if (bytes[from + k] !== prev[at + k]) return false;
    return true;
  }

  #readPair(cursor: FrameCursor, from: number, to: number, pairs: string[], at: number): void {
    pairs[at] = "";
    pairs[at + 1] = "";
    cursor.seek(from, to);
    while (cursor.more) {
      const tag = cursor.uint32();
      if (tag !== NAME && tag !== VALUE) {
        cursor.skip(tag);
        continue;
      }
      const length = cursor.length();
      const text = this.#strings.get(cursor.bytes, cursor.pos, cursor.pos + length);
      cursor.pos += length;
      pairs[tag === NAME ? at : at + 1] = text;
    }
  }
}

let shared: StringInterner | undefined;

/**
 * One for all streams of the thread. PERF: streams of replicas then have the very same strings, which compare by their
 * address, and what a query repeats is not decoded again.
 */
function interner(): StringInterner {
  shared ??= new StringInterner();
  return shared;
}

const NAME = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

function fromUnsorted(pairs: readonly string[]): Labels {
  const entries: [string, string][] = [];
  for (let i = 0; i < pairs.length; i += 2) entries.push([pairs[i]!, pairs[i + 1]!]);
  return Labels.fromPairs(entries);
}

/**
 * Strings by their UTF-8 bytes. A hit costs a hash and a comparison of bytes and no string is made. Direct mapped: a new
 * string takes the place of the one with the same hash, so the table never outgrows its slots.
 */
class StringInterner {
  readonly #text = new Array<string | undefined>(SLOTS).fill(undefined);
  readonly #bytes = new Array<Uint8Array | undefined>(SLOTS).fill(undefined);

  get(bytes: Uint8Array, from: number, to: number): string {
    const length = to - from;
    if (length > LONGEST) return decode(bytes, from, to);
    let hash = length;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#bytes[slot];
    if (known !== undefined && known.length === length) {
      let i = 0;
      while (i < length && known[i] === bytes[from + i]) i++;
      if (i === length) return this.#text[slot]!;
    }
    const text = decode(bytes, from, to);
    this.#bytes[slot] = bytes.slice(from, to);
    this.#text[slot] = text;
    return text;
  }
}

/** Enough for the label values of wide selections, at most about 5 MB. */
const SLOTS = 16_384;
const LONGEST = 128;

function decode(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
}
