import {compareUtf8} from "@strata/model";

/** A JSON value to print: objects keep their order, a Map prints its keys sorted as Go sorts a map's, undefined is left out. */
export type GoJson =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly GoJson[]
  | ReadonlyMap<string, GoJson>
  | {readonly [key: string]: GoJson};

/** What Go's encoder escapes for the sake of HTML, and the two line separators. */
const HTML = /[<>&\u2028\u2029]/g;

/** JSON as Go's `encoding/json` prints it with one tab a level; no newline at the end. */
export function goJson(value: GoJson): string {
  return print(value, "\n");
}

function print(value: GoJson, line: string): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return scalar(value);
  const inner = `${line}\t`;
  if (Array.isArray(value)) {
    const items = (value as readonly GoJson[]).map((item) => inner + print(item, inner));
    return items.length === 0 ? "[]" : `[${items.join(",")}${line}]`;
  }
  const entries =
    value instanceof Map
      ? [...(value as ReadonlyMap<string, GoJson>)].sort(([a], [b]) => compareUtf8(a, b))
      : Object.entries(value as {readonly [key: string]: GoJson});
  const fields = entries
    .filter(([, field]) => field !== undefined)
    .map(([key, field]) => `${inner}${scalar(key)}: ${print(field, inner)}`);
  return fields.length === 0 ? "{}" : `{${fields.join(",")}${line}}`;
}

const scalar = (value: string | number | boolean): string =>
  typeof value === "string"
    ? JSON.stringify(value.toWellFormed()).replace(
        HTML,
        (char) => `\\u${(char.codePointAt(0) as number).toString(16).padStart(4, "0")}`,
      )
    : JSON.stringify(value);

/** A parsed JSON value of free form, with every object as a Map, so that its keys print sorted (as Go does with `any`). */
export function freeJson(value: unknown): GoJson {
  if (Array.isArray(value)) return value.map(freeJson);
  if (typeof value !== "object" || value === null) return value as string | number | boolean | null;
  return new Map(Object.entries(value).map(([key, field]) => [key, freeJson(field)]));
}
