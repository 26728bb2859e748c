import {compareUtf8} from "@strata/model";
import type {RandomAccess} from "@strata/tsdb/blocks";
import type {HeaderLayout} from "./header-layout.ts";
import {NO_RANGE, type PostingOffsets, type ValueRanges} from "./posting-offsets.ts";
import {badEntry, entry, scanTable} from "./table-entry.ts";

/** Values of one name, ascending by bytes, and where their lists start. */
type Values = {readonly values: readonly string[]; readonly offsets: Float64Array};

/**
 * The postings offset table of index version 1: its entries are in no order, so that all of them are held in memory.
 * Compat: as in Thanos; such blocks are old and few.
 */
export class WholePostingsTable implements PostingOffsets {
  readonly byteLength: number;
  readonly #names: ReadonlyMap<string, Values>;
  /** Where lists start, ascending: one ends where the next one starts. */
  readonly #starts: Float64Array;
  readonly #lastPostingEnd: number;

  private constructor(names: ReadonlyMap<string, Values>, starts: Float64Array, lastPostingEnd: number, bytes: number) {
    this.#names = names;
    this.#starts = starts;
    this.#lastPostingEnd = lastPostingEnd;
    this.byteLength = bytes;
  }

  /** Reads the table; throws `corrupt` for a pair that is there twice and for a table that is not as long as it says. */
  static async load(source: RandomAccess, layout: HeaderLayout): Promise<WholePostingsTable> {
    const found = new Map<string, Map<string, number>>();
    const starts: number[] = [];
    await scanTable(source, layout.table, (bytes, at) => {
      const name = bytes.toString("utf8", entry.nameFrom, entry.nameTo);
      const value = bytes.toString("utf8", entry.valueFrom, entry.valueTo);
      const values = found.get(name) ?? new Map<string, number>();
      found.set(name, values);
      if (values.has(value)) throw badEntry(source.name, at, "the pair is there twice");
      values.set(value, entry.offset);
      starts.push(entry.offset);
    });
    const names = new Map<string, Values>();
    let bytes = starts.length * 16;
    for (const name of [...found.keys()].sort(compareUtf8)) {
      const sorted = [...(found.get(name) as Map<string, number>)].sort(([a], [b]) => compareUtf8(a, b));
      const values = sorted.map(([value]) => value);
      names.set(name, {values, offsets: Float64Array.from(sorted, ([, offset]) => offset)});
      for (const value of values) bytes += value.length + 32;
    }
    return new WholePostingsTable(names, Float64Array.from(starts).sort(), layout.lastPostingEnd, bytes);
  }

  labelNames(): string[] {
    return [...this.#names.keys()].filter((name) => name !== "");
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  valueCount(name: string): number {
    return this.#names.get(name)?.values.length ?? 0;
  }

  async ranges(name: string, values: readonly string[]): Promise<Float64Array> {
    const out = new Float64Array(values.length * 2).fill(NO_RANGE);
    const known = this.#names.get(name);
    if (known === undefined) return out;
    let at = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as string;
      while (at < known.values.length && compareUtf8(known.values[at] as string, value) < 0) at++;
      if (known.values[at] === value) this.#put(out, i, known.offsets[at] as number);
    }
    return out;
  }

  async select(name: string, prefix: string, keep: (value: string) => boolean): Promise<ValueRanges> {
    const known = this.#names.get(name) ?? {values: [], offsets: new Float64Array(0)};
    const values: string[] = [];
    const offsets: number[] = [];
    for (let i = 0; i < known.values.length; i++) {
      const value = known.values[i] as string;
      if (!value.startsWith(prefix) || !keep(value)) continue;
      values.push(value);
      offsets.push(known.offsets[i] as number);
    }
    const ranges = new Float64Array(values.length * 2);
    for (let i = 0; i < offsets.length; i++) this.#put(ranges, i, offsets[i] as number);
    return {values, ranges};
  }

  /** Puts the range of the list at `offset`, from its count to its CRC, into place i. */
  #put(out: Float64Array, i: number, offset: number): void {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#starts[mid] as number) <= offset) low = mid + 1;
      else high = mid;
    }
    out[2 * i] = offset + 4;
    out[2 * i + 1] = (this.#starts[low] ?? this.#lastPostingEnd) - 4;
  }
}
