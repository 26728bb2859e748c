import {compareUtf8} from "@strata/model";
import type {RandomAccess} from "../random-access.ts";
import {corrupt, WireReader} from "../wire.ts";
import {type Section, scanSection} from "./index-format.ts";

/** Each 32nd value of a name stays in memory with its place; the values between are read when asked for. */
const SAMPLE = 32;
/** Table entries read at once while values are listed. */
const READ_BYTES = 256 * 1024;

/** A posting list's place: [from, to) of the index file; `to` is where the next list of the table starts. */
export type ListRange = {readonly from: number; readonly to: number};

type NameEntry = {
  /** Values of entries 0, 32, 64 … and the last one. */
  readonly values: string[];
  /** File offsets of those entries. */
  readonly places: number[];
  count: number;
  /** File offset behind the name's last entry. */
  end: number;
};

type Entry = {name: string; value: string; list: number};

/**
 * The postings offset table: count u32 · count × (2 · name · value · uvarint list offset). Sorted by name and value in
 * version 2, so that samples suffice; a version 1 table may be in any order and is held whole.
 */
export class PostingsTable {
  readonly #file: RandomAccess;
  readonly #listsEnd: number;
  readonly #names: ReadonlyMap<string, NameEntry>;
  /** Version 1: name → value → list offset, and all list offsets ascending. */
  readonly #whole: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined;
  readonly #offsets: Float64Array;

  private constructor(file: RandomAccess, listsEnd: number, walk: TableWalk) {
    this.#file = file;
    this.#listsEnd = listsEnd;
    this.#names = walk.names;
    this.#whole = walk.sorted ? undefined : walk.whole;
    this.#offsets = Float64Array.from(walk.offsets).sort();
  }

  /**
   * Checks and samples the table at file offset `offset`; `listsEnd` is where the last posting list ends at the latest.
   * `sorted` says that entries must ascend (version 2). Throws `corrupt`.
   */
  static async open(file: RandomAccess, offset: number, listsEnd: number, sorted: boolean): Promise<PostingsTable> {
    const walk = new TableWalk(file.name, sorted);
    await scanSection(file, offset, "index-postings-table-checksum", "postings offset table", walk.take);
    if (walk.seen !== walk.count) {
      throw corrupt(file.name, offset, `postings offset table announces ${walk.count} entries and holds ${walk.seen}`);
    }
    return new PostingsTable(file, listsEnd, walk);
  }

  /** Label names, sorted; the name "" of the list of all series is left out. */
  names(): string[] {
    const names = this.#whole === undefined ? this.#names.keys() : this.#whole.keys();
    return [...names].filter((name) => name !== "").sort(compareUtf8);
  }

  /** How many values `name` has; 0 when the index does not know it. */
  valueCount(name: string): number {
    return this.#whole?.get(name)?.size ?? this.#names.get(name)?.count ?? 0;
  }

  /** Values of `name` that start with `prefix`, sorted. */
  async values(name: string, prefix = ""): Promise<string[]> {
    if (this.#whole !== undefined) {
      const values = [...(this.#whole.get(name)?.keys() ?? [])].filter((value) => value.startsWith(prefix));
      return values.sort(compareUtf8);
    }
    const entry = this.#names.get(name);
    if (entry === undefined) return [];
    const from = prefix === "" ? entry.places[0] : entry.places[Math.max(0, sampleBefore(entry, prefix))];
    const out: string[] = [];
    await this.#walk({from: from as number, to: entry.end}, (found) => {
      if (found.value.startsWith(prefix)) out.push(found.value);
      return prefix === "" || compareUtf8(found.value, prefix) <= 0 || found.value.startsWith(prefix);
    });
    return out;
  }

  /** Where the lists of the given values of `name` lie, in the order asked; undefined for a value that is not there. */
  async lists(name: string, values: readonly string[]): Promise<(ListRange | undefined)[]> {
    const out: (ListRange | undefined)[] = new Array(values.length).fill(undefined);
    if (this.#whole !== undefined) {
      const known = this.#whole.get(name);
      return values.map((value) => {
        const list = known?.get(value);
        return list === undefined ? undefined : {from: list, to: this.#nextList(list)};
      });
    }
    const entry = this.#names.get(name);
    if (entry === undefined) return out;
    const order = values.map((_, i) => i).sort((a, b) => compareUtf8(values[a] as string, values[b] as string));
    for (let i = 0; i < order.length; ) {
      // All values between two samples, and between neighbouring samples, are found in one walk.
      const first = sampleBefore(entry, values[order[i] as number] as string);
      if (first < 0) {
        i++;
        continue;
      }
      let last = first;
      let end = i + 1;
      for (; end < order.length; end++) {
        const sample = sampleBefore(entry, values[order[end] as number] as string);
        if (sample > last + 1) break;
        last = sample;
      }
      await this.#find(entry, first, last, order.slice(i, end), values, out);
      i = end;
    }
    return out;
  }

  /** Fills in the ranges of values[order[…]], which lie from sample `first` to the one behind sample `last`. */
  async #find(
    entry: NameEntry,
    first: number,
    last: number,
    order: readonly number[],
    values: readonly string[],
    out: (ListRange | undefined)[],
  ): Promise<void> {
    const stop = entry.places[last + 1] ?? entry.end;
    let next = 0;
    let open: number[] = [];
    let openFrom = 0;
    await this.#walk({from: entry.places[first] as number, to: stop}, (found) => {
      for (const i of open) out[i] = {from: openFrom, to: found.list};
      open = [];
      for (; next < order.length; next++) {
        const c = compareUtf8(values[order[next] as number] as string, found.value);
        if (c > 0) break;
        if (c === 0) open.push(order[next] as number);
      }
      openFrom = found.list;
      return next < order.length || open.length > 0;
    });
    if (open.length === 0) return;
    // The last one's successor lies beyond what was walked: read one entry more, of whatever name.
    const to = await this.#listAfter(stop, openFrom);
    for (const i of open) out[i] = {from: openFrom, to};
  }

  async #listAfter(place: number, list: number): Promise<number> {
    if (place >= this.#tableEnd()) return this.#listsEnd;
    let to = this.#listsEnd;
    await this.#walk({from: place, to: this.#tableEnd()}, (found) => {
      to = found.list;
      return false;
    });
    return to > list ? to : this.#listsEnd;
  }

  #tableEnd(): number {
    let end = 0;
    for (const entry of this.#names.values()) end = Math.max(end, entry.end);
    return end;
  }

  /** Entries of the table from one place to another, until `take` says false. */
  async #walk(range: Section, take: (entry: Entry) => boolean): Promise<void> {
    let size = 8 * 1024;
    for (let at = range.from; at < range.to; ) {
      const bytes = await this.#file.read(at, Math.min(size, range.to - at));
      const reader = new WireReader(bytes);
      let used = 0;
      while (reader.left > 0) {
        const entry = readEntry(reader);
        if (reader.failed) break;
        used = reader.at;
        if (!take(entry)) return;
      }
      if (used === 0 && bytes.length === range.to - at) throw corrupt(this.#file.name, at, "cut postings offset entry");
      at += used;
      size = used === 0 ? size * 4 : Math.min(size * 4, READ_BYTES);
    }
  }

  #nextList(list: number): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#offsets[mid] as number) <= list) low = mid + 1;
      else high = mid;
    }
    return this.#offsets[low] ?? this.#listsEnd;
  }
}

/** Position of the last sample whose value is not above `value`; -1 when there is none. */
function sampleBefore(entry: NameEntry, value: string): number {
  let low = 0;
  let high = entry.values.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (compareUtf8(entry.values[mid] as string, value) <= 0) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

function readEntry(reader: WireReader): Entry {
  if (reader.u8() !== 2) reader.failed = true;
  return {name: reader.string(), value: reader.string(), list: reader.uvarint()};
}

/** Counts and samples entries while the table is walked. */
class TableWalk {
  count = -1;
  seen = 0;
  readonly names = new Map<string, NameEntry>();
  readonly whole = new Map<string, Map<string, number>>();
  readonly offsets: number[] = [];
  readonly sorted: boolean;
  readonly #file: string;
  #name = "";
  #value = "";

  constructor(file: string, sorted: boolean) {
    this.#file = file;
    this.sorted = sorted;
  }

  readonly take = (bytes: Uint8Array, fileOffset: number): number => {
    const reader = new WireReader(bytes);
    if (this.count < 0) {
      if (bytes.length < 4) return 0;
      this.count = reader.u32();
    }
    for (;;) {
      const at = reader.at;
      if (reader.left > 0 && bytes[at] !== 2)
        throw corrupt(this.#file, fileOffset + at, "postings entry without two keys");
      const entry = readEntry(reader);
      if (reader.failed) return at;
      this.#add(entry, fileOffset + at, fileOffset + reader.at);
      this.seen++;
    }
  };

  #add({name, value, list}: Entry, at: number, end: number): void {
    if (!this.sorted) {
      let values = this.whole.get(name);
      if (values === undefined) {
        values = new Map();
        this.whole.set(name, values);
      }
      values.set(value, list);
      this.offsets.push(list);
      return;
    }
    const order = this.seen === 0 ? -1 : compareUtf8(this.#name, name) || compareUtf8(this.#value, value);
    if (order >= 0) throw corrupt(this.#file, at, "postings offset entries out of order");
    let entry = this.seen === 0 || name !== this.#name ? undefined : this.names.get(name);
    if (entry === undefined) {
      entry = {values: [], places: [], count: 0, end};
      this.names.set(name, entry);
    }
    if (entry.count % SAMPLE === 0) {
      entry.values.push(value);
      entry.places.push(at);
    }
    entry.count++;
    entry.end = end;
    this.#name = name;
    this.#value = value;
  }
}
