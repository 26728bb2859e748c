// Points of a query's answer as JSON: `[1700000000,"0.25"],[1700000060.5,"1e-07"]`, floats with the fewest digits that
// read back as the same number (of those the nearest), as the Schubfach algorithm finds them: of the decimal numbers
// between a float's neighbours the shortest, by three multiplications with a power of ten of 128 bits.

/** 10^e of 128 bits, rounded up: two words (high, low) for each e from LEAST_POWER on. Filled by the caller. */
const LEAST_POWER: i32 = -292;
const POWERS: i32 = 617;
const powers: usize = memory.data(617 * 16, 16);

/** Digits of a number: 24 characters, right-aligned. */
const digits: usize = memory.data(32, 16);
/** Where those begin that are no leading zero, and end those that are no trailing one. */
let first: u32 = 0;
let last: u32 = 0;
/** A float is `decimal` × 10^`exponent`. */
let decimal: u64 = 0;
let exponent: i32 = 0;

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIDDEN: u64 = 1 << 52;

export function decimalPowers(): usize {
  return powers;
}

export function decimalPowerCount(): i32 {
  return POWERS;
}

/** The upper half of a × b. */
@inline function mulHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffff_ffff;
  const a1 = a >> 32;
  const b0 = b & 0xffff_ffff;
  const b1 = b >> 32;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = ((a0 * b0) >> 32) + (p01 & 0xffff_ffff) + (p10 & 0xffff_ffff);
  return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

/** The upper 64 bits of c × (high, low), the lowest bit set if anything was lost. */
@inline function scaled(high: u64, low: u64, c: u64): u64 {
  const carried = high * c;
  const sum = carried + mulHigh(low, c);
  return (mulHigh(high, c) + u64(sum < carried)) | u64(sum > 1);
}

/** Sets `decimal` and `exponent` for a positive finite float. */
function shortest(bits: u64): void {
  const fraction = bits & (HIDDEN - 1);
  const biased = <i32>(bits >> 52);
  const c: u64 = biased == 0 ? fraction : fraction | HIDDEN;
  const q: i32 = (biased == 0 ? 1 : biased) - 1075;
  if (q <= 0 && q > -53 && (c & ((<u64>1 << -q) - 1)) == 0) {
    decimal = c >> -q;
    exponent = 0;
    return;
  }
  const odd = c & 1;
  // The neighbour below a power of two is half as far away.
  const closer = fraction == 0 && biased > 1;
  const k = (q * 1262611 - (closer ? 524031 : 0)) >> 22;
  const h = <u64>(q + ((-k * 1741647) >> 19) + 1);
  const power = powers + <usize>((-k - LEAST_POWER) << 4);
  const high = load<u64>(power);
  const low = load<u64>(power, 8);
  const lower = scaled(high, low, ((c << 2) - 2 + u64(closer)) << h) + odd;
  const value = scaled(high, low, (c << 2) << h);
  const upper = scaled(high, low, ((c << 2) + 2) << h) - odd;
  const s = value >> 2;
  if (s >= 10) {
    const tenth = mulHigh(s, 0xcccc_cccc_cccc_cccd) >> 3;
    const under = lower <= 40 * tenth;
    const over = 40 * tenth + 40 <= upper;
    if (under != over) {
      decimal = tenth + u64(over);
      exponent = k + 1;
      return;
    }
  }
  const under = lower <= s << 2;
  const over = (s << 2) + 4 <= upper;
  const middle = (s << 2) + 2;
  const up = under != over ? over : value > middle || (value == middle && (s & 1) != 0);
  decimal = s + u64(up);
  exponent = k;
}

/** Eight decimal digits, a byte each, the first one lowest. */
@inline function eight(x: u32): u64 {
  const a = x / 10_000;
  let v = <u64>a | (<u64>(x - a * 10_000) << 32);
  let t = ((v * 10486) >> 20) & 0x0000_007f_0000_007f;
  v = t | ((v - 100 * t) << 16);
  t = ((v * 103) >> 10) & 0x000f_000f_000f_000f;
  return t | ((v - 10 * t) << 8);
}

/** Fills `digits`, `first` and `last` for a number below 10^17; of 0 there is no digit. */
function spell(n: u64): void {
  // PERF: a division of 64 bits by a constant is no multiplication in WebAssembly unless it is written as one.
  const upper = <u32>(mulHigh(n, 0xabcc_7711_8461_cefd) >> 26);
  const top = upper / 100_000_000;
  const a = top == 0 ? 0 : eight(top);
  const b = upper == 0 ? 0 : eight(upper - top * 100_000_000);
  const c = eight(<u32>(n - <u64>upper * 100_000_000));
  store<u64>(digits, a | ZEROS);
  store<u64>(digits, b | ZEROS, 8);
  store<u64>(digits, c | ZEROS, 16);
  first = a != 0 ? <u32>ctz(a) >> 3 : b != 0 ? 8 + (<u32>ctz(b) >> 3) : c != 0 ? 16 + (<u32>ctz(c) >> 3) : 24;
  last = c != 0 ? 24 - (<u32>clz(c) >> 3) : b != 0 ? 16 - (<u32>clz(b) >> 3) : 8 - (<u32>clz(a) >> 3);
}

/** Copies the digits from number `from` on, and what lies behind them. */
@inline function copyDigits(out: usize, from: u32): void {
  store<u64>(out, load<u64>(digits + from));
  store<u64>(out, load<u64>(digits + from, 8), 8);
  store<u64>(out, load<u64>(digits + from, 16), 16);
}

@inline function fillZeros(out: usize): void {
  store<u64>(out, ZEROS);
  store<u64>(out, ZEROS, 8);
  store<u64>(out, ZEROS, 16);
}

/** Seconds, with three digits behind the dot where they are not whole. Returns where it ends. */
function putTime(out: usize, t: i64): usize {
  let ms = <u64>t;
  if (t < 0) {
    store<u8>(out++, 0x2d);
    ms = <u64>-t;
  }
  const seconds = mulHigh(ms >> 3, 0x20c4_9ba5_e353_f7cf) >> 4;
  const rest = <u32>(ms - seconds * 1000);
  spell(seconds);
  const from = min<u32>(first, 23);
  copyDigits(out, from);
  out += 24 - from;
  if (rest == 0) return out;
  store<u8>(out, 0x2e);
  store<u8>(out, 0x30 + <u8>(rest / 100), 1);
  store<u8>(out, 0x30 + <u8>((rest / 10) % 10), 2);
  store<u8>(out, 0x30 + <u8>(rest % 10), 3);
  return out + 4;
}

/** A float as Prometheus writes it. Returns where it ends; writes up to 52 bytes behind that. */
function putFloat(out: usize, value: u64): usize {
  const bits = value & 0x7fff_ffff_ffff_ffff;
  if (bits > 0x7ff0_0000_0000_0000) {
    store<u32>(out, 0x4e614e); // NaN
    return out + 3;
  }
  if (bits == 0x7ff0_0000_0000_0000) {
    store<u32>(out, <i64>value < 0 ? 0x666e492d : 0x666e492b); // -Inf, +Inf
    return out + 4;
  }
  if (<i64>value < 0) store<u8>(out++, 0x2d);
  if (bits == 0) {
    store<u8>(out, 0x30);
    return out + 1;
  }
  shortest(bits);
  spell(decimal);
  const count = <i32>(last - first);
  // Digits before the dot.
  const point = <i32>(24 - first) + exponent;
  if (point > 21 || point < -5) return putScientific(out, count, point - 1);
  if (point <= 0) {
    store<u64>(out, 0x3030_3030_3030_2e30); // 0.000000
    out += 2 - point;
    copyDigits(out, first);
    return out + count;
  }
  copyDigits(out, first);
  if (point >= count) {
    fillZeros(out + count);
    return out + point;
  }
  store<u8>(out + point, 0x2e);
  copyDigits(out + point + 1, first + point);
  return out + count + 1;
}

function putScientific(out: usize, count: i32, power: i32): usize {
  store<u8>(out, load<u8>(digits + first));
  if (count > 1) {
    store<u8>(out, 0x2e, 1);
    copyDigits(out + 2, first + 1);
    out += count + 1;
  } else out += 1;
  store<u8>(out, 0x65);
  store<u8>(out, power < 0 ? 0x2d : 0x2b, 1);
  out += 2;
  const p = <u32>abs(power);
  if (p >= 100) store<u8>(out++, 0x30 + <u8>(p / 100));
  store<u8>(out, 0x30 + <u8>((p / 10) % 10));
  store<u8>(out, 0x30 + <u8>(p % 10), 1);
  return out + 2;
}

/**
 * Writes n (1 or more) points with commas between them; times are f64 of whole ms. Returns how many bytes; 80 for each
 * and 64 more have to be there.
 */
export function jsonPoints(times: usize, values: usize, n: u32, dst: usize): u32 {
  let out = dst;
  for (let i: u32 = 0; i < n; i++) {
    store<u8>(out++, 0x5b);
    out = putTime(out, <i64>load<f64>(times + (i << 3)));
    store<u16>(out, 0x222c);
    out = putFloat(out + 2, load<u64>(values + (i << 3)));
    store<u32>(out, 0x2c5d22);
    out += 3;
  }
  return <u32>(out - 1 - dst);
}
