import type {Labels} from "@strata/model";

/** JSON as Go writes it: `<`, `>`, `&` and the two line separators escaped. bigint values are printed as numbers. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? raw(v.toString()) : v));
  return escaped(text);
}

/** A label set as an object. PERF: straight from the pairs; making the object first took most of a large answer's time. */
export function labelsJson({pairs}: Labels): string {
  let text = "{";
  for (let i = 0; i < pairs.length; i += 2) {
    text += `${i === 0 ? "" : ","}${JSON.stringify(pairs[i])}:${JSON.stringify(pairs[i + 1])}`;
  }
  return escaped(`${text}}`);
}

const escaped = (text: string): string =>
  /[<>&\u2028\u2029]/.test(text) ? text.replace(/[<>&\u2028\u2029]/g, unicodeEscape) : text;

/** A time in ms as an int64: what a double cannot hold is taken as the type's end. */
export function int64Json(value: number): unknown {
  if (value >= 2 ** 63) return raw("9223372036854775807");
  if (value <= -(2 ** 63)) return raw("-9223372036854775808");
  return Math.abs(value) > Number.MAX_SAFE_INTEGER ? raw(BigInt(value).toString()) : value;
}

/** The engine has had `JSON.rawJSON` since V8 11.4; TypeScript's library does not know it yet. */
const raw = (text: string): unknown => (JSON as unknown as {rawJSON(text: string): unknown}).rawJSON(text);

const unicodeEscape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
