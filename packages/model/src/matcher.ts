import {goQuote, quoteLabelName} from "./go-quote.ts";
import {compileRegex, type Regex} from "./re2.ts";
import {commonPrefix, type Glob, globMatches, plainAlternation, type RegexShape, regexShape} from "./regex-shape.ts";

/** How a matcher compares, in the order of the StoreAPI's enum (EQ 0, NEQ 1, RE 2, NRE 3). */
export type MatchOp = "=" | "!=" | "=~" | "!~";

/** One label matcher. Regular expressions are anchored RE2 whose dot matches a newline, as in Prometheus. */
export type Matcher = {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
  /** Whether a label value ("" for a missing label) satisfies it. Linear in the value's length. */
  matches(value: string): boolean;
  /**
   * For `=~` and `!~` whose expression stands for a finite set: those values, "" included where it is one. For `=` and
   * `!=` the one value.
   */
  readonly set: readonly string[] | undefined;
  /** A literal that every value matching the *positive* form (`=`, `=~`) must start with ("" when none is known). */
  readonly prefix: string;
};

/** A matcher; a faulty regular expression throws `bad_data` with Go's message. */
export function matcher(name: string, op: MatchOp, value: string): Matcher {
  if (op === "=") return {name, op, value, matches: (v) => v === value, set: [value], prefix: value};
  if (op === "!=") return {name, op, value, matches: (v) => v !== value, set: [value], prefix: value};
  const {test, set, prefix} = analysed(value);
  const matches = op === "=~" ? test : (v: string) => !test(v);
  return {name, op, value, matches, set, prefix};
}

/** `name="value"`, as Prometheus prints a matcher. */
export const matcherText = (m: Matcher): string => `${quoteLabelName(m.name)}${m.op}${goQuote(m.value)}`;

/** A pattern that matches exactly `text`. */
export const quoteRegex = (text: string): string => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&");

type Analysed = {
  readonly test: (value: string) => boolean;
  readonly set: readonly string[] | undefined;
  readonly prefix: string;
};

/** Above so many patterns with gaps, one pass of the engine's automaton is cheaper than trying them in turn. */
const MAX_GLOBS = 16;
/** A set this small is compared value by value; a larger one is hashed. */
const SMALL_SET = 4;

function analysed(pattern: string): Analysed {
  const plain = plainAlternation(pattern);
  if (plain !== undefined) return {test: setTest(plain), set: plain, prefix: commonPrefix(plain.map(textGlob))};
  const regex = compileRegex(pattern);
  if (pattern.startsWith("(?i)")) return {test: foldedTest(pattern.slice(4), regex), set: undefined, prefix: ""};
  const shape = regexShape(pattern);
  if (shape === undefined) return {test: regex.test, set: undefined, prefix: ""};
  const prefix = commonPrefix(shape.alternatives);
  const isSet = shape.exact && shape.alternatives.every((glob) => glob.gaps.length === 0);
  const set = isSet ? shape.alternatives.map((glob) => glob.literals[0] as string) : undefined;
  return {test: set === undefined ? shapeTest(shape, regex) : setTest(set), set, prefix};
}

const textGlob = (text: string): Glob => ({literals: [text], gaps: []});

function setTest(values: readonly string[]): (value: string) => boolean {
  if (values.length === 1) return (value) => value === values[0];
  if (values.length <= SMALL_SET) return (value) => values.includes(value);
  const set = new Set(values);
  return (value) => set.has(value);
}

function shapeTest(shape: RegexShape, regex: Regex): (value: string) => boolean {
  const globs = shape.alternatives.filter((glob) => glob.gaps.length > 0);
  const texts = new Set(
    shape.alternatives.filter((glob) => glob.gaps.length === 0).map((g) => g.literals[0] as string),
  );
  if (globs.length > MAX_GLOBS) return regex.test;
  const one = globs[0];
  const fits =
    globs.length === 1 && texts.size === 0 && one !== undefined
      ? globTest(one)
      : (value: string) => texts.has(value) || globs.some((glob) => globMatches(glob, value));
  return shape.exact ? fits : (value) => fits(value) && regex.test(value);
}

/** The commonest forms (`.*`, `.+`, `a.*`, `.*a`, `.*a.*`) as one string operation each. */
function globTest(glob: Glob): (value: string) => boolean {
  const [first = "", second = ""] = glob.literals;
  if (glob.literals.length === 2) {
    const least = first.length + second.length + (glob.gaps[0] as number);
    if (least === 0) return () => true;
    if (first === "" && second === "") return (value) => value !== "";
    if (second === "") return (value) => value.length >= least && value.startsWith(first);
    if (first === "") return (value) => value.length >= least && value.endsWith(second);
  }
  if (glob.literals.length === 3 && first === "" && glob.literals[2] === "" && glob.gaps.every((gap) => gap === 0)) {
    return (value) => value.includes(second);
  }
  return (value) => globMatches(glob, value);
}

/**
 * Ignoring case: while value and pattern are ASCII, lower-casing both is the same as RE2's folding; beyond (K has a third
 * form, the Kelvin sign) the engine decides.
 */
function foldedTest(pattern: string, regex: Regex): (value: string) => boolean {
  // A range or escape class could change its meaning when lower-cased (`[A-z]`, `\W`).
  const shape = isAscii(pattern) && !/[[\\]/.test(pattern) ? regexShape(pattern.toLowerCase()) : undefined;
  if (shape?.exact !== true) return regex.test;
  const folded = shapeTest(shape, regex);
  return (value) => (isAscii(value) ? folded(value.toLowerCase()) : regex.test(value));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
