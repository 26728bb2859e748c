import {goQuote, quoteLabelName} from "./go-quote.ts";
import {compareUtf8} from "./utf8-order.ts";

export const METRIC_NAME = "__name__";

/**
 * One immutable label set: names strictly ascending by UTF-8 bytes, no empty value. `pairs` is flat
 * ([name0, value0, name1, value1, …]), one array an object, because there are as many of these as series.
 */
export class Labels {
  static readonly EMPTY = new Labels([]);

  readonly pairs: readonly string[];

  /** Takes ownership of `pairs`, which must be sorted, unique and without empty values; `fromPairs` makes it so. */
  constructor(pairs: readonly string[]) {
    this.pairs = pairs;
  }

  /** From [name, value] pairs in any order; empty values are dropped, of equal names the last wins. */
  static fromPairs(entries: Iterable<readonly [string, string]>): Labels {
    const map = new Map<string, string>();
    for (const [name, value] of entries) map.set(name, value);
    const names = [...map.keys()].sort(compareUtf8);
    const pairs: string[] = [];
    for (const name of names) {
      const value = map.get(name) as string;
      if (value !== "") pairs.push(name, value);
    }
    return new Labels(pairs);
  }

  static fromObject(object: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(object));
  }

  /** How many labels. */
  get size(): number {
    return this.pairs.length >> 1;
  }

  /** The value of `name`, or "" (in PromQL a missing label and an empty one are the same). */
  get(name: string): string {
    const pairs = this.pairs;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1] as string;
    return "";
  }

  has(name: string): boolean {
    return this.get(name) !== "";
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i] as string, this.pairs[i + 1] as string];
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this);
  }

  equals(other: Labels): boolean {
    return compareLabels(this, other) === 0;
  }

  /** Without the listed names. Returns itself when nothing is dropped. */
  without(names: readonly string[]): Labels {
    const pairs = this.pairs.filter((_, i) => !names.includes(this.pairs[i & ~1] as string));
    return pairs.length === this.pairs.length ? this : new Labels(pairs);
  }

  /** Only the listed names. */
  only(names: readonly string[]): Labels {
    return new Labels(this.pairs.filter((_, i) => names.includes(this.pairs[i & ~1] as string)));
  }

  /** Its own labels, overwritten and extended by `other`'s. */
  extend(other: Labels): Labels {
    return other.pairs.length === 0 ? this : Labels.fromPairs([...this, ...other]);
  }

  /** `{a="1", b="2"}`, quoted as Go does, names only where they are no plain identifiers: the text form of Prometheus. */
  toString(): string {
    const parts: string[] = [];
    for (const [name, value] of this) parts.push(`${quoteLabelName(name)}=${goQuote(value)}`);
    return `{${parts.join(", ")}}`;
  }
}

/** Order of label sets: pairwise name, then value, by UTF-8 bytes; a proper prefix sorts first. */
export function compareLabels(a: Labels, b: Labels): number {
  if (a === b) return 0;
  const x = a.pairs;
  const y = b.pairs;
  const n = Math.min(x.length, y.length);
  for (let i = 0; i < n; i++) {
    // PERF: sources share their strings, so most pairs are told equal by their address, without a call.
    if (x[i] === y[i]) continue;
    return compareUtf8(x[i] as string, y[i] as string);
  }
  return x.length - y.length;
}
