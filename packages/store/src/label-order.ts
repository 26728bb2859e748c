import {compareLabels, compareUtf8, type Labels} from "@strata/model";
import type {Row} from "./block-reader.ts";

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
export class LabelReorder {
  readonly #held: {own: readonly string[]; row: Row}[] = [];
  readonly #emit: (row: Row) => void;

  constructor(emit: (row: Row) => void) {
    this.#emit = emit;
  }

  /** `own` are the label pairs without the external ones. */
  add(own: readonly string[], row: Row): void {
    for (let top = this.#held.at(-1); top !== undefined; top = this.#held.at(-1)) {
      if (isPrefix(top.own, own) && compareLabels(row.labels, top.row.labels) < 0) break;
      this.#held.pop();
      this.#emit(top.row);
    }
    this.#held.push({own, row});
  }

  finish(): void {
    for (let top = this.#held.pop(); top !== undefined; top = this.#held.pop()) this.#emit(top.row);
  }
}

function isPrefix(a: readonly string[], b: readonly string[]): boolean {
  if (a.length >= b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Label pairs of `own` with those of `external` put in at their places; external ones win over own of the same name. */
export function mergedPairs(own: readonly string[], external: Labels): readonly string[] {
  const ext = external.pairs;
  if (ext.length === 0) return own;
  const out: string[] = [];
  let e = 0;
  for (let i = 0; i < own.length; ) {
    const order = e < ext.length ? compareUtf8(own[i] as string, ext[e] as string) : -1;
    if (order < 0) {
      out.push(own[i] as string, own[i + 1] as string);
      i += 2;
      continue;
    }
    if (order === 0) i += 2;
    out.push(ext[e] as string, ext[e + 1] as string);
    e += 2;
  }
  for (; e < ext.length; e += 2) out.push(ext[e] as string, ext[e + 1] as string);
  return out;
}
