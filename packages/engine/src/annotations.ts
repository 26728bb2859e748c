import {formatFloat, type Position} from "@strata/promql";

/** One remark on an answer. `start` is the byte offset in the query text of the expression it is about. */
export type Annotation = {readonly kind: "warning" | "info"; readonly text: string; readonly start: number};

/** How buckets had to be mended: the first and last of them, by how much, how often, and when. */
export type Monotonicity = {min: number; max: number; diff: number; count: bigint; from: number; to: number};

/**
 * Warnings and infos of one query, of equal texts the last. Texts are those of Prometheus 3.14 with their "PromQL
 * warning: " or "PromQL info: " prefix and without the position, which `render` adds.
 */
export class Annotations {
  readonly #all = new Map<string, Annotation>();
  readonly #recorders = new Set<Annotation[]>();
  readonly #counts = new Map<string, number>();
  readonly #forced = new Map<string, Monotonicity>();

  warn(text: string, pos: Position): void {
    this.#add("warning", `PromQL warning: ${text}`, pos);
  }

  info(text: string, pos: Position): void {
    this.#add("info", `PromQL info: ${text}`, pos);
  }

  /** A warning that says how often it came, if more than once. */
  counted(text: string, pos: Position): void {
    const full = `PromQL warning: ${text}`;
    this.#counts.set(full, (this.#counts.get(full) ?? 0) + 1);
    this.#add("warning", full, pos);
  }

  /** A warning that is not PromQL's own, such as a store's; printed as it is. */
  note(text: string): void {
    if (!this.#all.has(text)) this.#all.set(text, {kind: "warning", text, start: -1});
  }

  /** Classic buckets that had to be made monotonic: `name` is ` for metric name "x"` or "". */
  forcedMonotonicity(name: string, pos: Position, {min, max, diff, count, from, to}: Monotonicity): void {
    const text =
      "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see " +
      `https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${name}`;
    const before = this.#all.get(text);
    if (before === undefined || pos.start < before.start) this.#all.set(text, {kind: "info", text, start: pos.start});
    const seen = this.#forced.get(text);
    if (seen === undefined) {
      this.#forced.set(text, {min, max, diff, count, from, to});
      return;
    }
    seen.min = Math.min(seen.min, min);
    seen.max = Math.max(seen.max, max);
    seen.diff = Math.max(seen.diff, diff);
    seen.count += count;
    seen.from = Math.min(seen.from, from);
    seen.to = Math.max(seen.to, to);
  }

  /** Starts to remember what comes; the list is the caller's to hand to `stopRecording`. */
  record(): Annotation[] {
    const list: Annotation[] = [];
    this.#recorders.add(list);
    return list;
  }

  stopRecording(list: Annotation[]): void {
    this.#recorders.delete(list);
  }

  /** Says the same again about an expression that stands `shift` bytes further on. */
  repeat(list: readonly Annotation[], shift: number): void {
    for (const a of list) this.#set({...a, start: a.start <= 0 ? a.start : a.start + shift});
  }

  get size(): number {
    return this.#all.size;
  }

  /** The texts of one kind; with the query's text, each ends in the position ` (line:column)`. */
  render(kind: Annotation["kind"], query: string | undefined): string[] {
    const bytes = query === undefined ? undefined : new TextEncoder().encode(query);
    const texts: string[] = [];
    for (const a of this.#all.values()) {
      if (a.kind !== kind) continue;
      texts.push(
        bytes === undefined || a.start < 0 ? a.text : `${a.text}${this.#tail(a.text)} (${lineColumn(bytes, a.start)})`,
      );
    }
    return texts;
  }

  #add(kind: Annotation["kind"], text: string, pos: Position): void {
    this.#set({kind, text, start: pos.start});
  }

  #set(annotation: Annotation): void {
    this.#all.set(annotation.text, annotation);
    for (const list of this.#recorders) list.push(annotation);
  }

  #tail(text: string): string {
    const count = this.#counts.get(text) ?? 1;
    if (count > 1) return ` (${count} occurrences)`;
    const f = this.#forced.get(text);
    if (f === undefined) return "";
    const span = `from ${seconds(f.from)} to ${seconds(f.to)}`;
    return `, from buckets ${goG(f.min)} to ${goG(f.max)}, with a max diff of ${goG2(f.diff)}, over ${BigInt.asIntN(64, f.count)} samples ${span}`;
  }
}

/** RFC 3339 without fractions of a second. */
const seconds = (t: number): string => new Date(t).toISOString().replace(/\.\d{3}Z$/, "Z");

/** `line:column` of a byte offset: both from 1, the column in bytes. */
function lineColumn(bytes: Uint8Array, offset: number): string {
  let line = 1;
  let lastBreak = -1;
  for (let i = 0; i < offset && i < bytes.length; i++) {
    if (bytes[i] === 10) {
      line++;
      lastBreak = i;
    }
  }
  return `${line}:${offset - lastBreak}`;
}

/** Go's `%g` with the shortest digits. */
export function goG(v: number): string {
  if (Number.isNaN(v)) return "NaN";
  if (v === Infinity) return "+Inf";
  if (v === -Infinity) return "-Inf";
  if (v === 0) return Object.is(v, -0) ? "-0" : "0";
  const [digits, exp] = v.toExponential().split("e") as [string, string];
  const e = Number(exp);
  return e < -4 || e >= 6 ? exponential(digits, e) : formatFloat(v);
}

/** Go's `%.2g`: of two digits that are equally near the even one, where JavaScript takes the larger. */
function goG2(v: number): string {
  if (!Number.isFinite(v) || v === 0) return goG(v);
  const [, even, rest] = /^-?\d\.(\d)(\d+)e/.exec(v.toExponential(60)) as unknown as [string, string, string];
  const tie = /^50*$/.test(rest) && Number(even) % 2 === 0;
  const rounded = tie ? v - v * 1e-9 : v;
  const [digits, exp] = rounded.toExponential(1).split("e") as [string, string];
  const e = Number(exp);
  const short = digits.replace(/\.0$/, "");
  return e < -4 || e >= 2 ? exponential(short, e) : formatFloat(Number(rounded.toPrecision(2)));
}

const exponential = (digits: string, e: number): string =>
  `${digits}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
