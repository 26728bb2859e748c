import {StrataError} from "@strata/base";
import {compareLabels, compareUtf8, compileRegex, Labels as LabelSet, type Labels, METRIC_NAME} from "@strata/model";
import {collectRows, copyPoint, releaseRows} from "./aggregate-select.ts";
import {mergeEqual} from "./elementwise.ts";
import {BatchWriter, type Evaluation} from "./evaluation.ts";
import {ABSENT, type Batches, FLOAT, type Row} from "./step-batch.ts";

/** A set with one label set, or removed for "". */
function withLabel(labels: Labels, name: string, value: string): Labels {
  if (labels.get(name) === value) return labels;
  if (value === "") return labels.without([name]);
  return labels.extend(LabelSet.fromPairs([[name, value]]));
}

/** Longest value that a function may make of a label: nested calls double one each, up to what no string can hold. */
const MAX_VALUE = 1 << 24;

/** Counts a label value that a function has made: it stays as long as the query. */
function count(ev: Evaluation, dst: string, value: string): void {
  if (value.length > MAX_VALUE) {
    const text = `cannot make a value of ${value.length} characters for label ${dst}: ${MAX_VALUE} are allowed`;
    throw new StrataError("limit", text, {fields: {limit: MAX_VALUE, got: value.length}});
  }
  ev.budget.take(value.length, `values of label ${dst}`);
  ev.worked(value.length);
}

/** Clears the flag of a row whose metric name has just been written. */
function rename(ev: Evaluation, child: Batches, dst: string, next: (labels: Labels) => string | undefined): Batches {
  return mergeEqual(ev, child, (labels, batch, s) => {
    const value = next(labels);
    if (value === undefined) return labels;
    count(ev, dst, value);
    if (dst === METRIC_NAME && batch.dropName !== undefined) batch.dropName[s] = 0;
    return withLabel(labels, dst, value);
  });
}

/** `label_replace(v, dst, replacement, src, regex)`. */
export function labelReplace(ev: Evaluation, child: Batches, args: readonly string[]): Batches {
  const [dst, replacement, src, pattern] = args as [string, string, string, string];
  let regex: ReturnType<typeof compileRegex>;
  try {
    regex = compileRegex(pattern);
  } catch {
    throw new StrataError("execution", `invalid regular expression in label_replace(): ${pattern}`);
  }
  if (!validName(dst)) {
    throw new StrataError("execution", `invalid destination label name in label_replace(): ${dst}`);
  }
  return rename(ev, child, dst, (labels) => {
    const groups = regex.groups(labels.get(src));
    return groups === undefined ? undefined : expand(replacement, (group) => groups.get(group));
  });
}

/** Go's Expand: `$1`, `$name`, `${name}`; `$$` is a dollar, and so is one that names nothing. */
const expand = (template: string, group: (name: string) => string): string =>
  template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
    const name = plain ?? braced;
    return name === undefined ? whole.slice(1) : group(name);
  });

/** `label_join(v, dst, separator, src…)`. */
export function labelJoin(ev: Evaluation, child: Batches, args: readonly string[]): Batches {
  const [dst, separator, ...sources] = args as [string, string, ...string[]];
  for (const name of sources) {
    if (!validName(name)) throw new StrataError("execution", `invalid source label name in label_join(): ${name}`);
  }
  if (!validName(dst)) throw new StrataError("execution", `invalid destination label name in label_join(): ${dst}`);
  return rename(ev, child, dst, (labels) => sources.map((name) => labels.get(name)).join(separator));
}

/** Any text but none is a label name; lone surrogates stand for bytes that were no UTF-8. */
export const validName = (name: string): boolean => name !== "" && name.isWellFormed() && !name.includes("\ufffd");

/** How `sort*` orders two rows of an instant vector. */
export type RowOrder = (a: Row, b: Row) => number;

/** By value; NaN last in both directions. Histograms have gone before. */
export const byValue =
  (descending: boolean): RowOrder =>
  (a, b) => {
    const x = a.batch.values[a.base]!;
    const y = b.batch.values[b.base]!;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return descending ? y - x || 0 : x - y || 0;
  };

/** By labels in natural order, then by all labels. */
export const byLabels =
  (names: readonly string[], descending: boolean): RowOrder =>
  (a, b) => {
    const sign = descending ? -1 : 1;
    for (const name of names) {
      const c = naturalOrder(a.labels.get(name), b.labels.get(name));
      if (c !== 0) return sign * c;
    }
    return sign * compareLabels(a.labels, b.labels);
  };

/** Text with runs of digits compared as numbers. */
export function naturalOrder(a: string, b: string): number {
  const x = a.match(/\d+|\D+/g) ?? [];
  const y = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const p = x[i] as string;
    const q = y[i] as string;
    if (p === q) continue;
    const m = integer(p);
    const n = integer(q);
    if (m !== undefined && n !== undefined) {
      if (m !== n) return m < n ? -1 : 1;
      continue;
    }
    return compareUtf8(p, q);
  }
  return x.length - y.length;
}

/** A run of digits that fits into 64 bits. */
function integer(text: string): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < 2n ** 63n ? value : undefined;
}

/** An instant vector in another order. `floatsOnly` leaves histograms out. */
export async function* sortRows(ev: Evaluation, child: Batches, order: RowOrder, floatsOnly: boolean): Batches {
  const rows = await collectRows(ev, child);
  const kept = rows.filter(({batch, base}) => {
    const kind = batch.kind[base];
    return kind !== ABSENT && (!floatsOnly || kind === FLOAT);
  });
  kept.sort(order);
  const writer = new BatchWriter(ev, 1);
  for (const row of kept) {
    copyPoint(row, 0, writer.batch, writer.base);
    writer.commit(row.labels, row.drop);
    const full = writer.full();
    if (full !== undefined) yield full;
  }
  releaseRows(ev, rows);
  const rest = writer.take();
  if (rest !== undefined) yield rest;
}
