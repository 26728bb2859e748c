import {kernel} from "./kernel.ts";

/** Below this many bytes copying into linear memory costs more than the kernel saves (measured by hash.bench.ts). */
const KERNEL_FROM = 256;
/** Longer input passes through the scratch window in pieces. */
const PIECE = 256 * 1024;
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256: table k advances a byte by k further zero bytes. */
const tables = makeTables();

function makeTables(): Int32Array {
  const all = new Int32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (POLYNOMIAL & -(c & 1));
    all[i] = c;
  }
  for (let i = 256; i < all.length; i++) {
    const c = all[i - 256] as number;
    all[i] = (all[c & 0xff] as number) ^ (c >>> 8);
  }
  return all;
}

/** CRC32C (Castagnoli) of data[from, to), going on from the sum `seed` of what came before. */
export function crc32c(data: Uint8Array, from = 0, to: number = data.length, seed = 0): number {
  if (to - from < KERNEL_FROM) return crc32cTwin(data, from, to, seed);
  return crc32cKernel(data, from, to, seed);
}

/**
 * Puts the sum of data[starts[i], ends[i]), for i in [first, last), into sums[i]. The ranges ascend and lie near each
 * other: what is between them is read too. PERF: one copy into linear memory serves many ranges; a copy and a view for
 * each of a merge's chunks cost half as much as the sums.
 */
export function crc32cRanges(
  data: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  first: number,
  last: number,
  sums: Uint32Array,
): void {
  const k = kernel();
  for (let i = first; i < last; ) {
    const base = starts[i] as number;
    let end = ends[i] as number;
    let next = i + 1;
    for (; next < last && (ends[next] as number) - base <= PIECE; next++) end = Math.max(end, ends[next] as number);
    if (end - base > PIECE) {
      sums[i++] = crc32cKernel(data, base, end, 0);
      continue;
    }
    const src = k.scratch(end - base);
    k.u8().set(data.subarray(base, end), src);
    for (; i < next; i++) {
      const start = starts[i] as number;
      sums[i] = k.exports.crc32c(src + start - base, (ends[i] as number) - start, 0);
    }
  }
}

/** `crc32c` by the kernel, whatever the length. */
export function crc32cKernel(data: Uint8Array, from: number, to: number, seed: number): number {
  const k = kernel();
  const src = k.scratch(Math.min(to - from, PIECE));
  let sum = seed;
  for (let at = from; at < to; at += PIECE) {
    const end = Math.min(at + PIECE, to);
    k.u8().set(data.subarray(at, end), src);
    sum = k.exports.crc32c(src, end - at, sum);
  }
  return sum >>> 0;
}

/** `crc32c` in plain TypeScript. */
export function crc32cTwin(data: Uint8Array, from: number, to: number, seed: number): number {
  const x = tables;
  let c = ~seed;
  let p = from;
  for (const whole = to - 7; p < whole; p += 8) {
    c ^=
      (data[p] as number) |
      ((data[p + 1] as number) << 8) |
      ((data[p + 2] as number) << 16) |
      ((data[p + 3] as number) << 24);
    c =
      (x[1792 + (c & 0xff)] as number) ^
      (x[1536 + ((c >>> 8) & 0xff)] as number) ^
      (x[1280 + ((c >>> 16) & 0xff)] as number) ^
      (x[1024 + (c >>> 24)] as number) ^
      (x[768 + (data[p + 4] as number)] as number) ^
      (x[512 + (data[p + 5] as number)] as number) ^
      (x[256 + (data[p + 6] as number)] as number) ^
      (x[data[p + 7] as number] as number);
  }
  for (; p < to; p++) c = (x[(c ^ (data[p] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
