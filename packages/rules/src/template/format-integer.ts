import {goQuote} from "@strata/model";
import {padded, type Spec} from "./format-spec.ts";

/** The last character of Unicode. */
const MAX_RUNE = 0x10ffff;

/** An integer by one of Go's verbs; undefined where the verb is none for integers. */
export function formatInteger(spec: Spec, verb: string, v: bigint): string | undefined {
  switch (verb) {
    case "v":
    case "d":
      return inBase(spec, v, 10, "");
    case "b":
      return inBase(spec, v, 2, spec.sharp ? "0b" : "");
    case "o":
      return inBase(spec, v, 8, spec.sharp ? "0" : "");
    case "O":
      return inBase(spec, v, 8, spec.sharp ? "0o0" : "0o");
    case "x":
      return inBase(spec, v, 16, spec.sharp ? "0x" : "");
    case "X":
      return inBase(spec, v, 16, spec.sharp ? "0x" : "").toUpperCase();
    case "c":
      return padded(spec, rune(v));
    case "q":
      return padded(spec, quotedRune(rune(v), spec.plus));
    case "U":
      return unicode(spec, v);
    default:
      return undefined;
  }
}

/** Leading zeros come from a precision, or from the width with the flag `0`; the prefix stands before and beside them. */
function inBase(spec: Spec, v: bigint, base: number, prefix: string): string {
  const signed = v < 0n || spec.plus || spec.space;
  const sign = v < 0n ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  const zeros = spec.zero && !spec.minus && spec.width !== undefined ? spec.width - (signed ? 1 : 0) : 0;
  const blank = {...spec, zero: false};
  if (spec.precision === 0 && v === 0n) return padded(blank, "");
  const digits = (v < 0n ? -v : v).toString(base).padStart(spec.precision ?? zeros, "0");
  // An octal number that begins with a zero needs no other.
  const head =
    prefix === "0" && digits.startsWith("0") ? "" : prefix === "0o0" && digits.startsWith("0") ? "0o" : prefix;
  return padded(blank, sign + head + digits);
}

const rune = (code: bigint): string =>
  code >= 0n && code <= BigInt(MAX_RUNE) ? String.fromCodePoint(Number(code)).toWellFormed() : "\ufffd";

/** Between single quotes, escaped as in a literal of Go. */
function quotedRune(text: string, asciiOnly: boolean): string {
  if (text === "'") return "'\\''";
  if (text === '"') return "'\"'";
  return `'${(asciiOnly ? asciiQuote(text) : goQuote(text)).slice(1, -1)}'`;
}

/** `U+0078`, with `#` followed by the character itself where it can be printed. */
function unicode(spec: Spec, v: bigint): string {
  const digits = BigInt.asUintN(64, v)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, spec.precision ?? 0), "0");
  const isCharacter = v >= 0n && v <= BigInt(MAX_RUNE) && !(v >= 0xd800n && v <= 0xdfffn);
  const text = isCharacter ? rune(v) : "";
  const printable = spec.sharp && text !== "" && (text === "\\" || text === '"' || goQuote(text) === `"${text}"`);
  return padded({...spec, zero: false}, `U+${digits}${printable ? ` '${text}'` : ""}`);
}

/** As `goQuote`, with everything beyond ASCII escaped. */
export const asciiQuote = (text: string): string =>
  goQuote(text).replace(/[^\x20-\x7e]/gu, (char) => {
    const code = char.codePointAt(0) as number;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
