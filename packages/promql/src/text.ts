import {goQuote} from "@strata/model";

/** Go's idea of a printable character, as far as error texts need it. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const NAMED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  "'": "\\'",
};

/** A character as Go's `%q` prints a rune: `'x'`. The end of input ("") prints as the replacement character. */
export function quoteRune(char: string): string {
  if (char === "") return "'\ufffd'";
  const named = NAMED[char];
  if (named !== undefined) return `'${named}'`;
  if (PRINTABLE.test(char)) return `'${char}'`;
  const code = char.codePointAt(0) as number;
  if (code < 0x80) return `'\\x${hex(code, 2)}'`;
  return code > 0xffff ? `'\\U${hex(code, 8)}'` : `'\\u${hex(code, 4)}'`;
}

/** A character as Go's `%#U` prints it: `U+0071 'q'`, without the quoted part where it is not printable. */
export function describeRune(char: string): string {
  const code = char.codePointAt(0) as number;
  const name = `U+${hex(code, 4).toUpperCase()}`;
  return PRINTABLE.test(char) ? `${name} '${char}'` : name;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");

/** `value` as Go's `'f'` format with the shortest digits that read back: no exponent, `NaN`, `+Inf`, `-Inf`, `-0`. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  const at = text.indexOf("e");
  return at < 0 ? text : expand(text.slice(0, at), Number(text.slice(at + 1)));
}

/** Writes out `mantissa × 10^exponent`. */
function expand(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.slice(sign.length).split(".");
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** `value` as C's `%.Nf`, also for numbers whose `toFixed` would give an exponent. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  if (Math.abs(value) < 1e21) return value.toFixed(decimals);
  return `${BigInt(value)}.${"0".repeat(decimals)}`;
}

/** `text` as Go's `%q` prints it, in a form that the lexer takes back, also for bytes that are not UTF-8. */
export function quote(text: string): string {
  if (text.isWellFormed() && !text.includes("\ufffd")) return goQuote(text);
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code === 0xfffd) out += "\\ufffd";
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${hex(code - 0xdc00, 2)}`;
    else out += goQuote(char).slice(1, -1);
  }
  return `"${out}"`;
}
