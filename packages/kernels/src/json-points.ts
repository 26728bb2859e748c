import {type Kernel, kernel} from "./kernel.ts";

/** Points are written so many at a time. */
const POINTS = 1024;
/** Room that a point takes at the most, and what the kernel may write beyond the last. */
const POINT_BYTES = 80;
const SLACK_BYTES = 64;

/** 10^e for the first e of the kernel's table; see assembly/json-points.ts. */
const LEAST_POWER = -292;

const prepared = new WeakSet<Kernel>();

/**
 * The points [from, to) of two columns as JSON, `[seconds,"value"]` with commas between them, as Prometheus writes them.
 * Times are whole ms. `use` gets the bytes a stretch at a time, the comma between two stretches included, and copies them.
 */
export function jsonPoints(
  times: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
  use: (bytes: Uint8Array) => void,
): void {
  const k = kernel();
  if (!prepared.has(k)) prepare(k);
  for (let at = from; at < to; at += POINTS) {
    const n = Math.min(POINTS, to - at);
    const src = k.scratch(16 * n + POINT_BYTES * n + SLACK_BYTES + 16);
    const f64 = k.f64();
    f64.set(times.subarray(at, at + n), src / 8);
    f64.set(values.subarray(at, at + n), src / 8 + n);
    const out = src + 16 * n + 1;
    const length = k.exports.jsonPoints(src, src + 8 * n, n, out);
    const u8 = k.u8();
    u8[out - 1] = 0x2c;
    use(u8.subarray(at === from ? out : out - 1, out + length));
  }
}

/** Fills the kernel's powers of ten: the upper 128 bits of each, rounded up. */
function prepare(k: Kernel): void {
  const table = k.exports.decimalPowers() / 8;
  const count = k.exports.decimalPowerCount();
  const u64 = k.u64();
  for (let i = 0; i < count; i++) {
    const power = upper128(LEAST_POWER + i);
    u64[table + 2 * i] = power >> 64n;
    u64[table + 2 * i + 1] = power & 0xffff_ffff_ffff_ffffn;
  }
  prepared.add(k);
}

/** 10^e × 2^n, for the n that makes it a number of 128 bits, rounded up. */
function upper128(e: number): bigint {
  const ten = 10n ** BigInt(Math.abs(e));
  const bits = ten.toString(2).length;
  if (e >= 0) return bits <= 128 ? ten << BigInt(128 - bits) : divideUp(ten, 1n << BigInt(bits - 128));
  // 2^(bits - 1) < 10^|e| < 2^bits, so that 2^(bits + 127) / 10^|e| has 128 bits.
  return divideUp(1n << BigInt(bits + 127), ten);
}

const divideUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;
