import {StrataError, withContext} from "@strata/base";
import {compileRegex, goUnquote, type Labels, parsePrometheusDuration} from "@strata/model";
import {
  parseMetric,
  parseNumber,
  parseSequence,
  parseSeriesDescription,
  type SequenceValue,
} from "./series-description.ts";
import {parseStartOffsets} from "./start-timestamps.ts";

/** One series of a `load`: value i belongs to time i × gap. */
export type LoadSeries = {
  readonly labels: Labels;
  readonly values: readonly SequenceValue[];
  /** ms from each sample's time to its start timestamp; undefined where there is none. */
  readonly startOffsets: readonly (number | undefined)[] | undefined;
  readonly line: number;
};

export type LoadCommand = {
  readonly kind: "load";
  readonly line: number;
  /** ms between values. */
  readonly gap: number;
  /** Also build custom-bucket histograms from classic ones. */
  readonly withNhcb: boolean;
  readonly series: readonly LoadSeries[];
};

/** What the text of an error or annotation has to look like; `any` takes all. */
export type TextPattern =
  | {readonly kind: "any"}
  | {readonly kind: "message"; readonly text: string}
  | {readonly kind: "regex"; readonly pattern: string};

/** Times in ms, `end` inclusive. */
export type Grid = {readonly start: number; readonly end: number; readonly step: number};

export type ExpectedSeries = {
  readonly labels: Labels;
  readonly values: readonly SequenceValue[];
  /** 1 for the first result line. */
  readonly position: number;
  readonly line: number;
};

export type EvalCommand = {
  readonly kind: "eval";
  readonly line: number;
  readonly expr: string;
  /** An instant query at `start` (then `end` = `start`, `step` = 0), or a range query. */
  readonly mode: "instant" | "range";
  readonly grid: Grid;
  readonly ordered: boolean;
  /** The evaluation has to fail with such a text. */
  readonly fail: TextPattern | undefined;
  readonly warnings: readonly TextPattern[];
  readonly infos: readonly TextPattern[];
  readonly noWarnings: boolean;
  readonly noInfos: boolean;
  readonly series: readonly ExpectedSeries[];
  readonly scalar: number | undefined;
  readonly string: string | undefined;
  /** For an instant query that returns a range vector: the times of the expected values; its end is the query time. */
  readonly rangeVector: Grid | undefined;
};

export type ScriptCommand = {readonly kind: "clear"; readonly line: number} | LoadCommand | EvalCommand;

/**
 * Parses a script of Prometheus' PromQL test language into commands to be run from top to bottom. Throws `bad_data`
 * that names `file` and line.
 */
export function parseScript(source: string, file: string): ScriptCommand[] {
  const lines = source.split("\n").map((line) => {
    const trimmed = line.trim();
    return trimmed.startsWith("#") ? "" : trimmed;
  });
  const commands: ScriptCommand[] = [];
  for (let i = 0; i < lines.length; ) {
    const head = lines[i] as string;
    const first = i;
    i++;
    if (head === "") continue;
    const word = (head.split(/[\t ]/, 1)[0] as string).toLowerCase();
    const hasBody = word.startsWith("load") || word.startsWith("eval");
    while (hasBody && i < lines.length && lines[i] !== "") i++;
    const body = lines.slice(first + 1, i).map((text, n): Line => ({text, number: first + 2 + n}));
    try {
      commands.push(parseCommand(word, {text: head, number: first + 1}, body));
    } catch (err) {
      throw err instanceof LineFault
        ? withContext(err.cause, `${file}:${err.line}`)
        : withContext(err, `${file}:${first + 1}`);
    }
  }
  return commands;
}

/** Whether a text is as expected. A regular expression may match any part of it. */
export function textMatches(pattern: TextPattern, text: string): boolean {
  if (pattern.kind === "any") return true;
  if (pattern.kind === "message") return pattern.text === text.trim();
  return compileRegex(`.*(?:${pattern.pattern}).*`).test(text);
}

type Line = {readonly text: string; readonly number: number};

/** Carries the line of a body at which something went wrong up to where the file is known. */
class LineFault extends Error {
  readonly line: number;

  constructor(line: number, cause: unknown) {
    super("script line", {cause});
    this.line = line;
  }
}

function onLine<T>(line: Line, parse: () => T): T {
  try {
    return parse();
  } catch (err) {
    throw new LineFault(line.number, err);
  }
}

function parseCommand(word: string, head: Line, body: readonly Line[]): ScriptCommand {
  if (word === "clear") return {kind: "clear", line: head.number};
  if (word.startsWith("load")) return parseLoad(head, body);
  if (word.startsWith("eval")) return parseEval(head, body);
  throw bad(`invalid command "${head.text}"`);
}

function parseLoad(head: Line, body: readonly Line[]): LoadCommand {
  const match = /^load(?:_(with_nhcb))?\s+(.+?)$/.exec(head.text);
  if (match === null) throw bad("invalid load command. (load[_with_nhcb] <step:duration>)");
  const gap = parsePrometheusDuration(match[2] as string);
  const series = new Map<string, LoadSeries>();
  let starts: {labels: Labels; offsets: (number | undefined)[]} | undefined;
  for (const line of body) {
    onLine(line, () => {
      const st = /^(\S+)@st(?:\s+(.*))?$/.exec(line.text);
      if (st !== null) {
        if (starts !== undefined) throw bad("@st line has no following sample line");
        starts = {labels: parseMetric(st[1] as string).labels, offsets: parseStartOffsets(st[2] ?? "")};
        return;
      }
      const {labels, values} = parseSeriesDescription(line.text);
      if (starts !== undefined && !starts.labels.equals(labels)) {
        throw bad("@st metric does not match the following sample line metric");
      }
      if (starts !== undefined && starts.offsets.length !== values.length) {
        throw bad(`@st line has ${starts.offsets.length} values but sample line has ${values.length}`);
      }
      // The last definition of a label set within one load holds.
      series.set(labels.toString(), {labels, values, startOffsets: starts?.offsets, line: line.number});
      starts = undefined;
    });
  }
  if (starts !== undefined) throw bad("@st line has no following sample line");
  return {kind: "load", line: head.number, gap, withNhcb: match[1] !== undefined, series: [...series.values()]};
}

type Mutable<T> = {-readonly [K in keyof T]: T[K]};
type Draft = Mutable<EvalCommand> & {
  readonly warnings: TextPattern[];
  readonly infos: TextPattern[];
  readonly series: ExpectedSeries[];
};

const ANY: TextPattern = {kind: "any"};

function parseEval(head: Line, body: readonly Line[]): EvalCommand {
  const draft = parseEvalHead(head);
  for (const line of body) if (onLine(line, () => parseEvalLine(line, draft)) === "end") break;
  if (draft.noWarnings && draft.warnings.length > 0) throw bad("cannot expect both warnings and no warnings");
  if (draft.noInfos && draft.infos.length > 0) throw bad("cannot expect both infos and no infos");
  return draft;
}

function parseEvalHead(head: Line): Draft {
  const instant = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/.exec(head.text);
  const range =
    instant === null
      ? /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/.exec(head.text)
      : null;
  const match = instant ?? range;
  if (match === null) throw bad(`invalid eval command "${head.text}"`);
  const suffix = match[1];
  const grid =
    instant !== null
      ? instantGrid(instant[2])
      : gridOf(range?.[2] as string, range?.[3] as string, range?.[4] as string);
  return {
    kind: "eval",
    line: head.number,
    expr: (instant?.[3] ?? range?.[5]) as string,
    mode: instant === null ? "range" : "instant",
    grid,
    ordered: suffix === "ordered",
    fail: suffix === "fail" ? ANY : undefined,
    warnings: suffix === "warn" ? [ANY] : [],
    infos: suffix === "info" ? [ANY] : [],
    noWarnings: false,
    noInfos: false,
    series: [],
    scalar: undefined,
    string: undefined,
    rangeVector: undefined,
  };
}

function instantGrid(at: string | undefined): Grid {
  const t = at === undefined ? 0 : parsePrometheusDuration(at);
  return {start: t, end: t, step: 0};
}

function gridOf(from: string, to: string, by: string): Grid {
  const start = parsePrometheusDuration(from);
  const end = parsePrometheusDuration(to);
  const step = parsePrometheusDuration(by);
  if (end < start) throw bad(`invalid range: ends at ${to}, before its start ${from}`);
  return {start, end, step};
}

/** Reads one line below an eval; "end" when nothing may follow. */
function parseEvalLine({text, number}: Line, draft: Draft): "end" | undefined {
  const legacy = draft.fail === undefined ? null : /^expected_fail_(message|regexp)\s+(.*)$/.exec(text);
  if (legacy !== null) {
    draft.fail = legacy[1] === "message" ? message(legacy[2] as string) : regex(legacy[2] as string);
    return "end";
  }
  if (text.startsWith("expect range vector")) {
    const match = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/.exec(text);
    if (match === null) throw bad(`invalid range vector definition "${text}"`);
    draft.rangeVector = gridOf(match[1] as string, match[2] as string, match[3] as string);
    return undefined;
  }
  if (text.startsWith("expect string ")) {
    draft.string = goUnquote(text.slice("expect string ".length).trim());
    return undefined;
  }
  if (/^expect\s/.test(text)) {
    parseExpectation(text, draft);
    return undefined;
  }
  const scalar = tryNumber(text);
  if (scalar !== undefined) {
    draft.scalar = scalar;
    return "end";
  }
  draft.series.push(expectedSeries(text, number, draft));
  return undefined;
}

function parseExpectation(text: string, draft: Draft): void {
  const match = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/.exec(text);
  if (match === null) throw bad(`invalid expect line "${text}"`);
  const [, what, how, tail = ""] = match as unknown as [string, string, string | undefined, string | undefined];
  const pattern = how === "msg" ? message(tail) : how === "regex" ? regex(tail) : ANY;
  switch (what) {
    case "ordered":
      draft.ordered = true;
      break;
    case "fail":
      if (draft.fail !== undefined) throw bad("cannot expect more than one failure");
      draft.fail = pattern;
      break;
    case "warn":
      draft.warnings.push(pattern);
      break;
    case "info":
      draft.infos.push(pattern);
      break;
    case "no_warn":
      draft.noWarnings = true;
      break;
    case "no_info":
      draft.noInfos = true;
      break;
  }
}

const message = (text: string): TextPattern => ({kind: "message", text: text.trim()});
const regex = (text: string): TextPattern => ({kind: "regex", pattern: text.trim()});

function tryNumber(text: string): number | undefined {
  if (!/^[+-]?(\d|\.\d|inf|nan)\S*$/i.test(text)) return undefined;
  try {
    return parseNumber(text);
  } catch {
    return undefined;
  }
}

function expectedSeries(text: string, line: number, draft: Draft): ExpectedSeries {
  const {labels, rest} = parseMetric(text);
  const values = parseSequence(rest);
  const grid = draft.rangeVector ?? draft.grid;
  const most = grid.step === 0 ? 1 : Math.floor((grid.end - grid.start) / grid.step) + 1;
  if (values.length > most) throw bad(`expected ${values.length} points in "${text}", but the query has only ${most}`);
  return {labels, values, position: draft.series.length + 1, line};
}

const bad = (text: string): StrataError => new StrataError("bad_data", text);
