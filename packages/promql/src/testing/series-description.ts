import {StrataError} from "@strata/base";
import {Labels, METRIC_NAME} from "@strata/model";
import {numberLiteral} from "../literals.ts";
import {SyntaxFault} from "../parse-error.ts";
import {labelMatchers} from "../parse-labels.ts";
import {DURATION, NUMBER} from "../token.ts";
import {TokenStream} from "../token-stream.ts";
import {addTestHistogram, parseTestHistogram, type TestHistogram} from "./test-histogram.ts";

/** One value of a series. `stale` is the stale marker (a float), `gap` no sample at all. */
export type SequenceValue =
  | {readonly kind: "float"; readonly value: number}
  | {readonly kind: "histogram"; readonly histogram: TestHistogram}
  | {readonly kind: "stale"}
  | {readonly kind: "gap"};

export type SeriesDescription = {readonly labels: Labels; readonly values: readonly SequenceValue[]};

const GAP: SequenceValue = {kind: "gap"};
const STALE: SequenceValue = {kind: "stale"};

/** A repetition beyond this is a typing error, not a test. */
const MAX_REPEAT = 10_000_000;

/** `metric{a="b"} 1 2 _ 3+1x5 {{count:1}}`: a label set and its values. Throws `bad_data`. */
export function parseSeriesDescription(line: string): SeriesDescription {
  const {labels, rest} = parseMetric(line);
  return {labels, values: parseSequence(rest)};
}

/** The metric at the start of a line, and what follows it. */
export function parseMetric(line: string): {labels: Labels; rest: string} {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? "";
  const entries: [string, string][] = name === "" ? [] : [[METRIC_NAME, name]];
  if (line[name.length] !== "{") {
    if (name === "") throw bad(`cannot read metric in "${line}"`);
    return {labels: Labels.fromPairs(entries), rest: line.slice(name.length)};
  }
  const tail = line.slice(name.length);
  const tokens = new TokenStream(tail);
  try {
    for (const m of labelMatchers(tokens)) {
      if (m.op !== "=") throw bad(`cannot use matcher ${m.name}${m.op} in the metric of "${line}"`);
      entries.push([m.name, m.value]);
    }
  } catch (err) {
    if (err instanceof SyntaxFault) throw new StrataError("bad_data", `${err.message} in "${line}"`, {cause: err});
    throw err;
  }
  const rest = Buffer.from(tail).subarray(tokens.lastEnd).toString("utf8");
  return {labels: Labels.fromPairs(entries), rest};
}

const NUMBER_TEXT = String.raw`(?:inf|nan|(?:\d+[ywdhms]s?)+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?)`;
const ITEM = new RegExp(
  String.raw`(?:(?<gap>_)|(?<stale>stale)|(?<histogram>\{\{(?<body>[^}]*)\}\})|(?<value>[+-]?${NUMBER_TEXT}))` +
    String.raw`(?:(?<sign>[+-])(?:\{\{(?<increment>[^}]*)\}\}|(?<delta>${NUMBER_TEXT})))?(?:x(?<times>\d+))?(?=\s|$)`,
  "iy",
);

/** The values behind a metric, repetitions written out. */
export function parseSequence(text: string): SequenceValue[] {
  const values: SequenceValue[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at++;
    if (at >= text.length) return values;
    ITEM.lastIndex = at;
    const match = ITEM.exec(text);
    if (match === null) throw bad(`unexpected ${JSON.stringify(text.slice(at, at + 20))} in series values`);
    expandItem(match.groups as Record<string, string | undefined>, values);
    at = ITEM.lastIndex;
  }
}

function expandItem(item: Record<string, string | undefined>, out: SequenceValue[]): void {
  const times = item.times === undefined ? undefined : Number(item.times);
  if (times !== undefined && times > MAX_REPEAT) throw bad(`cannot repeat a value ${times} times`);
  const repeat = (value: SequenceValue, count: number): void => {
    for (let i = 0; i < count; i++) out.push(value);
  };
  if ((item.sign !== undefined && times === undefined) || (item.sign !== undefined && (item.gap ?? item.stale))) {
    throw bad("a change of value needs a number of repetitions in series values");
  }
  const sign = item.sign === "-" ? -1 : 1;
  // Compat: a gap repeated n times is n gaps, a value repeated n times is n + 1 values.
  if (item.gap !== undefined) repeat(GAP, times ?? 1);
  else if (item.stale !== undefined) repeat(STALE, (times ?? 0) + 1);
  else if (item.histogram !== undefined) {
    if (item.delta !== undefined) throw bad("cannot add a number to a histogram in series values");
    expandHistograms(item.body as string, item.increment, sign, times ?? 0, out);
  } else {
    if (item.increment !== undefined) throw bad("cannot add a histogram to a number in series values");
    const delta = item.delta === undefined ? 0 : sign * parseNumber(item.delta);
    let value = parseNumber(item.value as string);
    for (let i = 0; i <= (times ?? 0); i++) {
      out.push({kind: "float", value});
      if (item.delta !== undefined) value += delta;
    }
  }
}

function expandHistograms(
  body: string,
  increment: string | undefined,
  sign: 1 | -1,
  times: number,
  out: SequenceValue[],
): void {
  let histogram = parseTestHistogram(body, parseNumber);
  const step = increment === undefined ? undefined : parseTestHistogram(increment, parseNumber);
  // Compat: the increment decides whether the hint of every value counts as written out.
  if (step !== undefined) histogram = {...histogram, hintGiven: step.hintGiven};
  for (let i = 0; i <= times; i++) {
    out.push({kind: "histogram", histogram});
    if (step !== undefined && i < times) histogram = addTestHistogram(histogram, step, sign);
  }
}

/** A signed number or duration. Throws `bad_data`. */
export function parseNumber(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  const type = /^\d+[ywdhms]/.test(body) && !/^0x/i.test(body) ? DURATION : NUMBER;
  try {
    return sign * numberLiteral({type, text: body, start: 0, end: 0}).value;
  } catch (err) {
    if (err instanceof SyntaxFault) throw new StrataError("bad_data", err.message, {cause: err});
    throw err;
  }
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
