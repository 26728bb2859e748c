import type {WireReader} from "@strata/proto";

/** A value of an attribute as a tree; bytes are Base64. */
export type AnyValue =
  | {readonly kind: "text" | "bytes"; readonly text: string}
  | {readonly kind: "bool"; readonly value: boolean}
  /** Digits, because 64 bits do not fit a number. */
  | {readonly kind: "int"; readonly digits: string}
  | {readonly kind: "double"; readonly value: number}
  | {readonly kind: "list"; readonly values: readonly AnyValue[]}
  | {readonly kind: "map"; readonly entries: readonly (readonly [string, AnyValue])[]}
  | {readonly kind: "none"};

/** Values may nest so deep: beyond, a request could exhaust the stack. */
export const MAX_DEPTH = 64;

/** Reads an AnyValue message that the reader stands in (see WireReader.enter). */
export function readAnyValue(r: WireReader, depth = 0): AnyValue {
  let value: AnyValue = {kind: "none"};
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 0x0a:
        value = {kind: "text", text: r.string()};
        break;
      case 0x10:
        value = {kind: "bool", value: r.bool()};
        break;
      case 0x18:
        value = {kind: "int", digits: BigInt.asIntN(64, r.uint64Exact()).toString()};
        break;
      case 0x21:
        value = {kind: "double", value: r.double()};
        break;
      case 0x2a:
        value = {kind: "list", values: readList(r, depth)};
        break;
      case 0x32:
        value = {kind: "map", entries: readMap(r, depth)};
        break;
      case 0x3a:
        value = {kind: "bytes", text: Buffer.from(r.view()).toString("base64")};
        break;
      default:
        r.skip(tag);
    }
  }
  return value;
}

function nested<T>(r: WireReader, depth: number, read: () => T): T {
  if (depth >= MAX_DEPTH) r.fail(`values nest deeper than ${MAX_DEPTH}`);
  const outer = r.enter();
  const value = read();
  r.leave(outer);
  return value;
}

function readList(r: WireReader, depth: number): AnyValue[] {
  const values: AnyValue[] = [];
  nested(r, depth, () => {
    while (r.pos < r.end) {
      const tag = r.uint32();
      if (tag === 0x0a) values.push(nested(r, depth, () => readAnyValue(r, depth + 1)));
      else r.skip(tag);
    }
  });
  return values;
}

function readMap(r: WireReader, depth: number): [string, AnyValue][] {
  const entries: [string, AnyValue][] = [];
  nested(r, depth, () => {
    while (r.pos < r.end) {
      const tag = r.uint32();
      if (tag === 0x0a) entries.push(readKeyValue(r, depth + 1));
      else r.skip(tag);
    }
  });
  return entries;
}

/** Reads a KeyValue field. */
export function readKeyValue(r: WireReader, depth = 0): [string, AnyValue] {
  return nested(r, depth, () => {
    let key = "";
    let value: AnyValue = {kind: "none"};
    while (r.pos < r.end) {
      const tag = r.uint32();
      if (tag === 0x0a) key = r.string();
      else if (tag === 0x12) value = nested(r, depth, () => readAnyValue(r, depth));
      else r.skip(tag);
    }
    return [key, value];
  });
}

/** The value as a label's. Compat: as the collector's library writes it. */
export function valueText(value: AnyValue): string {
  switch (value.kind) {
    case "text":
    case "bytes":
      return value.text;
    case "bool":
      return String(value.value);
    case "int":
      return value.digits;
    case "double":
      return doubleText(value.value);
    case "none":
      return "";
    default:
      return goHtmlSafe(jsonText(value));
  }
}

const doubleText = (value: number): string =>
  Number.isFinite(value)
    ? String(value)
    : `json: unsupported value: ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}`;

/** JSON with the keys of maps sorted. */
function jsonText(value: AnyValue): string {
  switch (value.kind) {
    case "list":
      return `[${value.values.map(jsonText).join(",")}]`;
    case "map": {
      const entries = [...new Map(value.entries)].sort(([a], [b]) => (a < b ? -1 : 1));
      return `{${entries.map(([key, v]) => `${JSON.stringify(key)}:${jsonText(v)}`).join(",")}}`;
    }
    case "none":
      return "null";
    case "text":
    case "bytes":
      return JSON.stringify(value.text);
    case "bool":
      return String(value.value);
    case "int":
      return value.digits;
    case "double":
      return Number.isFinite(value.value) ? String(value.value) : "null";
  }
}

/** Compat: Go's JSON escapes what HTML could misread. */
const goHtmlSafe = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
