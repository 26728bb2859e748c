import type {RandomAccess} from "../random-access.ts";
import {corrupt, decodeUtf8, WireReader} from "../wire.ts";
import {INDEX_V1, type Section, scanSection} from "./index-format.ts";

/** Each 32nd symbol's place stays in memory: an eighth of a byte a symbol, at most 31 texts to step over. */
const SAMPLE_SHIFT = 5;
const SAMPLE = 1 << SAMPLE_SHIFT;
/** Strings kept decoded, per generation; two generations exist at the most. */
const CACHE_STRINGS = 32 * 1024;
/** Neighbouring groups of 32 are read together up to this many bytes. */
const READ_BYTES = 256 * 1024;

/**
 * The symbol table of an index: count u32 · count × (uvarint length · text). Version 2 refers to symbols by number,
 * version 1 by file offset. Only samples and recently used texts sit in memory.
 */
export class Symbols {
  readonly count: number;
  readonly #file: RandomAccess;
  readonly #version: number;
  readonly #section: Section;
  /** Offsets of symbols 0, 32, 64 … from the section's start. */
  readonly #samples: Uint32Array;
  #young = new Map<number, string>();
  #old = new Map<number, string>();

  private constructor(file: RandomAccess, version: number, section: Section, count: number, samples: Uint32Array) {
    this.count = count;
    this.#file = file;
    this.#version = version;
    this.#section = section;
    this.#samples = samples;
  }

  /** Checks and samples the table at file offset `offset`. Throws `corrupt`. */
  static async open(file: RandomAccess, offset: number, version: number): Promise<Symbols> {
    const walk = new SymbolWalk(file.name);
    const section = await scanSection(file, offset, "index-symbols-checksum", "symbol table", walk.take);
    if (walk.seen !== walk.count) {
      throw corrupt(file.name, offset, `symbol table announces ${walk.count} texts and holds ${walk.seen}`);
    }
    return new Symbols(file, version, section, walk.count, Uint32Array.from(walk.samples));
  }

  /** File offsets of the table: [start of its length field, end of its CRC). */
  get extent(): Section {
    return {from: this.#section.from - 4, to: this.#section.to + 4};
  }

  /** The texts of the given references, in any order, by reference. Throws `corrupt` for one that does not exist. */
  async resolve(refs: Iterable<number>): Promise<ReadonlyMap<number, string>> {
    if (this.#young.size > CACHE_STRINGS) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    const found = new Map<number, string>();
    const missing: number[] = [];
    for (const ref of refs) {
      if (found.has(ref)) continue;
      const text = this.#young.get(ref) ?? this.#old.get(ref);
      if (text === undefined) missing.push(ref);
      else {
        found.set(ref, text);
        this.#young.set(ref, text);
      }
    }
    if (missing.length > 0)
      await this.#read(
        missing.sort((a, b) => a - b),
        found,
      );
    return found;
  }

  /** Every symbol in order with its reference, in lists of some thousand. */
  async *all(): AsyncGenerator<{readonly texts: readonly string[]; readonly refs: readonly number[]}> {
    for (let group = 0; group < this.#samples.length; group += 64) {
      const last = Math.min(group + 64, this.#samples.length);
      const from = this.#groupStart(group);
      const bytes = await this.#file.read(from, this.#groupStart(last) - from);
      const reader = new WireReader(bytes);
      const texts: string[] = [];
      const refs: number[] = [];
      for (let i = group * SAMPLE; i < Math.min(last * SAMPLE, this.count); i++) {
        refs.push(this.#version === INDEX_V1 ? from + reader.at : i);
        texts.push(reader.string());
      }
      reader.check(this.#file.name, from, "symbol");
      yield {texts, refs};
    }
  }

  async #read(sorted: readonly number[], found: Map<number, string>): Promise<void> {
    for (let i = 0; i < sorted.length; ) {
      const first = this.#groupOf(sorted[i] as number);
      const from = this.#groupStart(first);
      let last = first;
      let end = i + 1;
      for (; end < sorted.length; end++) {
        const group = this.#groupOf(sorted[end] as number);
        if (group > last + 4 || this.#groupStart(group + 1) - from > READ_BYTES) break;
        last = group;
      }
      const bytes = await this.#file.read(from, this.#groupStart(last + 1) - from);
      this.#pick(sorted.slice(i, end), first, bytes, from, found);
      i = end;
    }
  }

  /** Steps through the symbols of `bytes`, which start with group `first`, and keeps the wanted ones. */
  #pick(wanted: readonly number[], first: number, bytes: Uint8Array, from: number, found: Map<number, string>): void {
    const reader = new WireReader(bytes);
    let number = first * SAMPLE;
    for (const ref of wanted) {
      // A distant group is jumped to, not walked to.
      const group = this.#groupOf(ref);
      if (group * SAMPLE > number) {
        number = group * SAMPLE;
        reader.at = this.#groupStart(group) - from;
      }
      for (;;) {
        const position = this.#version === INDEX_V1 ? from + reader.at : number;
        if (position > ref || reader.left <= 0) throw corrupt(this.#file.name, from + reader.at, `no symbol ${ref}`);
        const length = reader.uvarint();
        const start = reader.at;
        reader.skip(length);
        reader.check(this.#file.name, from, "symbol");
        number++;
        if (position !== ref) continue;
        const text = decodeUtf8(bytes, start, start + length);
        found.set(ref, text);
        this.#young.set(ref, text);
        break;
      }
    }
  }

  #groupOf(ref: number): number {
    if (this.#version !== INDEX_V1) {
      if (ref >= this.count) throw corrupt(this.#file.name, this.#section.from, `no symbol ${ref} of ${this.count}`);
      return ref >> SAMPLE_SHIFT;
    }
    let low = 0;
    let high = this.#samples.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.#section.from + (this.#samples[mid] as number) <= ref) low = mid + 1;
      else high = mid;
    }
    if (low === 0 || ref >= this.#section.to) throw corrupt(this.#file.name, ref, "no symbol at this offset");
    return low - 1;
  }

  #groupStart(group: number): number {
    return group < this.#samples.length ? this.#section.from + (this.#samples[group] as number) : this.#section.to;
  }
}

/** Counts and samples symbols while the section is walked. */
class SymbolWalk {
  count = -1;
  seen = 0;
  readonly samples: number[] = [];
  readonly #file: string;
  #start = 0;

  constructor(file: string) {
    this.#file = file;
  }

  readonly take = (bytes: Uint8Array, fileOffset: number): number => {
    const reader = new WireReader(bytes);
    if (this.count < 0) {
      if (bytes.length < 4) return 0;
      this.#start = fileOffset;
      this.count = reader.u32();
    }
    for (;;) {
      const at = reader.at;
      const length = reader.uvarint();
      reader.skip(length);
      if (reader.failed) {
        if (bytes.length - at > 10 && length === 0)
          throw corrupt(this.#file, fileOffset + at, "symbol with an overlong length");
        return at;
      }
      if (this.seen % SAMPLE === 0) this.samples.push(fileOffset + at - this.#start);
      this.seen++;
    }
  };
}
