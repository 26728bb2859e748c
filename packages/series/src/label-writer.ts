import type {Labels} from "@strata/model";

/**
 * Encodes label sets as repeated label messages (`0a len 0a len name 12 len value`), one row after another into one
 * scratch buffer. Rows come in label order, so the labels a row shares with the row before are copied, not encoded.
 */
export class LabelWriter {
  #buf = Buffer.allocUnsafeSlow(16 * 1024);
  #used = 0;
  #prev: readonly string[] = [];
  #prevFrom = 0;
  /** End of each label of the row before, relative to the row's start. */
  #ends: number[] = [];

  /** The scratch bytes; `write` may replace the buffer. */
  get bytes(): Buffer {
    return this.#buf;
  }

  /** Forgets all rows but the last, whose labels the next row may share. */
  reset(): void {
    const length = this.#used - this.#prevFrom;
    this.#buf.copyWithin(0, this.#prevFrom, this.#used);
    this.#prevFrom = 0;
    this.#used = length;
  }

  /** Encodes a row; returns where it begins. It ends at `end`. */
  write(labels: Labels): number {
    const pairs = labels.pairs;
    const from = this.#used;
    let common = 0;
    const most = Math.min(pairs.length, this.#prev.length);
    while (common + 1 < most && pairs[common] === this.#prev[common] && pairs[common + 1] === this.#prev[common + 1]) {
      common += 2;
    }
    const shared = common === 0 ? 0 : this.#ends[common / 2 - 1]!;
    this.#reserve(shared);
    this.#buf.copyWithin(from, this.#prevFrom, this.#prevFrom + shared);
    this.#used = from + shared;
    this.#ends.length = common / 2;
    for (let i = common; i < pairs.length; i += 2) {
      this.#pair(pairs[i]!, pairs[i + 1]!);
      this.#ends.push(this.#used - from);
    }
    this.#prev = pairs;
    this.#prevFrom = from;
    return from;
  }

  get end(): number {
    return this.#used;
  }

  #pair(name: string, value: string): void {
    // A string's bytes are at most three a UTF-16 unit; every length then fits five bytes.
    this.#reserve(3 * (name.length + value.length) + 18);
    const lengths = 2 + sizeOfString(name) + sizeOfString(value);
    this.#buf[this.#used++] = 0x0a;
    this.#varint(lengths);
    this.#buf[this.#used++] = 0x0a;
    this.#string(name);
    this.#buf[this.#used++] = 0x12;
    this.#string(value);
  }

  #string(text: string): void {
    const buf = this.#buf;
    if (text.length < SHORT) {
      const from = this.#used + 1;
      let i = 0;
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit >= 0x80) break;
        buf[from + i] = unit;
      }
      if (i === text.length) {
        buf[this.#used] = text.length;
        this.#used = from + text.length;
        return;
      }
    }
    this.#varint(Buffer.byteLength(text));
    this.#used += buf.write(text, this.#used);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buf[this.#used++] = (rest & 0x7f) | 0x80;
    this.#buf[this.#used++] = rest;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#buf.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buf.length * 2, this.#used + more));
    grown.set(this.#buf.subarray(0, this.#used));
    this.#buf = grown;
  }
}

/** Below so many units text is written by a loop: cheaper than a call out of JavaScript. */
const SHORT = 24;

/** Bytes of a string with its length before it. */
function sizeOfString(text: string): number {
  let size = text.length;
  if (size < SHORT) {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) >= 0x80) {
        size = Buffer.byteLength(text);
        break;
      }
    }
  } else size = Buffer.byteLength(text);
  return size + varintSize(size);
}

/** Bytes of an unsigned varint below 2^32. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
