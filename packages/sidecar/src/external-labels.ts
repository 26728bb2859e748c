import {compareLabels, type Labels, type Matcher} from "@strata/model";

/**
 * What is left of `matchers` to ask of the source once its external labels are known: undefined when one of them
 * contradicts an external label, else those that are on other labels (grpc.md §4.2).
 */
export function stripExternal(matchers: readonly Matcher[], external: Labels): readonly Matcher[] | undefined {
  const rest: Matcher[] = [];
  for (const m of matchers) {
    if (!external.has(m.name)) rest.push(m);
    else if (!m.matches(external.get(m.name))) return undefined;
  }
  return rest;
}

/** The final label set of a series: its own, overwritten by the external ones, minus the replica labels. */
export function finalLabels(own: Labels, external: Labels, without: readonly string[]): Labels {
  const merged = own.extend(external);
  return without.length === 0 ? merged : merged.without(without);
}

/**
 * Puts rows that come in the order of their own labels into the order of their final labels, holding as few as it can.
 *
 * Adding the same pairs to two label sets changes their order only if one is a proper prefix of the other, and all sets
 * with a given prefix stand side by side in label order. So a row is held only while rows that extend it may follow:
 * `push` returns the rows that are now safe to send. Own labels must not overlap the added or removed ones.
 */
export class OrderRestorer<Row extends {readonly own: Labels; readonly labels: Labels}> {
  #held: Row[] = [];

  /** How many rows wait. */
  get held(): number {
    return this.#held.length;
  }

  push(row: Row): Row[] {
    const root = this.#held[0];
    if (root === undefined || isPrefix(root.own, row.own)) {
      this.#held.push(row);
      return [];
    }
    const ready = this.flush();
    this.#held.push(row);
    return ready;
  }

  /** All rows that wait, sorted. */
  flush(): Row[] {
    const ready = this.#held;
    this.#held = [];
    return ready.length > 1 ? ready.sort((a, b) => compareLabels(a.labels, b.labels)) : ready;
  }
}

function isPrefix(prefix: Labels, labels: Labels): boolean {
  const n = prefix.pairs.length;
  if (n > labels.pairs.length) return false;
  for (let i = 0; i < n; i++) if (prefix.pairs[i] !== labels.pairs[i]) return false;
  return true;
}
