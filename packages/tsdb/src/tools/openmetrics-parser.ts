import {isUtf8} from "node:buffer";
import {StrataError} from "@strata/base";
import {goQuote, Labels, METRIC_NAME} from "@strata/model";
import {parseGoFloat} from "./go-text.ts";

/** What a parser hands on: each series once per spelling, then its samples. */
export type OpenMetricsSink = {
  /** A number for the series with these labels, which have distinct names and no empty values. */
  series(labels: Labels): number;
  /** t in ms. */
  sample(series: number, t: number, value: number): void;
};

const [NEWLINE, SPACE, QUOTE, HASH, COMMA, EQUALS, BACKSLASH, OPEN, CLOSE] = Buffer.from('\n "#,=\\{}') as unknown as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
/** No line of real input comes near; without a bound a file of another kind would be held in memory. */
const MAX_LINE = 16 * 1024 * 1024;
const TYPES = ["counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"];
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Reads OpenMetrics text piece by piece: strict as Prometheus is (one space between fields, no empty lines, a timestamp
 * with every sample, `# EOF` at the end), quoted names of version 2 as well. Any other bytes throw `bad_data` with file,
 * line and what is wrong. Types, help and units are checked and dropped, exemplars too.
 */
export class OpenMetricsParser {
  readonly #file: string;
  readonly #sink: OpenMetricsSink;
  /** Series by their spelling, bytes as Latin-1. */
  readonly #known = new Map<string, number>();
  #rest: Buffer = Buffer.alloc(0);
  #line = 0;
  #ended = false;

  constructor(file: string, sink: OpenMetricsSink) {
    this.#file = file;
    this.#sink = sink;
  }

  /** The next piece of the text; borders may be anywhere. */
  push(piece: Buffer): void {
    const buffer = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let from = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE, from)) {
      this.#readLine(buffer, from, end);
      from = end + 1;
    }
    if (buffer.length - from > MAX_LINE) {
      this.#line++;
      throw this.#bad(`the line is longer than ${MAX_LINE} bytes`);
    }
    this.#rest = Buffer.from(buffer.subarray(from));
  }

  /** To be called behind the last piece. */
  end(): void {
    if (this.#rest.length > 0) {
      // Compat: only the end mark may lack its newline.
      if (this.#rest.toString("latin1") === "# EOF" && !this.#ended) return;
      this.#readLine(this.#rest, 0, this.#rest.length);
    }
    if (!this.#ended) throw this.#bad("the text does not end with # EOF");
  }

  #readLine(b: Buffer, from: number, to: number): void {
    this.#line++;
    if (this.#ended) throw this.#bad("there is more after # EOF");
    if (from === to) throw this.#bad("the line is empty");
    if (b[from] === HASH) this.#readComment(b.subarray(from, to));
    else this.#readSample(b, from, to);
  }

  #readSample(b: Buffer, from: number, to: number): void {
    const end = seriesEnd(b, from, to);
    const text = b.toString("latin1", from, end);
    const series = this.#known.get(text) ?? this.#newSeries(text, b.subarray(from, end));
    const valueEnd = fieldEnd(b, end + 1, to);
    if (b[end] !== SPACE || valueEnd === end + 1) throw this.#bad(`there is no value after ${shown(b, from, end)}`);
    const value = this.#number(b, end + 1, valueEnd, "value");
    if (valueEnd === to || b[valueEnd + 1] === HASH) throw this.#bad("the sample has no timestamp");
    const timeEnd = fieldEnd(b, valueEnd + 1, to);
    const t = this.#time(b, valueEnd + 1, timeEnd);
    if (timeEnd < to) this.#readExemplar(b.subarray(from, to), end - from, timeEnd - from);
    this.#sink.sample(series, t, value);
  }

  #newSeries(text: string, b: Buffer): number {
    const pairs: string[] = [];
    let at = nameEnd(b);
    if (at > 0) {
      const name = b.toString("latin1", 0, at);
      if (!METRIC.test(name)) throw this.#bad(`${goQuote(b.toString())} is no metric name`);
      pairs.push(METRIC_NAME, name);
    } else if (b[0] !== OPEN) throw this.#bad("there is no metric name");
    if (at < b.length) at = this.#readLabels(b, at, pairs);
    if (at !== b.length) throw this.#bad(`unexpected ${goQuote(b.toString("utf8", at))} after the labels`);
    if (!pairs.some((name, i) => i % 2 === 0 && name === METRIC_NAME)) throw this.#bad("there is no metric name");
    const series = this.#sink.series(this.#distinct(pairs));
    this.#known.set(text, series);
    return series;
  }

  /** Without empty values, which are the same as no label. */
  #distinct(pairs: readonly string[]): Labels {
    const names = new Set<string>();
    const kept: [name: string, value: string][] = [];
    for (let i = 0; i < pairs.length; i += 2) {
      const [name, value] = [pairs[i] as string, pairs[i + 1] as string];
      if (names.has(name)) throw this.#bad(`label ${goQuote(name)} is given twice`);
      names.add(name);
      if (value !== "") kept.push([name, value]);
    }
    return Labels.fromPairs(kept);
  }

  /** Reads `{name="value",…}` at `at` into `pairs` and gives its end. */
  #readLabels(b: Buffer, at: number, pairs: string[]): number {
    at++;
    if (b[at] === CLOSE) return at + 1;
    for (;;) {
      const [name, afterName] = b[at] === QUOTE ? this.#readText(b, at) : this.#readName(b, at);
      if (b[at] === QUOTE && b[afterName] !== EQUALS) {
        // A quoted text alone is the metric's name.
        if (pairs.length > 0) throw this.#bad(`${goQuote(name)} has no value`);
        pairs.push(METRIC_NAME, name);
        at = afterName;
      } else {
        if (b[afterName] !== EQUALS) throw this.#bad(`label ${goQuote(name)} needs a = and a value`);
        if (b[afterName + 1] !== QUOTE) throw this.#bad(`the value of label ${goQuote(name)} needs double quotes`);
        const [value, end] = this.#readText(b, afterName + 1);
        pairs.push(name, value);
        at = end;
      }
      if (b[at] === CLOSE) return at + 1;
      if (b[at] !== COMMA) throw this.#bad(`want "," or "}" after label ${goQuote(name)}, got ${shown(b, at, at + 1)}`);
      at++;
    }
  }

  #readName(b: Buffer, at: number): [name: string, end: number] {
    let end = at;
    while (end < b.length && b[end] !== EQUALS && b[end] !== COMMA && b[end] !== CLOSE) end++;
    const name = b.toString("latin1", at, end);
    if (!LABEL.test(name)) throw this.#bad(`want a label name, got ${shown(b, at, Math.max(end, at + 1))}`);
    return [name, end];
  }

  /** A text in double quotes; a backslash that escapes nothing stands for itself. */
  #readText(b: Buffer, at: number): [text: string, end: number] {
    let end = at + 1;
    while (end < b.length && b[end] !== QUOTE) end += b[end] === BACKSLASH ? 2 : 1;
    if (end >= b.length) throw this.#bad("a text in double quotes does not end");
    const bytes = b.subarray(at + 1, end);
    if (!isUtf8(bytes)) throw this.#bad("a text is not UTF-8");
    const text = bytes.toString();
    return [text.replace(/\\(["\\n])/g, (_, c: string) => (c === "n" ? "\n" : c)), end + 1];
  }

  #number(b: Buffer, from: number, to: number, what: string): number {
    const number = parseGoFloat(b.toString("latin1", from, to));
    if (number === undefined) throw this.#bad(`${what} ${shown(b, from, to)} is not a number`);
    return number;
  }

  /** Seconds in the text, whole ms as result; Compat: what is left of a ms is cut off. */
  #time(b: Buffer, from: number, to: number): number {
    const t = Math.trunc(this.#number(b, from, to, "timestamp") * 1000);
    if (!Number.isSafeInteger(t)) throw this.#bad(`timestamp ${shown(b, from, to)} is out of range`);
    return t;
  }

  #readExemplar(b: Buffer, seriesTo: number, at: number): void {
    const mark = b.toString("latin1", at, at + 4);
    if (mark !== " # {") throw this.#bad(`unexpected ${shown(b, at, b.length)} after the timestamp`);
    const series = b.toString("latin1", 0, Math.min(seriesTo, nameEnd(b)));
    if (!/_(total|bucket)$/.test(series)) throw this.#bad(`metric ${goQuote(series)} cannot have exemplars`);
    const end = this.#readLabels(b, at + 3, []);
    const valueEnd = fieldEnd(b, end + 1, b.length);
    if (b[end] !== SPACE || valueEnd === end + 1) throw this.#bad("the exemplar has no value");
    this.#number(b, end + 1, valueEnd, "exemplar value");
    if (valueEnd < b.length) this.#time(b, valueEnd + 1, b.length);
  }

  #readComment(b: Buffer): void {
    if (!isUtf8(b)) throw this.#bad("a text is not UTF-8");
    const line = b.toString();
    if (line === "# EOF") {
      this.#ended = true;
      return;
    }
    const [, word, metric = "", rest = ""] =
      /^# (HELP|TYPE|UNIT) ("(?:\\.|[^"\\])*"|[^ ]+) (.*)$/s.exec(line) ?? ([] as undefined[]);
    if (word === undefined) throw this.#bad("want # HELP, # TYPE or # UNIT with a metric name and a text, or # EOF");
    if (!metric.startsWith('"') && !METRIC.test(metric)) throw this.#bad(`${goQuote(metric)} is no metric name`);
    const name = metric.startsWith('"') ? metric.slice(1, -1) : metric;
    if (word === "TYPE" && !TYPES.includes(rest)) throw this.#bad(`unknown metric type ${goQuote(rest)}`);
    if (word === "UNIT" && rest !== "" && !name.endsWith(`_${rest}`)) {
      throw this.#bad(`metric ${goQuote(name)} does not end with its unit ${goQuote(rest)}`);
    }
  }

  #bad(what: string): StrataError {
    const fields = {file: this.#file, line: this.#line};
    return new StrataError("bad_data", `cannot read ${this.#file}:${this.#line}: ${what}`, {fields});
  }
}

/** End of the name in front of labels or value. */
function nameEnd(b: Buffer): number {
  let at = 0;
  while (at < b.length && b[at] !== OPEN && b[at] !== SPACE) at++;
  return at;
}

/** Where the text of a series ends: behind its closing brace, or at the first space. */
function seriesEnd(b: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && b[at] !== SPACE && b[at] !== OPEN) at++;
  if (b[at] !== OPEN || at === to) return at;
  for (let quoted = false; at < to; at++) {
    const c = b[at];
    if (c === QUOTE) quoted = !quoted;
    else if (quoted) at += c === BACKSLASH ? 1 : 0;
    else if (c === CLOSE) return at + 1;
  }
  return to;
}

function fieldEnd(b: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && b[at] !== SPACE) at++;
  return Math.min(at, to);
}

const shown = (b: Buffer, from: number, to: number): string =>
  from >= b.length ? "the end of the line" : goQuote(b.toString("utf8", from, Math.min(to, from + 80)));
