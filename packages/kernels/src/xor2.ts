import {StrataError} from "@strata/base";
import {kernel} from "./kernel.ts";

/**
 * Decodes the XOR2 chunk data[from, from + length) as xorDecode does; start times (ms, 0 for none) go to `st` where it
 * is given. Returns the number of samples, -1 (corrupt) or -2 (columns too short). Never throws.
 */
export function xor2Decode(
  data: Uint8Array,
  from: number,
  length: number,
  t: Float64Array,
  v: Float64Array,
  st: Float64Array | undefined,
  at = 0,
): number {
  if (length < 3) return -1;
  const count = ((data[from] as number) << 8) | (data[from + 1] as number);
  if (at + count > t.length || at + count > v.length || (st !== undefined && at + count > st.length)) return -2;
  const k = kernel();
  const tOut = k.scratch(24 * count + length);
  const vOut = tOut + 8 * count;
  const stOut = vOut + 8 * count;
  const src = stOut + 8 * count;
  k.u8().set(data.subarray(from, from + length), src);
  const n = k.exports.xor2Decode(src, length, tOut, vOut, st === undefined ? 0 : stOut, count);
  if (n > 0) {
    const f64 = k.f64();
    t.set(f64.subarray(tOut >>> 3, (tOut >>> 3) + n), at);
    v.set(f64.subarray(vOut >>> 3, (vOut >>> 3) + n), at);
    st?.set(f64.subarray(stOut >>> 3, (stOut >>> 3) + n), at);
  }
  return n;
}

/** Encodes samples [from, to) (at most 65535), with start times where given, as one XOR2 chunk's data: a copy. */
export function xor2Encode(
  t: Float64Array,
  v: Float64Array,
  st: Float64Array | undefined,
  from = 0,
  to: number = t.length,
): Uint8Array<ArrayBuffer> {
  const n = to - from;
  if (n > 65535) throw new StrataError("limit", `cannot encode ${n} samples in one chunk: 65535 fit`);
  const k = kernel();
  const room = 64 + 32 * n;
  const tIn = k.scratch(24 * n + room);
  const vIn = tIn + 8 * n;
  const stIn = vIn + 8 * n;
  const out = stIn + 8 * n;
  const f64 = k.f64();
  f64.set(t.subarray(from, to), tIn >>> 3);
  f64.set(v.subarray(from, to), vIn >>> 3);
  if (st !== undefined) f64.set(st.subarray(from, to), stIn >>> 3);
  return k.read(out, k.exports.xor2Encode(tIn, vIn, st === undefined ? 0 : stIn, n, out, room));
}
