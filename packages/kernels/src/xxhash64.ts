import {kernel} from "./kernel.ts";

/** The high and low word, unsigned, of the last hash: cheaper than a BigInt where millions are needed. */
export type Hash64 = {hi: number; lo: number};

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

/** XXH64 (seed 0) of data[from, to). */
export function xxhash64(data: Uint8Array, from = 0, to: number = data.length): bigint {
  const k = kernel();
  const length = to - from;
  const src = k.scratch(length);
  copyIn(k.u8(), src, data, from, to);
  return BigInt.asUintN(64, k.exports.xxhash64(src, length));
}

/** XXH64 (seed 0) of data[from, to), written to `out`, which is returned. */
export function xxhash64Words(data: Uint8Array, from: number, to: number, out: Hash64): Hash64 {
  const k = kernel();
  const length = to - from;
  const result = k.scratch(length + 8);
  copyIn(k.u8(), result + 8, data, from, to);
  k.exports.xxhash64To(result + 8, length, result);
  const words = k.u32();
  out.lo = words[result >>> 2] as number;
  out.hi = words[(result >>> 2) + 1] as number;
  return out;
}

/** PERF: for a few bytes a loop is quicker than the view that `set` needs. */
function copyIn(memory: Uint8Array, at: number, data: Uint8Array, from: number, to: number): void {
  if (to - from <= 48) for (let i = from, o = at; i < to; i++, o++) memory[o] = data[i] as number;
  else memory.set(data.subarray(from, to), at);
}

/** `xxhash64` in plain TypeScript. BigInt makes it slow: for tests. */
export function xxhash64Twin(data: Uint8Array, from: number, to: number): bigint {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const lane = (p: number): bigint => view.getBigUint64(p, true);
  const length = to - from;
  let p = from;
  let h = P5;
  if (length >= 32) {
    const acc = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
    for (; p + 32 <= to; p += 32) for (let i = 0; i < 4; i++) acc[i] = round(acc[i] as bigint, lane(p + 8 * i));
    const [a, b, c, d] = acc as [bigint, bigint, bigint, bigint];
    h = (rotl(a, 1n) + rotl(b, 7n) + rotl(c, 12n) + rotl(d, 18n)) & MASK;
    for (const x of acc) h = ((h ^ round(0n, x)) * P1 + P4) & MASK;
  }
  h = (h + BigInt(length)) & MASK;
  for (; p + 8 <= to; p += 8) h = (rotl(h ^ round(0n, lane(p)), 27n) * P1 + P4) & MASK;
  if (p + 4 <= to) {
    h = (rotl(h ^ ((BigInt(view.getUint32(p, true)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    p += 4;
  }
  for (; p < to; p++) h = (rotl(h ^ ((BigInt(data[p] as number) * P5) & MASK), 11n) * P1) & MASK;
  h = ((h ^ (h >> 33n)) * P2) & MASK;
  h = ((h ^ (h >> 29n)) * P3) & MASK;
  return h ^ (h >> 32n);
}

const rotl = (x: bigint, r: bigint): bigint => ((x << r) | (x >> (64n - r))) & MASK;
const round = (acc: bigint, x: bigint): bigint => (rotl((acc + x * P2) & MASK, 31n) * P1) & MASK;
