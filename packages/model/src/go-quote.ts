import {StrataError} from "@strata/base";

/** What Go's `strconv.IsPrint` lets stand unescaped: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
/** The common case, decided without looking at single characters. */
const PLAIN = /^[ !#-[\]-~]*$/;

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

const UNESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
  "'": 39,
  '"': 34,
};

/** `text` in double quotes, escaped as Go's `%q` does it: the form in which Prometheus prints label values. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text.toWellFormed()) out += escapeChar(char);
  return `${out}"`;
}

/** A label name as it stands in a label set's text: quoted unless it is a plain identifier. */
export const quoteLabelName = (name: string): string => (isLegacyLabelName(name) ? name : goQuote(name));

/** Names that were the only ones allowed before UTF-8 names: letters, digits and underscores, no digit first. */
export const isLegacyLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);

function escapeChar(char: string): string {
  const named = NAMED_ESCAPES[char];
  if (named !== undefined) return named;
  if (PRINTABLE.test(char)) return char;
  const code = char.codePointAt(0) as number;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * The text that a Go string literal stands for: `"…"` with escapes or `` `…` `` raw. Throws `bad_data` for anything
 * else ("invalid syntax", as Go says).
 */
export function goUnquote(literal: string): string {
  const quote = literal[0];
  const body = literal.slice(1, -1);
  if (literal.length < 2 || literal.at(-1) !== quote) throw invalid(literal);
  if (quote === "`") {
    if (body.includes("`")) throw invalid(literal);
    return body.replaceAll("\r", "");
  }
  if (quote !== '"') throw invalid(literal);
  if (!body.includes("\\")) {
    if (body.includes('"') || body.includes("\n")) throw invalid(literal);
    return body;
  }
  return unescaped(body, literal);
}

/** Escapes may spell single bytes (`\xc3\xa9`), so the text is put together as UTF-8 and decoded once. */
function unescaped(body: string, literal: string): string {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let i = 0; i < body.length; ) {
    const char = String.fromCodePoint(body.codePointAt(i) as number);
    i += char.length;
    if (char === '"' || char === "\n") throw invalid(literal);
    if (char !== "\\") {
      bytes.push(...encoder.encode(char));
      continue;
    }
    const kind = body[i++] ?? "";
    const simple = UNESCAPES[kind];
    if (simple !== undefined && kind !== "'") {
      bytes.push(simple);
      continue;
    }
    const [digits, radix] = escapeShape(kind, literal);
    const from = radix === 8 ? i - 1 : i;
    const text = body.slice(from, from + digits);
    const code = parseDigits(text, digits, radix, literal);
    i = from + digits;
    if (kind === "u" || kind === "U") {
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw invalid(literal);
      bytes.push(...encoder.encode(String.fromCodePoint(code)));
    } else {
      if (code > 255) throw invalid(literal);
      bytes.push(code);
    }
  }
  return new TextDecoder("utf-8", {ignoreBOM: true}).decode(Uint8Array.from(bytes));
}

function escapeShape(kind: string, literal: string): readonly [digits: number, radix: number] {
  if (kind === "x") return [2, 16];
  if (kind === "u") return [4, 16];
  if (kind === "U") return [8, 16];
  if (kind >= "0" && kind <= "7") return [3, 8];
  throw invalid(literal);
}

function parseDigits(text: string, digits: number, radix: number, literal: string): number {
  const allowed = radix === 16 ? /^[0-9a-fA-F]+$/ : /^[0-7]+$/;
  if (text.length !== digits || !allowed.test(text)) throw invalid(literal);
  return Number.parseInt(text, radix);
}

const invalid = (literal: string): StrataError =>
  new StrataError("bad_data", `cannot unquote ${literal}: invalid syntax`, {fields: {literal}});
