import {padded, type Spec} from "./format-spec.ts";

/** No double has more digits before or behind its point: what is asked for beyond is zeros. */
const MAX_DIGITS = 1100;
/** Exponent from which a number without a precision is written with one by `%g`. */
const SHORTEST_LIMIT = 6;

/** A float by one of Go's verbs; undefined where the verb is none for floats. */
export function formatFloat(spec: Spec, verb: string, v: number): string | undefined {
  const precision = spec.precision ?? ("feFE".includes(verb) ? 6 : undefined);
  const text = magnitudeText(verb, Math.abs(v), precision);
  if (text === undefined) return undefined;
  const negative = v < 0 || Object.is(v, -0);
  const sign = negative ? "-" : spec.space && !spec.plus ? " " : "+";
  if (!Number.isFinite(v)) {
    const bare = Number.isNaN(v) && !spec.space && !spec.plus;
    return padded({...spec, zero: false}, bare ? text : sign + text);
  }
  const whole = spec.sharp && verb !== "b" ? withPoint(text, verb, precision) : text;
  if (!spec.plus && sign === "+") return padded(spec, whole);
  const missing = (spec.width ?? 0) - whole.length - 1;
  if (spec.zero && !spec.minus && missing > 0) return sign + "0".repeat(missing) + whole;
  return padded(spec, sign + whole);
}

function magnitudeText(verb: string, v: number, precision: number | undefined): string | undefined {
  if (!"bgGxXfFeEv".includes(verb)) return undefined;
  if (Number.isNaN(v)) return "NaN";
  if (v === Number.POSITIVE_INFINITY) return "Inf";
  switch (verb) {
    case "b":
      return binary(v);
    case "x":
      return hexadecimal(v, precision);
    case "X":
      return hexadecimal(v, precision).toUpperCase();
    case "f":
    case "F":
      return fixed(v, precision ?? 6);
    case "e":
      return exponential(v, precision ?? 6);
    case "E":
      return exponential(v, precision ?? 6).toUpperCase();
    case "G":
      return general(v, precision).toUpperCase();
    default:
      return general(v, precision);
  }
}

function fixed(v: number, precision: number): string {
  const places = Math.min(precision, MAX_DIGITS);
  const digits = scaled(v, places)
    .toString()
    .padStart(places + 1, "0");
  const point = digits.length - places;
  const fraction = digits.slice(point) + "0".repeat(precision - places);
  return fraction === "" ? digits : `${digits.slice(0, point)}.${fraction}`;
}

function exponential(v: number, precision: number): string {
  const {digits, exponent} = decimal(v, Math.min(precision, MAX_DIGITS) + 1);
  return scientific(digits.padEnd(precision + 1, "0"), exponent);
}

function general(v: number, precision: number | undefined): string {
  const wanted = precision === undefined ? undefined : Math.max(precision, 1);
  const {digits: all, exponent} = wanted === undefined ? shortest(v) : decimal(v, Math.min(wanted, MAX_DIGITS));
  const digits = all.replace(/(?!^)0+$/, "");
  const count = digits === "0" ? 0 : digits.length;
  // Compat: a value that has its digits before the point is written out although the precision is smaller.
  const limit = wanted === undefined ? SHORTEST_LIMIT : wanted > count && count >= exponent + 1 ? count : wanted;
  if (v !== 0 && (exponent < -4 || exponent >= limit)) return scientific(digits, exponent);
  if (v === 0) return "0";
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return digits.length > exponent + 1 ? `${whole}.${digits.slice(exponent + 1)}` : whole;
}

/** `d.ddde±dd`, with two digits of exponent at least. */
function scientific(digits: string, exponent: number): string {
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

type Decimal = {readonly digits: string; readonly exponent: number};

/** The fewest digits that read back as the same number. */
function shortest(v: number): Decimal {
  const [mantissa = "", exponent = ""] = v.toExponential().split("e");
  return {digits: mantissa.replace(".", ""), exponent: Number(exponent)};
}

/** `count` digits, the first of them no zero but for 0 itself. */
function decimal(v: number, count: number): Decimal {
  if (v === 0) return {digits: "0".repeat(count), exponent: 0};
  let {exponent} = shortest(v);
  let digits = scaled(v, count - 1 - exponent).toString();
  // The shortest text may have been rounded up to the next power of ten, and so may this one.
  if (digits.length < count) digits = scaled(v, count - 1 - --exponent).toString();
  if (digits.length > count) exponent++;
  return {digits: digits.slice(0, count), exponent};
}

/**
 * v × 10^places as a whole number, exact halves to the even one, as Go rounds. Compat: `toFixed` and `toExponential` round
 * them up: 2.5 would become 3.
 */
function scaled(v: number, places: number): bigint {
  const {mantissa, exponent} = parts(v);
  const top = mantissa * (places > 0 ? 10n ** BigInt(places) : 1n) * (exponent > 0 ? 1n << BigInt(exponent) : 1n);
  const bottom = (places < 0 ? 10n ** BigInt(-places) : 1n) * (exponent < 0 ? 1n << BigInt(-exponent) : 1n);
  const quotient = top / bottom;
  const twice = 2n * (top % bottom);
  const up = twice > bottom || (twice === bottom && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** v = mantissa × 2^exponent, as its bits have it. */
function parts(v: number): {mantissa: bigint; exponent: number} {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, v);
  const word = bits.getBigUint64(0);
  const biased = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xfffffffffffffn;
  return biased === 0
    ? {mantissa: fraction, exponent: -1074}
    : {mantissa: fraction | (1n << 52n), exponent: biased - 1075};
}

/** `%b`: the mantissa and a power of two. */
function binary(v: number): string {
  const {mantissa, exponent} = parts(v);
  return `${mantissa}p${exponent < 0 ? "" : "+"}${exponent}`;
}

/** `%x`: `0x1.8p+01`, with `precision` hexadecimal digits behind the point. */
function hexadecimal(v: number, precision: number | undefined): string {
  if (v === 0) return `0x0${precision ? `.${"0".repeat(precision)}` : ""}p+00`;
  let {mantissa, exponent} = parts(v);
  for (; mantissa < 1n << 52n; exponent--) mantissa <<= 1n;
  exponent += 52;
  const cut = precision === undefined ? 0 : Math.max(0, 13 - precision);
  if (cut > 0) {
    const unit = 1n << BigInt(4 * cut);
    const twice = 2n * (mantissa % unit);
    mantissa /= unit;
    if (twice > unit || (twice === unit && (mantissa & 1n) === 1n)) mantissa++;
    mantissa *= unit;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, "0");
  const fraction =
    precision === undefined ? digits.replace(/0+$/, "") : digits.slice(0, precision).padEnd(precision, "0");
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return `0x1${fraction === "" ? "" : `.${fraction}`}p${power}`;
}

/** `#`: with a point in any case, and with the zeros that `%g` leaves out. */
function withPoint(text: string, verb: string, precision: number | undefined): string {
  const at = text.search(/[pP]/) >= 0 ? text.search(/[pP]/) : verb === "x" || verb === "X" ? -1 : text.search(/[eE]/);
  const [number, tail] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
  const keepsDigits = "vgGx".includes(verb);
  // Compat: the `x` of `0x` counts as a digit, as in Go.
  const significant = number.replace(".", "").replace(/^0+/, "").length;
  const wanted = keepsDigits ? (precision ?? SHORTEST_LIMIT) : 0;
  const point = number.includes(".") ? "" : ".";
  const counted = significant + (point !== "" && number === "0" ? 1 : 0);
  return number + point + "0".repeat(Math.max(0, wanted - counted)) + tail;
}
