/** Kinds of tokens of Go's text/template inside and outside of `{{ }}`. */
export type TokenKind =
  | "text"
  | "left"
  | "right"
  | "space"
  | "identifier"
  | "keyword"
  | "field"
  | "variable"
  | "dot"
  | "nil"
  | "bool"
  | "number"
  | "char"
  | "string"
  | "pipe"
  | "declare"
  | "assign"
  | "("
  | ")"
  | "symbol"
  | "eof";

/** `at` is an index into the text in UTF-16 units. */
export type Token = {readonly kind: TokenKind; readonly text: string; readonly at: number};

/** A fault of the template's text, where it is. */
export class TemplateSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = "TemplateSyntaxError";
    this.at = at;
  }
}

const KEYWORDS = new Set(["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"]);
const ALPHANUMERIC = /[\p{L}\p{Nd}_]/u;
const SPACE = /[ \t\r\n]/;

/** Cuts a template into tokens. Trim markers and comments are gone afterwards. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    let trimmed = false;
    for (;;) {
      const open = this.#source.indexOf("{{", this.#at);
      const end = open < 0 ? this.#source.length : open;
      const trimsBefore = open >= 0 && this.#trimsAt(open + 2);
      let text = this.#source.slice(this.#at, end);
      if (trimmed) text = text.replace(/^[ \t\r\n]+/, "");
      const start = end - text.length;
      if (trimsBefore) text = text.replace(/[ \t\r\n]+$/, "");
      if (text !== "") this.#push("text", text, start);
      if (open < 0) {
        this.#push("eof", "", this.#source.length);
        return this.#tokens;
      }
      this.#at = open + 2 + (trimsBefore ? 2 : 0);
      trimmed = this.#source.startsWith("/*", this.#at) ? this.#comment(open) : this.#action(open);
    }
  }

  /** Whether a left delimiter that ends at `at` is followed by the trim marker. */
  #trimsAt(at: number): boolean {
    return this.#source[at] === "-" && SPACE.test(this.#source[at + 1] ?? "");
  }

  /** Skips a comment; says whether it trims what follows. */
  #comment(open: number): boolean {
    const close = this.#source.indexOf("*/", this.#at);
    if (close < 0) throw new TemplateSyntaxError("unclosed comment", open);
    const after = this.#source.slice(close + 2, close + 6);
    const end = /^(?:([ \t\r\n]-)?\}\})/.exec(after);
    if (end === null) throw new TemplateSyntaxError("comment ends before closing delimiter", open);
    this.#at = close + 2 + end[0].length;
    return end[1] !== undefined;
  }

  /** The tokens of one action; says whether its end trims what follows. */
  #action(open: number): boolean {
    this.#push("left", "{{", open);
    let parens = 0;
    for (;;) {
      const at = this.#at;
      const rest = this.#source[at];
      if (this.#source.startsWith("}}", at) || /^[ \t\r\n]-\}\}/.test(this.#source.slice(at, at + 4))) {
        if (parens > 0) throw new TemplateSyntaxError("unclosed left paren", at);
        const trims = rest !== "}";
        this.#push("right", "}}", at);
        this.#at = at + (trims ? 4 : 2);
        return trims;
      }
      if (rest === undefined) throw new TemplateSyntaxError("unclosed action", at);
      if (rest === "(") parens++;
      if (rest === ")" && --parens < 0) throw new TemplateSyntaxError("unexpected right paren", at);
      this.#inside(rest);
    }
  }

  #inside(char: string): void {
    const at = this.#at;
    const source = this.#source;
    if (SPACE.test(char)) {
      let end = at;
      while (SPACE.test(source[end] ?? "") && !/^[ \t\r\n]-\}\}/.test(source.slice(end, end + 4))) end++;
      this.#take("space", Math.max(end, at + 1));
    } else if (char === '"') this.#quoted('"', "string", "unterminated quoted string");
    else if (char === "`") this.#raw();
    else if (char === "'") this.#quoted("'", "char", "unterminated character constant");
    else if (char === "|") this.#take("pipe", at + 1);
    else if (char === "(" || char === ")") this.#take(char, at + 1);
    else if (char === ":") {
      if (source[at + 1] !== "=") throw new TemplateSyntaxError("expected :=", at);
      this.#take("declare", at + 2);
    } else if (char === "=") this.#take("assign", at + 1);
    else if (char === "$") this.#take("variable", this.#wordEnd(at + 1));
    else if (char === ".") this.#dot();
    else if (/[0-9+-]/.test(char)) this.#number();
    else if (ALPHANUMERIC.test(this.#charAt(at))) this.#word();
    else if (/[\x21-\x7e]/.test(char)) this.#take("symbol", at + 1);
    else throw new TemplateSyntaxError(`unrecognized character in action: ${runeName(this.#charAt(at))}`, at);
  }

  #dot(): void {
    const next = this.#source[this.#at + 1] ?? "";
    if (/[0-9]/.test(next)) this.#number();
    else {
      const end = this.#wordEnd(this.#at + 1);
      this.#take(end === this.#at + 1 ? "dot" : "field", end);
    }
  }

  #word(): void {
    const end = this.#wordEnd(this.#at);
    const word = this.#source.slice(this.#at, end);
    if (!this.#atTerminator(end)) {
      throw new TemplateSyntaxError(`bad character ${runeName(this.#charAt(end))}`, this.#at);
    }
    const kind = KEYWORDS.has(word)
      ? "keyword"
      : word === "true" || word === "false"
        ? "bool"
        : word === "nil"
          ? "nil"
          : "identifier";
    this.#take(kind, end);
  }

  #atTerminator(at: number): boolean {
    const next = this.#source[at];
    return next === undefined || /[ \t\r\n.,|:()=]/.test(next) || this.#source.startsWith("}}", at);
  }

  #number(): void {
    const rest = this.#source.slice(this.#at);
    const found =
      /^[+-]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)/.exec(
        rest,
      );
    const end = this.#at + (found?.[0].length ?? 1);
    if (found === null || ALPHANUMERIC.test(this.#charAt(end))) {
      const bad = this.#source.slice(this.#at, end + this.#charAt(end).length);
      throw new TemplateSyntaxError(`bad number syntax: ${JSON.stringify(bad)}`, this.#at);
    }
    this.#take("number", end);
  }

  #quoted(quote: string, kind: TokenKind, unterminated: string): void {
    let end = this.#at + 1;
    for (; this.#source[end] !== quote; end++) {
      if (this.#source[end] === "\\") end++;
      const char = this.#source[end];
      if (char === undefined || char === "\n") throw new TemplateSyntaxError(unterminated, this.#at);
    }
    this.#take(kind, end + 1);
  }

  #raw(): void {
    const end = this.#source.indexOf("`", this.#at + 1);
    if (end < 0) throw new TemplateSyntaxError("unterminated raw quoted string", this.#at);
    this.#take("string", end + 1);
  }

  #wordEnd(from: number): number {
    let end = from;
    for (let char = this.#charAt(end); char !== "" && ALPHANUMERIC.test(char); char = this.#charAt(end)) {
      end += char.length;
    }
    return end;
  }

  #charAt(at: number): string {
    const code = this.#source.codePointAt(at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #take(kind: TokenKind, end: number): void {
    this.#push(kind, this.#source.slice(this.#at, end), this.#at);
    this.#at = end;
  }

  #push(kind: TokenKind, text: string, at: number): void {
    this.#tokens.push({kind, text, at});
  }
}

/** A character as Go's `%#U`. */
function runeName(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return code < 0x20 || code === 0x7f ? name : `${name} '${char}'`;
}
