import {isUtf8} from "node:buffer";
import {StrataError} from "@strata/base";
import {goQuote, parsePrometheusDuration} from "@strata/model";
import type {NumberLiteral, StringLiteral} from "./ast.ts";
import {DURATION, type Token} from "./token.ts";
import {fail} from "./token-stream.ts";

/** The number or duration that a token spells. */
export function numberLiteral(token: Token): NumberLiteral {
  const duration = token.type === DURATION;
  const value = duration ? durationSeconds(token) : numberValue(token);
  return {kind: "number", value, duration, pos: {start: token.start, end: token.end}};
}

function durationSeconds(token: Token): number {
  try {
    return parsePrometheusDuration(token.text) / 1000;
  } catch (err) {
    if (err instanceof StrataError) return fail(token, err.message);
    throw err;
  }
}

/** First as an integer whose prefix tells its base (so `010` is 8), then as a float. */
function numberValue(token: Token): number {
  const text = token.text.replaceAll("_", "");
  if (/^inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number(text);
  if (/^0[0-7]+$/.test(text)) return Number(`0o${text.slice(1)}`);
  if (!/^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return badNumber(token, "invalid syntax");
  const value = Number(text);
  return Number.isFinite(value) ? value : badNumber(token, "value out of range");
}

const badNumber = (token: Token, reason: string): never =>
  fail(token, `error parsing number: strconv.ParseFloat: parsing ${goQuote(token.text)}: ${reason}`);

export const stringLiteral = (token: Token): StringLiteral => ({
  kind: "string",
  value: unquote(token),
  pos: {start: token.start, end: token.end},
});

const SIMPLE: Readonly<Record<string, number>> = {a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11};

/**
 * The text of a string token. The lexer has checked its escapes; some of them spell single bytes, and bytes that are not
 * UTF-8 become the lone surrogates U+DC80…U+DCFF (so `isWellFormed()` tells, and printing gives the bytes back).
 */
export function unquote(token: Token): string {
  const body = token.text.slice(1, -1);
  if (token.text.startsWith("`") || !body.includes("\\")) return body;
  const parts: Uint8Array[] = [];
  const encode = (text: string): number => parts.push(Buffer.from(text, "utf8"));
  for (let i = 0; i < body.length; ) {
    const next = body.indexOf("\\", i);
    if (next !== i) {
      encode(body.slice(i, next < 0 ? body.length : next));
      i = next < 0 ? body.length : next;
      continue;
    }
    const kind = body[i + 1] as string;
    const digits = ESCAPE_DIGITS[kind] ?? (kind >= "0" && kind <= "7" ? 3 : 0);
    if (digits === 0) {
      parts.push(Uint8Array.of(SIMPLE[kind] ?? kind.charCodeAt(0)));
      i += 2;
      continue;
    }
    const octal = digits === 3;
    const from = octal ? i + 1 : i + 2;
    const code = Number.parseInt(body.slice(from, from + digits), octal ? 8 : 16);
    if (digits >= 4) encode(String.fromCodePoint(code));
    else parts.push(Uint8Array.of(code));
    i = from + digits;
  }
  return decodeBytes(Buffer.concat(parts));
}

function decodeBytes(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString("utf8");
  let out = "";
  for (let i = 0; i < bytes.length; ) {
    let length = 4;
    while (length > 1 && (i + length > bytes.length || !isCharacter(bytes, i, length))) length--;
    const first = bytes[i] as number;
    if (length > 1) out += Buffer.from(bytes.subarray(i, i + length)).toString("utf8");
    else out += String.fromCharCode(first < 0x80 ? first : 0xdc00 + first);
    i += length;
  }
  return out;
}

const isCharacter = (bytes: Uint8Array, at: number, length: number): boolean =>
  (bytes[at] as number) >= 0xc0 && isUtf8(bytes.subarray(at, at + length));

const ESCAPE_DIGITS: Readonly<Record<string, number>> = {x: 2, u: 4, U: 8};
