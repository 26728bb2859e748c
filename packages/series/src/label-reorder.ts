import {compareLabels, type Labels} from "@strata/model";

/**
 * Brings rows that are ascending by their own labels into the order of their labels with external ones added, without
 * holding more than a few.
 *
 * Adding the same labels to two sets changes their order only where one is a proper prefix of the other (`{a}`, `{a,b}`)
 * and an added name comes before the other's next name: `{a,c}` is then after `{a,b,c}`. All sets that extend a prefix
 * follow it immediately, those with the smallest next name first. So a row is held back only while rows come that extend
 * it and belong before it; the held rows form a chain of prefixes, each belonging after the next.
 *
 * Not for added names that the rows have themselves: those need a full sort.
 */
export class LabelReorder<Row extends {readonly labels: Labels}> {
  readonly #external: Labels;
  readonly #held: Row[] = [];
  readonly #emit: (row: Row) => void;

  /** Rows are given with the labels of `external` put in already, in the order that they had without. */
  constructor(external: Labels, emit: (row: Row) => void) {
    this.#external = external;
    this.#emit = emit;
  }

  /** How many rows wait. */
  get held(): number {
    return this.#held.length;
  }

  add(row: Row): void {
    for (let top = this.#held.at(-1); top !== undefined; top = this.#held.at(-1)) {
      if (this.#isPrefix(top.labels.pairs, row.labels.pairs) && compareLabels(row.labels, top.labels) < 0) break;
      this.#held.pop();
      this.#emit(top);
    }
    this.#held.push(row);
  }

  finish(): void {
    for (let top = this.#held.pop(); top !== undefined; top = this.#held.pop()) this.#emit(top);
  }

  /** Whether the first set, external labels aside, is a proper prefix of the second. */
  #isPrefix(a: readonly string[], b: readonly string[]): boolean {
    if (a.length >= b.length) return false;
    for (let i = 0, j = 0; i < a.length; i += 2) {
      if (this.#external.has(a[i] as string)) continue;
      while (j < b.length && this.#external.has(b[j] as string)) j += 2;
      if (a[i] !== b[j] || a[i + 1] !== b[j + 1]) return false;
      j += 2;
    }
    return true;
  }
}
