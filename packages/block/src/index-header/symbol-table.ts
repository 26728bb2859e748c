import {StrataError} from "@strata/base";
import {INDEX_V1, type RandomAccess} from "@strata/tsdb/blocks";
import type {HeaderLayout} from "./header-layout.ts";
import {asBuffer, cutItem, next, scanSection, uvarint} from "./scan.ts";

/** Each 32nd symbol's place is kept in memory: 1/8 byte a symbol, and at most 31 strings to skip. */
const SAMPLING = 32;
const SAMPLING_SHIFT = 5;

/** Read unit for lookups; strings are some 20 bytes long, so several samples share one. */
const LOOKUP_BYTES = 8 * 1024;

/** Compat: symbols moved from offset 5 of the index to 14 of the index-header, references of version 1 did not. */
const MOVED = 9;

/** Symbols of an index-header by number, read from the file on demand. */
export class SymbolTable {
  readonly count: number;
  readonly #source: RandomAccess;
  readonly #layout: HeaderLayout;
  /** Offsets from the first symbol; a symbol section is shorter than 4 GiB. Empty for index version 1. */
  readonly #samples: Uint32Array;

  private constructor(source: RandomAccess, layout: HeaderLayout, samples: Uint32Array) {
    this.#source = source;
    this.#layout = layout;
    this.#samples = samples;
    this.count = layout.symbols.count;
  }

  /** Scans the section once; throws `corrupt` where it does not hold as many strings as it says. */
  static async load(source: RandomAccess, layout: HeaderLayout): Promise<SymbolTable> {
    const {from, to, count, at} = layout.symbols;
    // Each symbol takes a byte at least, so a count beyond that is a lie that must not be allocated for.
    if (count > to - from) throw wrongCount(source.name, at, count, to - from);
    const samples = new Uint32Array(layout.indexVersion === INDEX_V1 ? 0 : Math.ceil(count / SAMPLING));
    let seen = 0;
    await scanSection(source, layout.symbols, (bytes, base) => {
      let pos = 0;
      for (;;) {
        const length = uvarint(bytes, pos);
        if (length === -2) throw cutItem(source.name, base + pos);
        if (length === -1 || next + length > bytes.length) return pos;
        if (seen % SAMPLING === 0 && seen < count) samples[seen >> SAMPLING_SHIFT] = base + pos - from;
        seen++;
        pos = next + length;
      }
    });
    if (seen !== count) throw wrongCount(source.name, at, count, seen);
    return new SymbolTable(source, layout, samples);
  }

  /** Whether a reference can be one of this table. */
  has(ref: number): boolean {
    const {indexVersion, symbols} = this.#layout;
    return indexVersion === INDEX_V1 ? ref < symbols.to - MOVED : ref < this.count;
  }

  /** Bytes this table holds in memory. */
  get byteLength(): number {
    return this.#samples.byteLength;
  }

  /**
   * The strings of ascending symbol references (index version 1: offsets in the index file), in that order. Throws
   * `corrupt` for a reference beyond the table.
   */
  async lookup(refs: Uint32Array): Promise<string[]> {
    return this.#layout.indexVersion === INDEX_V1 ? this.#lookupByOffset(refs) : this.#lookupByNumber(refs);
  }

  async #lookupByNumber(refs: Uint32Array): Promise<string[]> {
    const {from, to, count} = this.#layout.symbols;
    const out: string[] = [];
    let window: Buffer = Buffer.alloc(0);
    let base = 0;
    let pos = 0;
    let at = -1; // number of the symbol at window[pos]
    for (const ref of refs) {
      if (ref >= count) throw unknownSymbol(this.#source.name, ref);
      if (at < 0 || ref - at >= SAMPLING) {
        const sample = from + (this.#samples[ref >> SAMPLING_SHIFT] as number);
        at = ref & ~(SAMPLING - 1);
        pos = sample - base;
        if (pos < 0 || pos >= window.length) {
          [window, base, pos] = [await this.#read(sample, LOOKUP_BYTES, to), sample, 0];
        }
      }
      for (;;) {
        const length = uvarint(window, pos);
        if (length === -2) throw cutItem(this.#source.name, base + pos);
        if (length === -1 || next + length > window.length) {
          const start = base + pos;
          if (base + window.length >= to && pos === 0) throw cutItem(this.#source.name, start);
          const want = pos === 0 ? window.length * 4 : LOOKUP_BYTES;
          [window, base, pos] = [await this.#read(start, Math.max(want, LOOKUP_BYTES), to), start, 0];
          continue;
        }
        if (at === ref) {
          out.push(window.toString("utf8", next, next + length));
          break;
        }
        pos = next + length;
        at++;
      }
    }
    return out;
  }

  async #lookupByOffset(refs: Uint32Array): Promise<string[]> {
    const {from, to} = this.#layout.symbols;
    const out: string[] = [];
    let window: Buffer = Buffer.alloc(0);
    let base = 0;
    for (const ref of refs) {
      const start = ref + MOVED;
      if (start < from || start >= to) throw unknownSymbol(this.#source.name, ref);
      for (let want = LOOKUP_BYTES; ; want *= 4) {
        const length = uvarint(window, start - base);
        if (length === -2) throw cutItem(this.#source.name, start);
        if (length >= 0 && next + length <= window.length) {
          out.push(window.toString("utf8", next, next + length));
          break;
        }
        if (base === start && start + window.length >= to) throw cutItem(this.#source.name, start);
        [window, base] = [await this.#read(start, want, to), start];
      }
    }
    return out;
  }

  async #read(start: number, length: number, to: number): Promise<Buffer> {
    return asBuffer(await this.#source.read(start, Math.min(length, to - start)));
  }
}

const unknownSymbol = (file: string, ref: number) =>
  new StrataError("corrupt", `cannot find symbol ${ref} in ${file}: unknown symbol offset ${ref}`, {
    fields: {file, ref},
  });

const wrongCount = (file: string, offset: number, want: number, got: number) =>
  new StrataError(
    "corrupt",
    `cannot read symbols of ${file} at ${offset}: it announces ${want} strings and holds ${got}`,
    {
      fields: {file, offset},
    },
  );
