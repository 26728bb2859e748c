/**
 * What can be known of a regular expression without running it. A pattern is read into alternatives, each a row of
 * literals with gaps between them; what this reader does not understand becomes a gap, and then the shape only
 * *must* hold for a match and does not decide it.
 */
export type RegexShape = {
  /** true: a text matches exactly when one of the alternatives does. false: some alternative must fit, but may not suffice. */
  readonly exact: boolean;
  readonly alternatives: readonly Glob[];
};

/** literals[0] gap literals[1] gap … literals[n]: without a gap the text itself. */
export type Glob = {
  /** gaps.length + 1 texts; "" where a gap stands at the border or beside another gap. */
  readonly literals: readonly string[];
  /** How many characters at least lie between two neighbours: 0 (`.*`) or 1 (`.+`). */
  readonly gaps: readonly number[];
};

/** A product of alternatives (`(a|b)(c|d)`) is multiplied out up to this size; a plain row of them has no bound. */
const MAX_PRODUCT = 256;
/** A row of plain alternatives (`a|b|c`, as dashboards send them) may be as long as the sender likes. */
const PLAIN_ALTERNATION = /^[^\\^$.|?*+()[\]{}]*(?:\|[^\\^$.|?*+()[\]{}]*)*$/;

const EMPTY: Glob = {literals: [""], gaps: []};
const ANYTHING: Glob = {literals: ["", ""], gaps: [0]};
const SOMETHING: Glob = {literals: ["", ""], gaps: [1]};

/** The texts of a pattern that uses no operator but `|`, which need no compiling; else undefined. */
export function plainAlternation(pattern: string): readonly string[] | undefined {
  return PLAIN_ALTERNATION.test(pattern) ? [...new Set(pattern.split("|"))] : undefined;
}

/** The shape of a valid pattern (dot matches newline, whole text), or undefined where nothing useful is known. */
export function regexShape(pattern: string): RegexShape | undefined {
  const reader = new ShapeReader(pattern);
  const node = reader.read();
  return node === undefined ? undefined : {exact: !reader.approximated, alternatives: unique(node)};
}

/** Reads a pattern that the engine has accepted already; gives up (undefined) rather than guess. */
class ShapeReader {
  /** Set once something was replaced by a gap that matches more than it. */
  approximated = false;
  readonly #chars: readonly string[];
  #at = 0;
  #gaveUp = false;

  constructor(pattern: string) {
    this.#chars = [...pattern];
  }

  read(): Glob[] | undefined {
    const node = this.#alternation(0);
    return this.#gaveUp || this.#at < this.#chars.length ? undefined : node;
  }

  #alternation(depth: number): Glob[] {
    const all: Glob[] = this.#row(depth);
    while (!this.#gaveUp && this.#chars[this.#at] === "|") {
      this.#at++;
      for (const glob of this.#row(depth)) all.push(glob);
    }
    return all;
  }

  #row(depth: number): Glob[] {
    let all: Glob[] = [EMPTY];
    const start = this.#at;
    while (!this.#gaveUp && this.#at < this.#chars.length) {
      const char = this.#chars[this.#at] as string;
      if (char === "|" || char === ")") break;
      // Compat: the whole text is matched anyway, so an anchor at its border says nothing; elsewhere it does.
      if (char === "^" && depth === 0 && this.#at === start) {
        this.#at++;
        if (this.#isRepeated()) return this.#giveUp();
        continue;
      }
      if (char === "$" && depth === 0 && this.#endsRow(this.#at + 1)) {
        this.#at++;
        continue;
      }
      const next = this.#repeated(depth);
      if (all.length > 1 && next.length > 1 && all.length * next.length > MAX_PRODUCT) return this.#giveUp();
      all = all.flatMap((left) => next.map((right) => joined(left, right)));
    }
    // Gaps are counted in UTF-16 units: two in a row could share one character of two units.
    if (all.some(hasAdjacentGaps)) this.approximated = true;
    return all;
  }

  #endsRow(at: number): boolean {
    return at >= this.#chars.length || this.#chars[at] === "|";
  }

  #repeated(depth: number): Glob[] {
    const dot = this.#chars[this.#at] === ".";
    const atom = this.#atom(depth);
    if (this.#gaveUp || !this.#isRepeated()) {
      if (dot) this.approximated = true;
      return atom;
    }
    const operator = this.#chars[this.#at] as string;
    const min = this.#repetition(operator);
    if (dot && operator === "*") return [ANYTHING];
    if (dot && operator === "+") return [SOMETHING];
    if (operator === "?") {
      if (dot) this.approximated = true;
      return [EMPTY, ...atom];
    }
    this.approximated = true;
    if (min === 0) return [ANYTHING];
    return atom.length === 1 ? [joined(atom[0] as Glob, ANYTHING)] : [ANYTHING];
  }

  /** Whether `?`, `*`, `+` or a count (`{2}`, `{2,}`, `{2,5}`) stands here; any other brace is a plain character. */
  #isRepeated(): boolean {
    const char = this.#chars[this.#at];
    if (char === "?" || char === "*" || char === "+") return true;
    return char === "{" && /^\{[0-9]+(,[0-9]*)?\}/.test(this.#chars.slice(this.#at, this.#at + 16).join(""));
  }

  /** Steps over the operator and a lazy mark, which changes nothing for whole texts; the fewest repetitions. */
  #repetition(operator: string): number {
    let min = operator === "+" ? 1 : 0;
    if (operator === "{") {
      const end = this.#chars.indexOf("}", this.#at);
      min = Number.parseInt(this.#chars.slice(this.#at + 1, end).join(""), 10);
      this.#at = end;
    }
    this.#at++;
    if (this.#chars[this.#at] === "?") this.#at++;
    return min;
  }

  #atom(depth: number): Glob[] {
    const char = this.#chars[this.#at++] as string;
    if (char === "(") return this.#group(depth);
    if (char === "[") return this.#class();
    if (char === "\\") return this.#escape();
    if (char === ".") return [SOMETHING];
    if (char === "^" || char === "$") {
      this.approximated = true;
      return [EMPTY];
    }
    return [literal(char)];
  }

  #group(depth: number): Glob[] {
    if (this.#chars[this.#at] === "?") {
      if (this.#chars[this.#at + 1] !== ":") return this.#giveUp();
      this.#at += 2;
    }
    const node = this.#alternation(depth + 1);
    if (this.#chars[this.#at] !== ")") return this.#giveUp();
    this.#at++;
    return node;
  }

  /** A class of single characters is that many alternatives; ranges, negation and named classes are one unknown one. */
  #class(): Glob[] {
    const members: string[] = [];
    let simple = this.#chars[this.#at] !== "^";
    for (let first = true; ; first = false) {
      const char = this.#chars[this.#at++];
      if (char === undefined) return this.#giveUp();
      if (char === "]" && !first && members.length > 0) break;
      if (char === "[" && this.#chars[this.#at] === ":") return this.#giveUp();
      if (char === "\\") {
        const escaped = this.#chars[this.#at++] as string;
        if (!/[^0-9A-Za-z]/.test(escaped)) return this.#giveUp();
        members.push(escaped);
        continue;
      }
      if (char === "-" && !first && this.#chars[this.#at] !== "]") simple = false;
      if (char === "^" && first && !simple) {
        // The "^" of a negated class: the character after it may be a literal "]".
        members.push(this.#chars[this.#at++] as string);
        if (members[0] === "\\" || members[0] === "[") return this.#giveUp();
        continue;
      }
      members.push(char);
    }
    if (simple && members.length <= 32) return [...new Set(members)].map(literal);
    this.approximated = true;
    return [SOMETHING];
  }

  #escape(): Glob[] {
    const char = this.#chars[this.#at++] as string;
    if (!/[0-9A-Za-z]/.test(char)) return [literal(char)];
    if (char === "n") return [literal("\n")];
    if (char === "t") return [literal("\t")];
    if (!"dDwWsS".includes(char)) return this.#giveUp();
    this.approximated = true;
    return [SOMETHING];
  }

  #giveUp(): Glob[] {
    this.#gaveUp = true;
    this.approximated = true;
    return [ANYTHING];
  }
}

const hasAdjacentGaps = ({literals, gaps}: Glob): boolean =>
  gaps.some((gap, i) => i > 0 && literals[i] === "" && gap + (gaps[i - 1] as number) > 1);

const literal = (text: string): Glob => ({literals: [text], gaps: []});

function joined(left: Glob, right: Glob): Glob {
  const last = left.literals.length - 1;
  const middle = (left.literals[last] as string) + (right.literals[0] as string);
  return {
    literals: [...left.literals.slice(0, last), middle, ...right.literals.slice(1)],
    gaps: [...left.gaps, ...right.gaps],
  };
}

function unique(globs: readonly Glob[]): Glob[] {
  const seen = new Map<string, Glob>();
  for (const glob of globs) seen.set(JSON.stringify([glob.literals, glob.gaps]), glob);
  return [...seen.values()];
}

/**
 * Whether `text` is of the form of `glob`. Each literal is looked for at the earliest place behind the one before: for
 * gaps without an upper bound that finds a fit whenever there is one.
 */
export function globMatches(glob: Glob, text: string): boolean {
  const {literals, gaps} = glob;
  const last = literals.length - 1;
  const first = literals[0] as string;
  if (last === 0) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (let i = 1; i < last; i++) {
    const from = at + (gaps[i - 1] as number);
    // The empty text is found at the end by whatever looks beyond it.
    const found = from > text.length ? -1 : text.indexOf(literals[i] as string, from);
    if (found < 0) return false;
    at = found + (literals[i] as string).length;
  }
  const end = literals[last] as string;
  return text.length - end.length >= at + (gaps[last - 1] as number) && text.endsWith(end);
}

/** The longest text with which every one of the globs starts. */
export function commonPrefix(globs: readonly Glob[]): string {
  let prefix = globs[0]?.literals[0] ?? "";
  for (const glob of globs) {
    const text = glob.literals[0] as string;
    let n = 0;
    while (n < prefix.length && n < text.length && prefix[n] === text[n]) n++;
    prefix = prefix.slice(0, n);
  }
  return isHighSurrogate(prefix.charCodeAt(prefix.length - 1)) ? prefix.slice(0, -1) : prefix;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
