import {BitReader} from "@strata/bytes";
import type {FloatColumns} from "./float-chunk.ts";
import {StartTimesTwin} from "./start-times-twin.ts";

const STALE_HI = 0x7ff00000;
const STALE_LO = 2;

/**
 * The plain TypeScript form of assembly/xor2.ts' decoder, for chunks of at most columns.t.length samples whose times are
 * within ±2^53. Throws `corrupt`.
 */
export function xor2DecodeTwin(data: Uint8Array, from: number, length: number, columns: FloatColumns): number {
  const r = new BitReader(data, "XOR2 chunk", from, from + length);
  const count = r.bits(16);
  const starts = new StartTimesTwin(r.bits(8));
  const {t, v, st} = columns;
  const words = new Uint32Array(v.buffer, v.byteOffset, 2 * v.length);
  if (count === 0) return 0;
  let time = r.varint();
  r.bits64(64);
  let hi = r.hi;
  let lo = r.lo;
  t[0] = time;
  words[0] = lo;
  words[1] = hi;
  if (hi === STALE_HI && lo === STALE_LO) {
    hi = 0;
    lo = 0;
  }
  const firstStart = starts.first(r, time);
  if (st !== undefined) st[0] = firstStart;
  let delta = 0;
  let sig = 64;
  let trail = 0;
  for (let i = 1; i < count; i++) {
    const before = time;
    // As in the kernel: 0 the last value again, 1 window bits, 2 a new window, 3 stale, 4 not known yet.
    let kind = 4;
    if (i === 1) {
      r.uvarint();
      delta = r.signed();
    } else {
      const w = r.peek32();
      if (w >= 0) {
        r.skip(1);
        kind = 0;
      } else if ((w & 0x40000000) === 0) {
        kind = (w & 0x20000000) !== 0 ? 2 : 1;
        r.skip(3);
      } else if ((w & 0x20000000) === 0) {
        delta += (w << 3) >> 19;
        r.skip(16);
      } else if ((w & 0x10000000) === 0) {
        delta += (w << 4) >> 12;
        r.skip(24);
      } else if ((w & 0x08000000) === 0) {
        r.skip(5);
        r.bits64(64);
        delta += r.signed();
      } else {
        r.skip(5);
        kind = 3;
      }
    }
    time += delta;
    t[i] = time;
    if (kind === 4) {
      const w = r.peek32();
      kind = w >= 0 ? 0 : (w & 0x40000000) === 0 ? 1 : (w & 0x20000000) === 0 ? 2 : 3;
      r.skip(kind === 3 ? 3 : kind + 1);
    }
    if (kind === 3) {
      words[2 * i] = STALE_LO;
      words[2 * i + 1] = STALE_HI;
    } else {
      if (kind === 2) {
        const lead = r.bits(5);
        sig = r.bits(6) || 64;
        trail = 64 - lead - sig;
        if (trail < 0) throw r.corrupt("an impossible window");
      }
      if (kind !== 0) {
        r.bits64(sig);
        if (trail >= 32) hi ^= r.lo << (trail - 32);
        else if (trail > 0) {
          hi ^= (r.hi << trail) | (r.lo >>> (32 - trail));
          lo ^= r.lo << trail;
        } else {
          hi ^= r.hi;
          lo ^= r.lo;
        }
      }
      words[2 * i] = lo;
      words[2 * i + 1] = hi;
    }
    const start = starts.next(r, i, before);
    if (st !== undefined) st[i] = start;
  }
  return count;
}
