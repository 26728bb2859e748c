import {StrataError} from "@strata/base";

export type CounterResetHint = "unknown" | "reset" | "not_reset" | "gauge";

/** Buckets of one side as absolute counts: bucket i has index `offset` + i. */
export type TestBuckets = {readonly offset: number; readonly counts: readonly number[]};

/** A native histogram as scripts write it. Sums of buckets need not agree with `count`. */
export type TestHistogram = {
  /** −53 for custom buckets. */
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: TestBuckets;
  readonly negative: TestBuckets;
  /** Upper bounds without +Inf; only with schema −53. */
  readonly customValues: readonly number[];
  readonly hint: CounterResetHint;
  /** The hint was written out, so an expected histogram wants it compared. */
  readonly hintGiven: boolean;
};

const CUSTOM_SCHEMA = -53;
const NO_BUCKETS: TestBuckets = {offset: 0, counts: []};

const KEYS = {
  schema: "integer",
  sum: "number",
  count: "number",
  z_bucket: "number",
  z_bucket_w: "number",
  buckets: "list",
  n_buckets: "list",
  offset: "integer",
  n_offset: "integer",
  custom_values: "list",
  counter_reset_hint: "hint",
} as const;

/** Reads what stands between `{{` and `}}`; `number` reads one number. Throws `bad_data`. */
export function parseTestHistogram(body: string, number: (text: string) => number): TestHistogram {
  const given = new Map<string, string>();
  const pattern = /\s*([a-z_]+):(\[[^\]]*\]|[^\s[\]]+)/y;
  while (body.slice(pattern.lastIndex).trim() !== "") {
    const match = pattern.exec(body);
    if (match === null) throw bad(`cannot read histogram {{${body}}}`);
    const [, key, value] = match as unknown as [string, string, string];
    if (!(key in KEYS)) throw bad(`bad histogram descriptor found: "${key}"`);
    if (given.has(key)) throw bad(`duplicate key "${key}" in histogram`);
    given.set(key, value);
  }
  const one = (key: string): number => (given.has(key) ? number(given.get(key) as string) : 0);
  const list = (key: string): number[] => listOf(given.get(key) ?? "[]", number);
  const hint = (given.get("counter_reset_hint") ?? "unknown") as CounterResetHint;
  if (!["unknown", "reset", "not_reset", "gauge"].includes(hint)) throw bad(`unknown counter reset hint "${hint}"`);
  return {
    schema: one("schema"),
    count: one("count"),
    sum: one("sum"),
    zeroCount: one("z_bucket"),
    zeroThreshold: one("z_bucket_w"),
    positive: {offset: one("offset"), counts: list("buckets")},
    negative: {offset: one("n_offset"), counts: list("n_buckets")},
    customValues: list("custom_values"),
    hint,
    hintGiven: given.has("counter_reset_hint"),
  };
}

function listOf(text: string, number: (text: string) => number): number[] {
  if (!text.startsWith("[")) throw bad(`cannot read histogram buckets ${text}: want a list`);
  return text
    .slice(1, -1)
    .split(/\s+/)
    .filter((part) => part !== "")
    .map(number);
}

/**
 * `a` + `sign`·`b` in the schema of `a`, which must not be finer than that of `b`. For the series of scripts only:
 * zero buckets of different width are not reconciled, custom bounds have to be equal.
 */
export function addTestHistogram(a: TestHistogram, b: TestHistogram, sign: 1 | -1): TestHistogram {
  if (a.schema > b.schema) {
    throw bad(`error combining histograms: cannot merge from schema ${b.schema} to ${a.schema}`);
  }
  const custom = a.schema === CUSTOM_SCHEMA;
  if (custom !== (b.schema === CUSTOM_SCHEMA) || String(a.customValues) !== String(b.customValues)) {
    throw bad("error combining histograms: incompatible buckets");
  }
  const shift = b.schema - a.schema;
  return {
    ...a,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    zeroThreshold: Math.max(a.zeroThreshold, b.zeroThreshold),
    positive: addBuckets(a.positive, b.positive, shift, sign),
    negative: addBuckets(a.negative, b.negative, shift, sign),
    hint: sign < 0 ? "gauge" : combinedHint(a.hint, b.hint),
    hintGiven: b.hintGiven,
  };
}

function combinedHint(a: CounterResetHint, b: CounterResetHint): CounterResetHint {
  if (a === b) return a;
  return a === "gauge" || b === "gauge" ? "gauge" : "unknown";
}

function addBuckets(a: TestBuckets, b: TestBuckets, shift: number, sign: number): TestBuckets {
  const counts = new Map<number, number>();
  const add = (index: number, count: number): unknown => counts.set(index, (counts.get(index) ?? 0) + count);
  a.counts.forEach((count, i) => {
    add(a.offset + i, count);
  });
  b.counts.forEach((count, i) => {
    const index = b.offset + i;
    add(shift === 0 ? index : ((index - 1) >> shift) + 1, sign * count);
  });
  if (counts.size === 0) return NO_BUCKETS;
  const first = Math.min(...counts.keys());
  const length = Math.max(...counts.keys()) - first + 1;
  return {offset: first, counts: Array.from({length}, (_, i) => counts.get(first + i) ?? 0)};
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
