import {goQuote} from "@strata/model";
import {SyntaxFault} from "./parse-error.ts";
import {describeRune, quoteRune} from "./text.ts";
import {DURATION, EOF, IDENTIFIER, NUMBER, STRING, type Token, type TokenType, wordType} from "./token.ts";

const isSpace = (c: string): boolean => c === " " || c === "\t" || c === "\n" || c === "\r";
const isDigit = (c: string): boolean => c >= "0" && c <= "9";
const isAlpha = (c: string): boolean => c === "_" || (c >= "a" && c <= "z") || (c >= "A" && c <= "Z");
const isAlphaNumeric = (c: string): boolean => isAlpha(c) || isDigit(c);

const DIGITS = "0123456789";
const HEX_DIGITS = "0123456789abcdefABCDEF";

/**
 * Cuts PromQL into tokens, one `next()` at a time: what an error says depends on how far the lexer has got, so it never
 * runs ahead. Inside braces only matchers are known, inside brackets only durations. Faults name the place where the
 * token at hand began, as Prometheus' lexer does (`promql/parser/lex.go`).
 */
export class Lexer {
  readonly #input: string;
  /** Byte offset of every code unit; undefined for plain ASCII, where they are the same. */
  readonly #bytes: Uint32Array | undefined;
  #pos = 0;
  #start = 0;
  #parenDepth = 0;
  #braceOpen = false;
  #bracketOpen = false;
  #gotColon = false;
  #gotDuration = false;
  /** Between `[` and its first number or keyword, where only a duration expression may stand. */
  #inDuration = false;

  constructor(input: string) {
    this.#input = input;
    this.#bytes = byteOffsets(input);
  }

  /** The next token that is no comment; after the end, `eof` again and again. */
  next(): Token {
    for (;;) {
      this.#start = this.#pos;
      const c = this.#peek();
      if (isSpace(c)) this.#pos++;
      else if (c === "#" && !this.#inDuration) this.#skipComment();
      else if (this.#braceOpen) return this.#insideBraces();
      else return this.#inDuration ? this.#insideDuration() : this.#statement();
    }
  }

  #statement(): Token {
    const c = this.#take();
    if (c === "") {
      if (this.#parenDepth !== 0) this.#fail("unclosed left parenthesis");
      if (this.#bracketOpen) this.#fail("unclosed left bracket");
      return this.#emit(EOF);
    }
    if (isDigit(c) || (c === "." && isDigit(this.#peek()))) return this.#numberOrDuration();
    if (isAlpha(c) || c === ":") return this.#bracketOpen ? this.#wordInBrackets(c) : this.#word();
    switch (c) {
      case ",":
      case "*":
      case "/":
      case "%":
      case "+":
      case "-":
      case "^":
      case "@":
        return this.#emit(c);
      case "=":
        if (this.#accept("=")) return this.#emit("==");
        if (this.#peek() === "~") this.#fail(`unexpected character after '=': ${quoteRune("~")}`);
        return this.#emit("=");
      case "!": {
        const after = this.#take();
        if (after !== "=") this.#fail(`unexpected character after '!': ${quoteRune(after)}`);
        return this.#emit("!=");
      }
      case "<":
        return this.#emit(this.#accept("=") ? "<=" : this.#accept("/") ? "</" : "<");
      case ">":
        return this.#emit(this.#accept("=") ? ">=" : this.#accept("/") ? ">/" : ">");
      case '"':
      case "'":
        return this.#string(c);
      case "`":
        return this.#rawString();
      case "(":
      case ")":
        return this.#paren(c);
      case "{":
        this.#braceOpen = true;
        return this.#emit("{");
      case "[":
        return this.#leftBracket();
      case "]":
        if (!this.#bracketOpen) this.#fail(`unexpected right bracket ${quoteRune(c)}`);
        this.#bracketOpen = false;
        return this.#emit("]");
      default:
        return this.#fail(`unexpected character: ${quoteRune(c)}`);
    }
  }

  #paren(c: "(" | ")"): Token {
    this.#parenDepth += c === "(" ? 1 : -1;
    const token = this.#emit(c);
    if (this.#parenDepth < 0) {
      this.#start = this.#pos;
      this.#fail(`unexpected right parenthesis ${quoteRune(c)}`);
    }
    return token;
  }

  #leftBracket(): Token {
    if (this.#bracketOpen) this.#fail(`unexpected left bracket ${quoteRune("[")}`);
    this.#gotColon = false;
    this.#gotDuration = false;
    this.#bracketOpen = true;
    this.#inDuration = true;
    return this.#emit("[");
  }

  /** After the first number or word in brackets: the colon and the words of duration expressions. */
  #wordInBrackets(c: string): Token {
    if (c === ":") {
      if (this.#gotColon) this.#fail(`unexpected colon ${quoteRune(c)}`);
      this.#gotColon = true;
      return this.#emit(":");
    }
    return this.#durationWord() ?? this.#fail(`unexpected character: ${quoteRune(c)}, expected ${quoteRune(":")}`);
  }

  #insideDuration(): Token {
    const c = this.#take();
    if (isDigit(c) || (c === "." && isDigit(this.#peek()))) {
      this.#gotDuration = true;
      this.#inDuration = false;
      return this.#numberOrDuration();
    }
    switch (c) {
      case "":
        return this.#fail("unexpected end of input in duration expression");
      case "]":
        this.#bracketOpen = false;
        this.#inDuration = false;
        return this.#emit("]");
      case ":":
        if (!this.#gotDuration) {
          this.#start = this.#pos;
          this.#fail("unexpected colon before duration in duration expression");
        }
        this.#gotColon = true;
        return this.#emit(":");
      case "(":
      case ")":
        return this.#paren(c);
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
      case "^":
      case ",":
        return this.#emit(c);
    }
    const word = /[smr]/i.test(c) ? this.#durationWord() : undefined;
    if (word === undefined) return this.#fail(`unexpected character in duration expression: ${quoteRune(c)}`);
    // Compat: only a number counts as a duration before a colon.
    return word;
  }

  /** `step`, `range`, `max_of` or `min_of` from the character already taken, else undefined. */
  #durationWord(): Token | undefined {
    while (isAlpha(this.#peek())) this.#pos++;
    const word = this.#input.slice(this.#start, this.#pos).toLowerCase();
    return /^(step|range|max_of|min_of)$/.test(word) ? this.#emit(word) : undefined;
  }

  #insideBraces(): Token {
    const c = this.#take();
    if (isAlpha(c)) {
      while (isAlphaNumeric(this.#peek())) this.#pos++;
      return this.#emit(IDENTIFIER);
    }
    switch (c) {
      case "":
        return this.#fail("unexpected end of input inside braces");
      case ",":
        return this.#emit(",");
      case '"':
      case "'":
        return this.#string(c);
      case "`":
        return this.#rawString();
      case "=":
        return this.#emit(this.#accept("~") ? "=~" : "=");
      case "!": {
        const after = this.#take();
        if (after === "~") return this.#emit("!~");
        if (after === "=") return this.#emit("!=");
        return this.#fail(`unexpected character after '!' inside braces: ${quoteRune(after)}`);
      }
      case "{":
        return this.#fail(`unexpected left brace ${quoteRune(c)}`);
      case "}":
        this.#braceOpen = false;
        return this.#emit("}");
      default:
        return this.#fail(`unexpected character inside braces: ${quoteRune(c)}`);
    }
  }

  #word(): Token {
    while (isAlphaNumeric(this.#peek()) || this.#peek() === ":") this.#pos++;
    const word = this.#input.slice(this.#start, this.#pos);
    const type = wordType(word);
    // The fill words became keywords late: they are ones only where they look like a call.
    if (type.startsWith("fill") && !/^[ \t\r\n]*\(/.test(this.#input.slice(this.#pos, this.#pos + FILL_LOOK_AHEAD))) {
      return this.#emit(IDENTIFIER);
    }
    return this.#emit(type);
  }

  #string(quote: string): Token {
    for (;;) {
      const c = this.#take();
      if (c === "\\") this.#escape(quote);
      else if (c === "\ufffd") this.#fail("invalid UTF-8 rune");
      else if (c === "" || c === "\n") this.#fail("unterminated quoted string");
      else if (c === quote) return this.#emit(STRING);
    }
  }

  #rawString(): Token {
    for (;;) {
      const c = this.#take();
      if (c === "\ufffd") this.#fail("invalid UTF-8 rune");
      else if (c === "") this.#fail("unterminated raw string");
      else if (c === "`") return this.#emit(STRING);
    }
  }

  #escape(quote: string): void {
    const c = this.#take();
    if (c === quote || (c !== "" && "abfnrtv\\".includes(c))) return;
    if (c === "") this.#fail("escape sequence not terminated");
    if (c >= "0" && c <= "7") {
      this.#pos--;
      this.#digits(3, 8, 255);
    } else if (c === "x") this.#digits(2, 16, 255);
    else if (c === "u") this.#digits(4, 16, 0x10ffff);
    else if (c === "U") this.#digits(8, 16, 0x10ffff);
    else this.#fail(`unknown escape sequence ${describeRune(c)}`);
  }

  #digits(count: number, base: number, max: number): void {
    let value = 0;
    for (let n = 0; n < count; n++) {
      const c = this.#take();
      if (c === "") this.#fail("escape sequence not terminated");
      const digit = HEX_DIGITS.includes(c) ? Number.parseInt(c, 16) : base;
      if (digit >= base) this.#fail(`illegal character ${describeRune(c)} in escape sequence`);
      value = value * base + digit;
    }
    if (value > max || (value >= 0xd800 && value < 0xe000))
      this.#fail("escape sequence is an invalid Unicode code point");
  }

  #numberOrDuration(): Token {
    this.#pos = this.#start;
    if (this.#scanNumber()) return this.#emit(NUMBER);
    if (this.#scanRestOfDuration()) return this.#emit(DURATION);
    return this.#fail(`bad number or duration syntax: ${goQuote(this.#input.slice(this.#start, this.#pos))}`);
  }

  /**
   * Decimal and hexadecimal numbers with single underscores. False leaves the position behind what it has read, which
   * is what the error message shows and where the unit of a duration is looked for.
   */
  #scanNumber(): boolean {
    let digits = DIGITS;
    if (this.#accept("0") && this.#acceptAny("xX")) {
      this.#accept("_");
      digits = HEX_DIGITS;
    }
    this.#accept(".");
    this.#acceptAny(digits);
    let dot = false;
    let exponent = false;
    for (let c = this.#peek(); c !== "" && `${digits}._eE`.includes(c); c = this.#peek()) {
      if (c === ".") {
        this.#pos++;
        if (dot || this.#acceptAny("_.") || digits === HEX_DIGITS) return false;
        dot = true;
      } else if (c === "e" || c === "E") {
        this.#pos++;
        if (exponent) return false;
        exponent = true;
        this.#acceptAny("+-");
        if (this.#acceptAny("._eE") || this.#peek() === "") return false;
      } else if (c === "_") {
        this.#pos++;
        if (this.#acceptAny("._eE") || this.#peek() === "") return false;
      } else this.#pos++;
    }
    return !isAlphaNumeric(this.#peek());
  }

  /** The units and further groups behind the digits that `#scanNumber` took. */
  #scanRestOfDuration(): boolean {
    if (!this.#acceptAny("smhdwy")) return false;
    this.#accept("s");
    while (this.#acceptAny(DIGITS)) {
      while (this.#acceptAny(DIGITS));
      if (!this.#acceptAny("smhdw")) return false;
      this.#accept("s");
    }
    if (!isAlphaNumeric(this.#peek())) return true;
    this.#pos++;
    return false;
  }

  #skipComment(): void {
    const end = this.#input.indexOf("\n", this.#pos);
    this.#pos = end < 0 ? this.#input.length : end;
  }

  #peek(): string {
    return this.#pos < this.#input.length ? String.fromCodePoint(this.#input.codePointAt(this.#pos) as number) : "";
  }

  #take(): string {
    const c = this.#peek();
    this.#pos += c.length;
    return c;
  }

  #accept(c: string): boolean {
    if (this.#input[this.#pos] !== c) return false;
    this.#pos++;
    return true;
  }

  #acceptAny(chars: string): boolean {
    const c = this.#input[this.#pos];
    return c !== undefined && chars.includes(c) && this.#accept(c);
  }

  #emit(type: TokenType): Token {
    const text = this.#input.slice(this.#start, this.#pos);
    return {type, text, start: this.#byte(this.#start), end: this.#byte(this.#pos)};
  }

  #byte(index: number): number {
    return this.#bytes === undefined ? index : (this.#bytes[index] as number);
  }

  #fail(message: string): never {
    throw new SyntaxFault({start: this.#byte(this.#start), end: this.#byte(this.#input.length)}, message);
  }
}

/** Spaces looked at between a fill word and its parenthesis; bounds the work for a text of many such words. */
const FILL_LOOK_AHEAD = 256;

function byteOffsets(input: string): Uint32Array | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: asks for "only ASCII"
  if (/^[\x00-\x7f]*$/.test(input)) return undefined;
  const offsets = new Uint32Array(input.length + 1);
  let bytes = 0;
  for (let i = 0; i < input.length; i++) {
    offsets[i] = bytes;
    const code = input.codePointAt(i) as number;
    if (code > 0xffff) {
      offsets[++i] = bytes;
      bytes += 4;
    } else bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
  }
  offsets[input.length] = bytes;
  return offsets;
}
