import {goQuote} from "@strata/model";
import {GoDuration, GoTime, printed, sharpV, typeName, type Value} from "./values.ts";

type Spec = {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
};

const SPEC = /%([-+# 0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(.)?/gsu;

/** Widest field and longest precision; Go has the same bound. */
const MAX_WIDTH = 1e6;

/** Go's `fmt.Sprintf`. */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  const star = (text: string | undefined): number | undefined => {
    if (text !== "*") return text === undefined ? undefined : Math.min(Number(text === "" ? "0" : text), MAX_WIDTH);
    const arg = args[next++];
    return typeof arg === "bigint" ? Math.min(Number(arg), MAX_WIDTH) : undefined;
  };
  const out = format.replace(SPEC, (_, flags: string, width?: string, precision?: string, verb?: string) => {
    if (verb === undefined) return "%!(NOVERB)";
    const spec = {flags, width: star(width), precision: star(precision), verb};
    if (verb === "%") return "%";
    if (next >= args.length) return `%!${verb}(MISSING)`;
    return formatted(spec, args[next++]);
  });
  if (next >= args.length) return out;
  const extra = args.slice(next).map((arg) => (arg === undefined ? "<nil>" : `${typeName(arg)}=${printed(arg)}`));
  return `${out}%!(EXTRA ${extra.join(", ")})`;
}

/** Go's `fmt.Sprint`: a space between operands neither of which is a string. */
export function sprint(args: readonly Value[]): string {
  return args
    .map((arg, i) => {
      const space = i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string";
      return (space ? " " : "") + (arg === undefined ? "<nil>" : printed(arg));
    })
    .join("");
}

/** Go's `fmt.Sprintln`. */
export const sprintln = (args: readonly Value[]): string =>
  `${args.map((arg) => (arg === undefined ? "<nil>" : printed(arg))).join(" ")}\n`;

function formatted(spec: Spec, arg: Value): string {
  const {verb} = spec;
  if (verb === "T") return padded(spec, typeName(arg));
  if (arg === undefined) return verb === "v" ? padded(spec, "<nil>") : `%!${verb}(<nil>)`;
  const value = arg instanceof GoDuration && verb === "d" ? BigInt(Math.trunc(arg.nanos)) : arg;
  const text = verb === "v" ? general(spec, value) : special(spec, value);
  return text ?? `%!${verb}(${typeName(arg)}=${printed(arg)})`;
}

function general(spec: Spec, arg: Value): string {
  if (spec.flags.includes("#")) return padded(spec, sharpV(arg));
  if (typeof arg === "number") return float({...spec, verb: "g"}, arg) as string;
  if (typeof arg === "bigint") return integer({...spec, verb: "d"}, arg) as string;
  return padded(spec, cut(spec, printed(arg)));
}

function special(spec: Spec, arg: Value): string | undefined {
  if (typeof arg === "boolean") return spec.verb === "t" ? padded(spec, String(arg)) : undefined;
  if (typeof arg === "bigint") return integer(spec, arg);
  if (typeof arg === "number") return float(spec, arg);
  if (typeof arg === "string") return stringText(spec, arg);
  if (Array.isArray(arg)) return `[${arg.map((item) => formatted(spec, item)).join(" ")}]`;
  const isText = spec.verb === "s" || spec.verb === "q";
  if (isText && (arg instanceof GoTime || arg instanceof GoDuration)) return stringText(spec, printed(arg));
  return spec.verb === "s" ? padded(spec, printed(arg)) : undefined;
}

function stringText(spec: Spec, arg: string): string | undefined {
  const text = cut(spec, arg);
  switch (spec.verb) {
    case "s":
      return padded(spec, text);
    case "q":
      return padded(spec, spec.flags.includes("#") && !text.includes("`") ? `\`${text}\`` : goQuote(text));
    case "x":
    case "X": {
      const hex = Buffer.from(text).toString("hex");
      return padded(spec, spec.verb === "x" ? hex : hex.toUpperCase());
    }
    default:
      return undefined;
  }
}

function integer(spec: Spec, arg: bigint): string | undefined {
  const {verb, flags} = spec;
  const magnitude = arg < 0n ? -arg : arg;
  switch (verb) {
    case "d":
      return number(spec, arg < 0n, digits(spec, magnitude.toString()), "");
    case "b":
      return number(spec, arg < 0n, digits(spec, magnitude.toString(2)), flags.includes("#") ? "0b" : "");
    case "o":
    case "O":
      return number(
        spec,
        arg < 0n,
        digits(spec, magnitude.toString(8)),
        verb === "O" ? "0o" : flags.includes("#") ? "0" : "",
      );
    case "x":
      return number(spec, arg < 0n, digits(spec, magnitude.toString(16)), flags.includes("#") ? "0x" : "");
    case "X":
      return number(
        spec,
        arg < 0n,
        digits(spec, magnitude.toString(16).toUpperCase()),
        flags.includes("#") ? "0X" : "",
      );
    case "c":
      return padded(spec, rune(arg));
    case "q":
      return padded(spec, `'${rune(arg)}'`);
    case "U":
      return padded(spec, `U+${magnitude.toString(16).toUpperCase().padStart(4, "0")}`);
    default:
      return undefined;
  }
}

const rune = (code: bigint): string =>
  code >= 0n && code <= 0x10ffffn ? String.fromCodePoint(Number(code)) : "\ufffd";

const digits = (spec: Spec, text: string): string => text.padStart(spec.precision ?? 0, "0");

function float(spec: Spec, arg: number): string | undefined {
  const verb = spec.verb.toLowerCase();
  if (!"efg".includes(verb)) return undefined;
  if (!Number.isFinite(arg)) {
    const name = Number.isNaN(arg) ? "NaN" : "Inf";
    const sign = arg < 0 ? "-" : spec.flags.includes("+") || (!Number.isNaN(arg) && spec.verb === "g") ? "+" : "";
    return padded({...spec, flags: spec.flags.replace("0", "")}, sign + name);
  }
  const magnitude = Math.abs(arg);
  const text =
    verb === "e"
      ? exponential(magnitude, spec.precision ?? 6)
      : verb === "f"
        ? fixed(magnitude, spec.precision ?? 6)
        : shortest(magnitude, spec.precision, spec.flags.includes("#"));
  const cased = spec.verb === verb ? text : text.toUpperCase();
  return number({...spec, precision: undefined}, arg < 0 || Object.is(arg, -0), cased, "");
}

function fixed(v: number, precision: number): string {
  if (v >= 1e21) return `${BigInt(v)}${precision > 0 ? `.${"0".repeat(precision)}` : ""}`;
  if (precision <= 100) return v.toFixed(precision);
  return v.toFixed(100) + "0".repeat(precision - 100);
}

/** Two digits of exponent at least. */
function exponential(v: number, precision: number): string {
  const [mantissa, exponent] = v.toExponential(Math.min(precision, 100)).split("e") as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** `%g`: `precision` significant digits (all that are needed if undefined), zeros at the end removed. */
function shortest(v: number, precision: number | undefined, keepZeros: boolean): string {
  if (v === 0) return "0";
  const wanted = precision === undefined ? undefined : Math.min(Math.max(precision, 1), 100);
  const scientific = wanted === undefined ? v.toExponential() : v.toExponential(wanted - 1);
  const [mantissa, exponentText] = scientific.split("e") as [string, string];
  const exponent = Number(exponentText);
  const trimmed = keepZeros || !mantissa.includes(".") ? mantissa : mantissa.replace(/\.?0+$/, "");
  const count = trimmed.replace(".", "").length;
  // Compat: a value that has its digits before the point is written out although the precision is smaller.
  const limit = wanted === undefined ? SHORTEST_LIMIT : wanted > count && count >= exponent + 1 ? count : wanted;
  if (exponent < -4 || exponent >= limit) {
    const sign = exponentText[0] as string;
    return `${trimmed}e${sign}${exponentText.slice(1).padStart(2, "0")}`;
  }
  const plain = v.toFixed(Math.min(100, Math.max(0, (wanted ?? count) - 1 - exponent)));
  return keepZeros || !plain.includes(".") ? plain : plain.replace(/\.?0+$/, "");
}

/** Exponent from which the shortest `%g` is written with one; Go takes six digits for that decision. */
const SHORTEST_LIMIT = 6;

function number(spec: Spec, negative: boolean, magnitude: string, prefix: string): string {
  const sign = negative ? "-" : spec.flags.includes("+") ? "+" : spec.flags.includes(" ") ? " " : "";
  const head = sign + prefix;
  const zeros = spec.flags.includes("0") && !spec.flags.includes("-") && spec.precision === undefined;
  if (zeros && spec.width !== undefined) return head + magnitude.padStart(spec.width - head.length, "0");
  return padded(spec, head + magnitude);
}

const cut = (spec: Spec, text: string): string =>
  spec.precision === undefined ? text : [...text].slice(0, spec.precision).join("");

function padded(spec: Spec, text: string): string {
  const missing = (spec.width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (spec.flags.includes("-")) return text + " ".repeat(missing);
  return (spec.flags.includes("0") ? "0" : " ").repeat(missing) + text;
}
