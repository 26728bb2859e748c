import {goQuote} from "@strata/model";
import {formatFloat} from "./format-float.ts";
import {asciiQuote, formatInteger} from "./format-integer.ts";
import {padded, type Spec} from "./format-spec.ts";
import {GoDuration, GoHistogram, GoMap, GoSample, GoTime, printed, typeName, type Value} from "./values.ts";

/** A value by one of Go's verbs. What the verb does not fit is said in its place. */
export function formatValue(spec: Spec, verb: string, arg: Value): string {
  if (arg === undefined) return verb === "v" || verb === "T" ? padded(spec, "<nil>") : `%!${verb}(<nil>)`;
  if (verb === "T") return padded(spec, cut(spec, typeName(arg)));
  // `%w` is for errors only, of which templates have none.
  const text = verb === "w" ? undefined : byType(spec, verb, arg);
  return text ?? `%!${verb}(${typeName(arg)}=${byType(spec, "v", arg) ?? printed(arg)})`;
}

function byType(spec: Spec, verb: string, arg: NonNullable<Value>): string | undefined {
  if (typeof arg === "boolean") return verb === "t" || verb === "v" ? padded(spec, String(arg)) : undefined;
  if (typeof arg === "bigint") return formatInteger(spec, verb, arg);
  if (typeof arg === "number") return formatFloat(spec, verb, arg);
  if (typeof arg === "string") return formatString(spec, verb, arg);
  if (arg instanceof GoDuration && verb === "d") return formatInteger(spec, verb, BigInt(Math.trunc(arg.nanos)));
  // What has a text of its own is formatted as that text.
  if (arg instanceof GoTime || arg instanceof GoDuration || arg instanceof GoHistogram) {
    return formatString({...spec, goSyntax: false}, verb, printed(arg));
  }
  if (arg instanceof GoMap) return mapText(spec, verb, arg);
  if (arg instanceof GoSample) return sampleText(spec, verb, arg);
  if (Array.isArray(arg)) return `[${arg.map((item) => formatValue(spec, verb, item)).join(" ")}]`;
  return verb === "v" || verb === "s" ? padded(spec, printed(arg)) : undefined;
}

function sampleText(spec: Spec, verb: string, {labels, value}: GoSample): string {
  const [first, second] = spec.fieldNames ? ["Labels:", "Value:"] : ["", ""];
  return `&{${first}${mapText(spec, verb, labels)} ${second}${formatValue(spec, verb, value)}}`;
}

/** The verb goes to each key and value. */
function mapText(spec: Spec, verb: string, map: GoMap): string {
  const pairs = [...map.entries.keys()]
    .sort()
    .map((key) => `${formatValue(spec, verb, key)}:${formatValue(spec, verb, map.entries.get(key))}`);
  return spec.goSyntax ? `${typeName(map)}{${pairs.join(", ")}}` : `map[${pairs.join(" ")}]`;
}

function formatString(spec: Spec, verb: string, text: string): string | undefined {
  switch (verb) {
    case "v":
      return spec.goSyntax ? padded(spec, goQuote(cut(spec, text))) : padded(spec, cut(spec, text));
    case "s":
      return padded(spec, cut(spec, text));
    case "q":
      return padded(spec, quoted(spec, cut(spec, text)));
    case "x":
    case "X": {
      const hex = hexText(spec, text);
      return padded(spec, verb === "x" ? hex : hex.toUpperCase());
    }
    default:
      return undefined;
  }
}

/** `#` wants back quotes where there is nothing that they could not hold, `+` nothing beyond ASCII. */
function quoted(spec: Spec, text: string): string {
  if (spec.sharp && fitsBackQuotes(text)) return `\`${text}\``;
  return spec.plus ? asciiQuote(text) : goQuote(text);
}

const fitsBackQuotes = (text: string): boolean =>
  [...text].every((char) => char === "\t" || (char >= " " && char !== "`" && char !== "\x7f" && char !== "\ufeff"));

/** Two digits a byte, of at most `precision` bytes; a space parts them, `#` puts `0x` before all or each. */
function hexText({precision, sharp, space}: Spec, text: string): string {
  const bytes = Buffer.from(text).subarray(0, precision);
  if (bytes.length === 0) return "";
  const prefix = sharp ? "0x" : "";
  if (!space) return prefix + bytes.toString("hex");
  return Array.from(bytes, (byte) => prefix + byte.toString(16).padStart(2, "0")).join(" ");
}

const cut = ({precision}: Spec, text: string): string =>
  precision === undefined ? text : [...text].slice(0, precision).join("");
