import {compareUtf8, type Labels} from "@strata/model";
import type {IdList} from "../index/postings-ops.ts";
import type {LabelSource} from "../index/select-labels.ts";

/** A list of up to this many ids is an array; a longer one a typed array with room to grow. */
const SHORT = 16;

type LongList = {ids: Uint32Array; n: number};
/** Most values have one series, or few: those must not cost an object each. */
type List = number | number[] | LongList;

type Name = {readonly values: Map<string, List>; sorted: string[] | undefined};

/**
 * Postings of a head: series references by label pair, ascending. Lists handed out are snapshots that later additions do
 * not change.
 */
export class MemPostings implements LabelSource {
  readonly #names = new Map<string, Name>();
  readonly #all: LongList = {ids: new Uint32Array(1024), n: 0};
  readonly #readLabels: (ref: number) => Labels | undefined;

  /** `readLabels` gives the labels of a series that lives. */
  constructor(readLabels: (ref: number) => Labels | undefined) {
    this.#readLabels = readLabels;
  }

  /** Adds a series; references mostly ascend. */
  add(ref: number, labels: Labels): void {
    const {pairs} = labels;
    for (let i = 0; i < pairs.length; i += 2) {
      const text = pairs[i] as string;
      let name = this.#names.get(text);
      if (name === undefined) {
        name = {values: new Map(), sorted: undefined};
        this.#names.set(text, name);
      }
      const value = pairs[i + 1] as string;
      const list = name.values.get(value);
      if (list === undefined) {
        name.values.set(value, ref);
        name.sorted = undefined;
      } else if (typeof list === "number") name.values.set(value, list < ref ? [list, ref] : [ref, list]);
      else if (!Array.isArray(list)) push(list, ref);
      else if (list.length < SHORT) insert(list, ref);
      else {
        const long = {ids: new Uint32Array(4 * SHORT), n: list.length};
        long.ids.set(list);
        push(long, ref);
        name.values.set(value, long);
      }
    }
    push(this.#all, ref);
  }

  /** Removes all series that `gone` tells of. */
  remove(gone: (ref: number) => boolean): void {
    for (const [text, name] of this.#names) {
      for (const [value, list] of name.values) {
        if (typeof list === "number") {
          if (gone(list)) name.values.delete(value);
        } else if (Array.isArray(list)) {
          const left = list.filter((ref) => !gone(ref));
          if (left.length === 0) name.values.delete(value);
          else if (left.length < list.length) name.values.set(value, left);
        } else if (sweep(list, gone) === 0) name.values.delete(value);
      }
      name.sorted = undefined;
      if (name.values.size === 0) this.#names.delete(text);
    }
    sweep(this.#all, gone);
  }

  async all(): Promise<IdList> {
    return snapshot(this.#all);
  }

  async labelNames(): Promise<readonly string[]> {
    return [...this.#names.keys()].sort(compareUtf8);
  }

  async labelValues(name: string, prefix = ""): Promise<readonly string[]> {
    const entry = this.#names.get(name);
    if (entry === undefined) return [];
    entry.sorted ??= [...entry.values.keys()].sort(compareUtf8);
    return prefix === "" ? entry.sorted : entry.sorted.filter((value) => value.startsWith(prefix));
  }

  async postings(name: string, values: readonly string[]): Promise<readonly IdList[]> {
    const lists: IdList[] = [];
    const entry = this.#names.get(name);
    for (const value of values) {
      const list = entry?.values.get(value);
      if (list !== undefined) lists.push(snapshot(list));
    }
    return lists;
  }

  cardinality(name: string): number {
    return this.#names.get(name)?.values.size ?? 0;
  }

  /** Label pairs with their numbers of series, for cardinality statistics. */
  *counts(): Generator<{name: string; value: string; series: number}> {
    for (const [name, {values}] of this.#names) {
      for (const [value, list] of values) {
        const series = typeof list === "number" ? 1 : Array.isArray(list) ? list.length : list.n;
        yield {name, value, series};
      }
    }
  }

  async readSeries(ids: IdList, visit: (id: number, labels: Labels) => void): Promise<void> {
    for (const id of ids) {
      const labels = this.#readLabels(id);
      if (labels !== undefined) visit(id, labels);
    }
  }
}

function snapshot(list: List): IdList {
  if (typeof list === "number") return Uint32Array.of(list);
  return Array.isArray(list) ? Uint32Array.from(list) : list.ids.slice(0, list.n);
}

function insert(list: number[], ref: number): void {
  let at = list.length;
  while (at > 0 && (list[at - 1] as number) > ref) at--;
  list.splice(at, 0, ref);
}

function push(list: LongList, ref: number): void {
  if (list.n === list.ids.length) {
    const grown = new Uint32Array(list.n + (list.n >>> 1));
    grown.set(list.ids);
    list.ids = grown;
  }
  let at = list.n++;
  for (; at > 0 && (list.ids[at - 1] as number) > ref; at--) list.ids[at] = list.ids[at - 1] as number;
  list.ids[at] = ref;
}

/** Removes what is gone and returns how many are left. */
function sweep(list: LongList, gone: (ref: number) => boolean): number {
  let n = 0;
  for (let i = 0; i < list.n; i++) {
    const ref = list.ids[i] as number;
    if (!gone(ref)) list.ids[n++] = ref;
  }
  list.n = n;
  return n;
}
