import type {RandomAccess} from "@strata/tsdb/blocks";
import type {HeaderLayout} from "./header-layout.ts";
import {NO_RANGE, type PostingOffsets, type ValueRanges} from "./posting-offsets.ts";
import {asBuffer, cutItem, STOP, scanRange} from "./scan.ts";
import {badEntry, entry, isName, readEntry, scanTable} from "./table-entry.ts";

/** Each 32nd value of a name is kept in memory with its place; the values between are scanned in the file. */
const SAMPLING = 32;

/** Read unit for lookups: some 32 entries of 40 bytes, so mostly one read a value. */
const LOOKUP_BYTES = 4 * 1024;

type Name = {
  /** Offset of the name's first entry, from the table's first. */
  readonly from: number;
  readonly count: number;
  /** Its samples are the entries [firstSample, endSample) of the columns. */
  readonly firstSample: number;
  readonly endSample: number;
};

/**
 * The postings offset table of an index-header with only samples in memory: of index version 2, whose entries are sorted
 * by name, then value.
 */
export class PostingsTable implements PostingOffsets {
  readonly #source: RandomAccess;
  readonly #layout: HeaderLayout;
  readonly #names: ReadonlyMap<string, Name>;
  /** Columns over all samples: place in the table, and value as bytes [valueEnd[i - 1], valueEnd[i]) of `values`. */
  readonly #offset: Uint32Array;
  readonly #valueEnd: Uint32Array;
  readonly #values: Buffer;

  private constructor(source: RandomAccess, layout: HeaderLayout, found: Collected) {
    this.#source = source;
    this.#layout = layout;
    this.#names = found.names;
    this.#offset = Uint32Array.from(found.offset);
    this.#valueEnd = Uint32Array.from(found.valueEnd);
    this.#values = Buffer.concat(found.values);
  }

  /** Scans the table once; throws `corrupt` where it is not sorted or does not hold as many entries as it says. */
  static async load(source: RandomAccess, layout: HeaderLayout): Promise<PostingsTable> {
    const collected = new Collected(source.name, layout.table.from);
    await scanTable(source, layout.table, (bytes, at) => collected.add(bytes, at));
    collected.finishName();
    return new PostingsTable(source, layout, collected);
  }

  get byteLength(): number {
    return this.#values.byteLength + this.#offset.byteLength * 2 + this.#names.size * 128;
  }

  labelNames(): string[] {
    return [...this.#names.keys()].filter((name) => name !== "");
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  valueCount(name: string): number {
    return this.#names.get(name)?.count ?? 0;
  }

  async ranges(name: string, values: readonly string[]): Promise<Float64Array> {
    const out = new Float64Array(values.length * 2).fill(NO_RANGE);
    const found = this.#names.get(name);
    if (found === undefined) return out;
    const cursor = new Cursor(this.#source, this.#layout);
    let sampleOfCursor = -1;
    for (let i = 0; i < values.length; i++) {
      const target = Buffer.from(values[i] as string);
      const sample = this.#sampleAtOrBefore(found, target);
      if (sample < found.firstSample) continue;
      if (sample !== sampleOfCursor) {
        cursor.seek(this.#layout.table.from + (this.#offset[sample] as number));
        sampleOfCursor = sample;
      }
      if (await cursor.find(name, target)) {
        out[2 * i] = cursor.start;
        out[2 * i + 1] = cursor.end;
      }
    }
    return out;
  }

  async select(name: string, prefix: string, keep: (value: string) => boolean): Promise<ValueRanges> {
    const values: string[] = [];
    const offsets: number[] = [];
    const found = this.#names.get(name);
    if (found === undefined) return {values, ranges: new Float64Array(0)};
    const prefixBytes = Buffer.from(prefix);
    const sample = Math.max(this.#sampleAtOrBefore(found, prefixBytes), found.firstSample);
    const {from, to} = this.#layout.table;
    // Compat: the end of a list is where the next one of the table starts, so each kept entry waits for its successor.
    let open = false;
    let inName = true;
    const start = from + (this.#offset[sample] as number);
    // The first window is small where a prefix or a short name makes the rest of the table uninteresting.
    const firstWindow = found.count <= SAMPLING || prefix !== "" ? LOOKUP_BYTES : undefined;
    await scanRange(
      this.#source,
      start,
      to,
      (bytes, base) => {
        let pos = 0;
        while (readEntry(bytes, pos, this.#source.name, base)) {
          if (open) offsets.push(entry.offset);
          open = false;
          if (!inName) return STOP;
          const value = bytes.subarray(entry.valueFrom, entry.valueTo);
          const order = prefix === "" ? 0 : Buffer.compare(value.subarray(0, prefixBytes.length), prefixBytes);
          inName = order <= 0 && isName(bytes, name);
          if (!inName) return STOP;
          if (order === 0) {
            const text = bytes.toString("utf8", entry.valueFrom, entry.valueTo);
            if (keep(text)) {
              values.push(text);
              offsets.push(entry.offset);
              open = true;
            }
          }
          pos = entry.next;
        }
        return pos;
      },
      firstWindow,
    );
    if (open) offsets.push(this.#layout.lastPostingEnd);
    const ranges = new Float64Array(offsets.length);
    for (let i = 0; i < offsets.length; i += 2) {
      ranges[i] = (offsets[i] as number) + 4;
      ranges[i + 1] = (offsets[i + 1] as number) - 4;
    }
    return {values, ranges};
  }

  /** The last sample of the name whose value is not above `target`; firstSample - 1 when there is none. */
  #sampleAtOrBefore(name: Name, target: Buffer): number {
    let low = name.firstSample;
    let high = name.endSample;
    while (low < high) {
      const mid = (low + high) >>> 1;
      const from = mid === 0 ? 0 : (this.#valueEnd[mid - 1] as number);
      if (this.#values.compare(target, 0, target.length, from, this.#valueEnd[mid]) <= 0) low = mid + 1;
      else high = mid;
    }
    return low - 1;
  }
}

/** Gathers names and samples while the table is scanned. */
class Collected {
  readonly names = new Map<string, Name>();
  readonly offset: number[] = [];
  readonly valueEnd: number[] = [];
  readonly values: Buffer[] = [];
  readonly #file: string;
  readonly #tableFrom: number;
  #name = Buffer.alloc(0);
  #value = Buffer.alloc(0);
  #from = 0;
  #count = 0;
  #firstSample = 0;
  #valueBytes = 0;

  constructor(file: string, tableFrom: number) {
    this.#file = file;
    this.#tableFrom = tableFrom;
  }

  /** Takes `entry`, which starts at file offset `at`. */
  add(bytes: Buffer, at: number): void {
    const sameName =
      this.#count > 0 && bytes.compare(this.#name, 0, this.#name.length, entry.nameFrom, entry.nameTo) === 0;
    if (!sameName) {
      this.finishName();
      this.#name = Buffer.from(bytes.subarray(entry.nameFrom, entry.nameTo));
      this.#from = at - this.#tableFrom;
      this.#firstSample = this.offset.length;
    }
    if (this.#count % SAMPLING === 0) {
      const value = Buffer.from(bytes.subarray(entry.valueFrom, entry.valueTo));
      // Order is checked at the samples; that is what lookups rely on.
      if (sameName && Buffer.compare(this.#value, value) >= 0) throw badEntry(this.#file, at, "values are not sorted");
      this.#value = value;
      this.#valueBytes += value.length;
      this.offset.push(at - this.#tableFrom);
      this.values.push(value);
      this.valueEnd.push(this.#valueBytes);
    }
    this.#count++;
  }

  finishName(): void {
    if (this.#count === 0) return;
    const name = this.#name.toString("utf8");
    if (this.names.has(name)) throw badEntry(this.#file, this.#tableFrom + this.#from, "label names are not sorted");
    this.names.set(name, {
      from: this.#from,
      count: this.#count,
      firstSample: this.#firstSample,
      endSample: this.offset.length,
    });
    this.#count = 0;
  }
}

/** A place in the table from which values are found by going forward. */
class Cursor {
  start = NO_RANGE;
  end = NO_RANGE;
  readonly #source: RandomAccess;
  readonly #layout: HeaderLayout;
  #window: Buffer = Buffer.alloc(0);
  #base = 0;
  #pos = 0;

  constructor(source: RandomAccess, layout: HeaderLayout) {
    this.#source = source;
    this.#layout = layout;
  }

  seek(at: number): void {
    this.#pos = at - this.#base;
    if (this.#pos >= 0 && this.#pos < this.#window.length) return;
    this.#window = Buffer.alloc(0);
    this.#base = at;
    this.#pos = 0;
  }

  /** Goes on to (name, target): true and `start`, `end` set when it is there. Stays at the first greater entry. */
  async find(name: string, target: Buffer): Promise<boolean> {
    for (;;) {
      // PERF: an await only where the window ends, not one per entry.
      if (!this.#read() && !((await this.#fill()) && this.#read())) return false;
      if (!isName(this.#window, name)) return false;
      const order = this.#window.compare(target, 0, target.length, entry.valueFrom, entry.valueTo);
      if (order > 0) return false;
      const {offset} = entry;
      this.#pos = entry.next;
      if (order < 0) continue;
      this.start = offset + 4;
      const more = this.#read() || ((await this.#fill()) && this.#read());
      this.end = (more ? entry.offset : this.#layout.lastPostingEnd) - 4;
      return true;
    }
  }

  #read(): boolean {
    return readEntry(this.#window, this.#pos, this.#source.name, this.#base);
  }

  /**
   * Gets as much of the file as the entry at the cursor takes; false at the table's end. The caller reads it: until it goes
   * on, others may have read entries of theirs.
   */
  async #fill(): Promise<boolean> {
    const {to} = this.#layout.table;
    let want = LOOKUP_BYTES;
    do {
      const at = this.#base + this.#pos;
      if (at >= to) return false;
      if (this.#pos === 0 && this.#window.length > 0) {
        if (at + this.#window.length >= to) throw cutItem(this.#source.name, at);
        want = this.#window.length * 4;
      }
      this.#window = asBuffer(await this.#source.read(at, Math.min(want, to - at)));
      this.#base = at;
      this.#pos = 0;
    } while (!this.#read());
    return true;
  }
}
