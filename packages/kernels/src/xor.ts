import {StrataError} from "@strata/base";
import {kernel} from "./kernel.ts";
import {xorMaxLength} from "./xor-twin.ts";

/**
 * Decodes the XOR chunk data[from, from + length) (without length, encoding byte and CRC) into t (whole ms) and v from
 * index `at` on; NaN payloads are kept. Returns the number of samples, -1 when the bytes are corrupt (entries from `at`
 * on are then undefined), or -2 when the columns are too short for the count that the chunk states. Never throws.
 */
export function xorDecode(
  data: Uint8Array,
  from: number,
  length: number,
  t: Float64Array,
  v: Float64Array,
  at = 0,
): number {
  if (length < 2) return -1;
  const count = ((data[from] as number) << 8) | (data[from + 1] as number);
  if (at + count > t.length || at + count > v.length) return -2;
  const k = kernel();
  const columns = count * 8;
  const tOut = k.scratch(2 * columns + length);
  const vOut = tOut + columns;
  const src = vOut + columns;
  k.u8().set(data.subarray(from, from + length), src);
  const n = k.exports.xorDecode(src, length, tOut, vOut, count);
  if (n > 0) {
    const f64 = k.f64();
    t.set(f64.subarray(tOut >>> 3, (tOut >>> 3) + n), at);
    v.set(f64.subarray(vOut >>> 3, (vOut >>> 3) + n), at);
  }
  return n;
}

/**
 * Encodes samples [from, to) (at most 65535) as one XOR chunk's data and returns a copy that the caller owns. Times must
 * be whole ms; values keep their NaN payloads.
 */
export function xorEncode(t: Float64Array, v: Float64Array, from = 0, to: number = t.length): Uint8Array<ArrayBuffer> {
  const n = to - from;
  if (n > 65535) throw new StrataError("limit", `cannot encode ${n} samples in one chunk: 65535 fit`);
  const k = kernel();
  const room = xorMaxLength(n);
  const tIn = k.scratch(16 * n + room);
  const vIn = tIn + 8 * n;
  const out = vIn + 8 * n;
  const f64 = k.f64();
  f64.set(t.subarray(from, to), tIn >>> 3);
  f64.set(v.subarray(from, to), vIn >>> 3);
  return k.read(out, k.exports.xorEncode(tIn, vIn, n, out, room));
}
