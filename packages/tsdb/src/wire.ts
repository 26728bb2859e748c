import {StrataError} from "@strata/base";

const TWO_32 = 2 ** 32;
const UTF8 = new TextDecoder("utf-8", {ignoreBOM: true});

/**
 * Reads the primitive fields of the TSDB's files, big end first, from one buffer. It never reads beyond `end`: asking for
 * more sets `failed` and gives 0, so that a decoder checks once at its end instead of catching at every field.
 *
 * 64-bit varints are returned as numbers: exact up to 2^53, beyond that rounded (times and references of real blocks
 * stay far below).
 */
export class WireReader {
  bytes: Uint8Array;
  at: number;
  end: number;
  failed: boolean;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.failed = false;
  }

  /** Starts over on another range; reuse keeps the call sites to one object shape. */
  reset(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.failed = false;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    if (this.at >= this.end) return this.#fail();
    return this.bytes[this.at++] as number;
  }

  u32(): number {
    const {bytes, at} = this;
    if (at + 4 > this.end) return this.#fail();
    this.at = at + 4;
    return readU32(bytes, at);
  }

  /** Unsigned 64 bits as a number; see the class about precision. */
  u64(): number {
    const hi = this.u32();
    return hi * TWO_32 + this.u32();
  }

  /** LEB128, at most ten bytes. */
  uvarint(): number {
    const {bytes} = this;
    let at = this.at;
    if (at >= this.end) return this.#fail();
    let byte = bytes[at++] as number;
    if (byte < 0x80) {
      this.at = at;
      return byte;
    }
    let value = byte & 0x7f;
    let scale = 128;
    for (let i = 1; i < 10; i++) {
      if (at >= this.end) return this.#fail();
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (i === 9 && byte > 1) return this.#fail();
        this.at = at;
        return value;
      }
      scale *= 128;
    }
    return this.#fail();
  }

  /**
   * LEB128 of a 64-bit difference that may have wrapped below zero (chunks that overlap make one): ten bytes are a
   * negative number, put together from its complement so that small ones stay exact.
   */
  wrapped(): number {
    const start = this.at;
    const value = this.uvarint();
    if (this.failed || value < 2 ** 63) return value;
    let complement = 0;
    for (let i = 0, scale = 1; i < 9; i++, scale *= 128)
      complement += (~(this.bytes[start + i] as number) & 0x7f) * scale;
    return -complement - 1;
  }

  /** Zig-zag LEB128. Halved before it is put together, so that it is exact over ±2^53. */
  varint(): number {
    const {bytes} = this;
    let at = this.at;
    if (at >= this.end) return this.#fail();
    let byte = bytes[at++] as number;
    const negative = (byte & 1) === 1;
    let value = (byte & 0x7f) >> 1;
    let scale = 64;
    for (let i = 1; byte >= 0x80; i++) {
      if (i >= 10 || at >= this.end) return this.#fail();
      byte = bytes[at++] as number;
      if (i === 9 && byte > 1) return this.#fail();
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    this.at = at;
    return negative ? -value - 1 : value;
  }

  /** A text with its length in front. */
  string(): string {
    const length = this.uvarint();
    if (this.failed || length > this.left) {
      this.#fail();
      return "";
    }
    const text = decodeUtf8(this.bytes, this.at, this.at + length);
    this.at += length;
    return text;
  }

  skip(length: number): void {
    if (length > this.left) this.#fail();
    else this.at += length;
  }

  /** Throws `corrupt` when anything before went beyond the end. `base` is the file offset of the buffer's first byte. */
  check(file: string, base: number, what: string): void {
    if (this.failed) throw corrupt(file, base + this.at, `${what}: not enough bytes or an overlong number`);
  }

  #fail(): number {
    this.failed = true;
    this.at = this.end;
    return 0;
  }
}

export const readU32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** PERF: most label texts are short ASCII, where a loop beats the decoder's call (30 ns against 90 for 12 bytes). */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > 24) return UTF8.decode(bytes.subarray(from, to));
  let text = "";
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte > 127) return UTF8.decode(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The error of every decoder here: names file and offset, and in `fields.class` what kind of damage it is. */
export function corrupt(file: string, offset: number, reason: string, errorClass = "corrupt"): StrataError {
  return new StrataError("corrupt", `cannot read ${file} at offset ${offset}: ${reason}`, {
    fields: {file, offset, class: errorClass},
  });
}
