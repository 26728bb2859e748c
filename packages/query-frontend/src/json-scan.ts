import {StrataError} from "@strata/base";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/**
 * Walks JSON text as bytes without making values of it: answers hold millions of points, of which only times matter.
 * Positions are offsets into the text; every method gives the position behind what it read. Throws `internal`.
 */
export class JsonScan {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Behind white space. */
  space(at: number): number {
    let i = at;
    for (let c = this.bytes[i]; c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = this.bytes[++i]);
    return i;
  }

  expect(at: number, byte: number): number {
    if (this.bytes[at] !== byte) this.fail(at);
    return at + 1;
  }

  /** Each field of the object at `at`: its name and where its value begins; `field` gives the value's end. */
  object(at: number, field: (name: string, at: number) => number): number {
    let i = this.space(this.expect(at, OPEN_OBJECT));
    if (this.bytes[i] === CLOSE_OBJECT) return i + 1;
    for (;;) {
      const end = this.string(i);
      const name = this.text(i, end);
      i = this.space(this.expect(this.space(end), COLON));
      i = this.space(field(name, i));
      if (this.bytes[i] === CLOSE_OBJECT) return i + 1;
      i = this.space(this.expect(i, COMMA));
    }
  }

  /** Each element of the array at `at`; `element` gives its end. */
  array(at: number, element: (at: number) => number): number {
    let i = this.space(this.expect(at, OPEN_ARRAY));
    if (this.bytes[i] === CLOSE_ARRAY) return i + 1;
    for (;;) {
      i = this.space(element(i));
      if (this.bytes[i] === CLOSE_ARRAY) return i + 1;
      i = this.space(this.expect(i, COMMA));
    }
  }

  /** Behind the string that begins at `at`. */
  string(at: number): number {
    const {bytes} = this;
    for (let i = this.expect(at, QUOTE); i < bytes.length; i++) {
      const c = bytes[i];
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) return i + 1;
    }
    return this.fail(bytes.length);
  }

  /** Behind any value. */
  value(at: number): number {
    const {bytes} = this;
    const c = bytes[at];
    if (c === QUOTE) return this.string(at);
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) return this.#nested(at);
    let i = at;
    for (; i < bytes.length; i++) {
      const d = bytes[i] as number;
      if (d === COMMA || d === CLOSE_OBJECT || d === CLOSE_ARRAY || d <= 0x20) break;
    }
    return i === at ? this.fail(at) : i;
  }

  #nested(at: number): number {
    const {bytes} = this;
    let depth = 0;
    for (let i = at; i < bytes.length; i++) {
      const c = bytes[i];
      if (c === QUOTE) i = this.string(i) - 1;
      else if (c === OPEN_OBJECT || c === OPEN_ARRAY) depth++;
      else if ((c === CLOSE_OBJECT || c === CLOSE_ARRAY) && --depth === 0) return i + 1;
    }
    return this.fail(bytes.length);
  }

  /** The value in [from, to), parsed. */
  parse(from: number, to: number): unknown {
    try {
      return JSON.parse(this.slice(from, to));
    } catch {
      return this.fail(from);
    }
  }

  slice(from: number, to: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, to - from).toString("utf8");
  }

  text(from: number, to: number): string {
    const plain = this.slice(from + 1, to - 1);
    return plain.includes("\\") ? (this.parse(from, to) as string) : plain;
  }

  fail(at: number): never {
    throw new StrataError("internal", `cannot read the querier's answer: it is not JSON at byte ${at}`);
  }
}
