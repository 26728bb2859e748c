import {callError} from "./call-error.ts";
import {sprint, sprintf, sprintln} from "./printf.ts";
import {htmlEscape, jsEscape, queryEscape} from "./text-functions.ts";
import {GoMap, printed, truth, typeName, type Value} from "./values.ts";

/** The comparison of two values: -1, 0, 1. Go compares only values of one basic kind. */
function compared(a: Value, b: Value): number {
  const kinds = [basicKind(a), basicKind(b)];
  if (kinds[0] !== kinds[1]) {
    throw callError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
  }
  const [x, y] = [a, b] as [number, number];
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
}

function basicKind(v: Value): string {
  if (typeof v === "object" || v === undefined) throw callError("invalid type for comparison");
  return typeof v;
}

function ordered(test: (order: number) => boolean): (args: readonly Value[]) => Value {
  return ([a, b]) => {
    if (typeof a === "boolean" && typeof b === "boolean") throw callError("invalid type for comparison");
    return test(compared(a, b));
  };
}

/** `eq A B C…`: whether A equals any of the others. */
function equal([first, ...others]: readonly Value[]): boolean {
  if (others.length === 0) throw callError("missing argument for comparison");
  return others.some((other) => {
    if (first === undefined || other === undefined) return first === other;
    if (typeof first === "object" || typeof other === "object") {
      const culprit = typeof first === "object" ? first : other;
      throw callError(`non-comparable type ${printed(culprit)}: ${typeName(culprit)}`);
    }
    return compared(first, other) === 0;
  });
}

function length([v]: readonly Value[]): bigint {
  if (typeof v === "string") return BigInt(Buffer.byteLength(v));
  if (v instanceof GoMap) return BigInt(v.entries.size);
  if (Array.isArray(v)) return BigInt(v.length);
  if (v === undefined) throw callError("len of nil pointer");
  throw callError(`len of type ${typeName(v)}`);
}

function index([item, ...keys]: readonly Value[]): Value {
  let at = item;
  for (const key of keys) {
    if (at instanceof GoMap) {
      if (typeof key !== "string") {
        throw callError(`value has type ${typeName(key)}; should be string`);
      }
      at = at.entries.get(key) ?? (at.any ? undefined : "");
    } else if (Array.isArray(at)) at = (at as readonly Value[])[position(key, at.length)];
    else if (typeof at === "string") at = BigInt(Buffer.from(at)[position(key, Buffer.byteLength(at))] as number);
    else throw callError(at === undefined ? "index of untyped nil" : `can't index item of type ${typeName(at)}`);
  }
  return at;
}

function position(key: Value, count: number): number {
  if (typeof key !== "bigint") {
    throw callError(
      key === undefined ? "cannot index slice/array with nil" : `cannot index slice/array with type ${typeName(key)}`,
    );
  }
  if (key < 0n || key >= BigInt(count)) throw callError(`index out of range: ${key}`);
  return Number(key);
}

function slice([item, ...bounds]: readonly Value[]): Value {
  const isText = typeof item === "string";
  if (!isText && !Array.isArray(item)) {
    throw callError(item === undefined ? "slice of untyped nil" : `can't slice item of type ${typeName(item)}`);
  }
  if (bounds.length > 2)
    throw callError(isText ? "cannot 3-index slice a string" : `too many slice indexes: ${bounds.length}`);
  const whole = isText ? Buffer.from(item) : (item as readonly Value[]);
  const [from, to] = [edge(bounds[0], 0, whole.length), edge(bounds[1], whole.length, whole.length)];
  if (from > to) throw callError(`invalid slice index: ${from} > ${to}`);
  const part = whole.slice(from, to);
  return isText ? (part as Buffer).toString() : (part as readonly Value[]);
}

function edge(bound: Value, otherwise: number, count: number): number {
  if (bound === undefined) return otherwise;
  if (typeof bound !== "bigint") throw callError(`cannot index slice/array with type ${typeName(bound)}`);
  if (bound < 0n || bound > BigInt(count)) throw callError(`index out of range: ${bound}`);
  return Number(bound);
}

/** Functions that every Go template has. `and` and `or`, which stop early, are the executor's own. */
export const BUILTINS: ReadonlyMap<
  string,
  {readonly min: number; readonly max: number; call(args: readonly Value[]): Value}
> = new Map(
  (
    [
      ["and", 1, Infinity, () => undefined],
      ["or", 1, Infinity, () => undefined],
      ["not", 1, 1, ([v]) => !truth(v)],
      ["eq", 1, Infinity, equal],
      ["ne", 2, 2, (args) => !equal(args)],
      ["lt", 2, 2, ordered((order) => order < 0)],
      ["le", 2, 2, ordered((order) => order <= 0)],
      ["gt", 2, 2, ordered((order) => order > 0)],
      ["ge", 2, 2, ordered((order) => order >= 0)],
      ["len", 1, 1, length],
      ["index", 1, Infinity, index],
      ["slice", 1, Infinity, slice],
      ["print", 0, Infinity, sprint],
      ["printf", 1, Infinity, ([format, ...rest]) => sprintf(String(format), rest)],
      ["println", 0, Infinity, sprintln],
      ["html", 1, Infinity, (args) => htmlEscape(sprint(args))],
      ["js", 1, Infinity, (args) => jsEscape(sprint(args))],
      ["urlquery", 1, Infinity, (args) => queryEscape(sprint(args))],
      [
        "call",
        1,
        Infinity,
        ([v]) => {
          throw callError(v === undefined ? "call of nil" : `non-function ${printed(v)} of type ${typeName(v)}`);
        },
      ],
    ] as [string, number, number, (args: readonly Value[]) => Value][]
  ).map(([name, min, max, call]) => [name, {min, max, call}]),
);
