// Snappy's block format: uvarint length of the content, then elements, each a literal run or a copy from what was
// already written. The encoder is greedy over a table of 4-byte hashes and works on pieces of 64 KiB.

import {CORRUPT, NO_ROOM} from "./bits";

const MAX_HASH_BITS: u32 = 14;
const hashTable: usize = memory.data(2 << 14, 16);
const PIECE: u32 = 65536;
/** Input bytes at the end of a piece that always go out as a literal, so that wide loads need no check. */
const TAIL: u32 = 16;

/** Length of the content as the header states it; -1 when the header is malformed. At most 2^32 - 1. */
export function snappyLength(src: usize, length: u32): i64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < 5 && i < length; i++) {
    const byte = <u64>load<u8>(src + i);
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value > 0xffff_ffff ? -1 : <i64>value;
  }
  return -1;
}

/** Copies `count` bytes forward, 16 at a time; may write up to 15 bytes too many. src and dst at least 16 apart. */
@inline function wildCopy(dst: usize, src: usize, count: u32): void {
  let d = dst;
  let s = src;
  const end = dst + count;
  do {
    v128.store(d, v128.load(s));
    d += 16;
    s += 16;
  } while (d < end);
}

/**
 * Decodes a block into dst, whose room must be the stated length plus 32 bytes. Returns the content's length, CORRUPT,
 * or NO_ROOM.
 */
export function snappyDecode(src: usize, length: u32, dst: usize, room: u32): i32 {
  const stated = snappyLength(src, length);
  if (stated < 0) return CORRUPT;
  if (stated > 0x7fff_ffff || <u64>stated + 32 > <u64>room) return NO_ROOM;
  let p = src;
  while (load<u8>(p++) >= 0x80) {}
  const end = src + length;
  const outEnd = dst + <usize>stated;
  let out = dst;
  while (p < end) {
    const tag = <u32>load<u8>(p++);
    if ((tag & 3) == 0) {
      let count = (tag >> 2) + 1;
      if (count > 60) {
        const wide = count - 60;
        if (<u32>(end - p) < wide) return CORRUPT;
        // Up to 3 bytes more than meant are loaded; the slack past an allocation covers them.
        const stated32 = load<u32>(p) & (0xffff_ffff >> ((4 - wide) << 3));
        if (stated32 == 0xffff_ffff) return CORRUPT;
        count = stated32 + 1;
        p += wide;
      }
      if (count > <u32>(end - p) || count > <u32>(outEnd - out)) return CORRUPT;
      if (count <= 64) wildCopy(out, p, count);
      else memory.copy(out, p, count);
      out += count;
      p += count;
      continue;
    }
    let count: u32;
    let offset: u32;
    if ((tag & 3) == 1) {
      if (p >= end) return CORRUPT;
      count = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | <u32>load<u8>(p);
      p += 1;
    } else if ((tag & 3) == 2) {
      if (<u32>(end - p) < 2) return CORRUPT;
      count = (tag >> 2) + 1;
      offset = <u32>load<u16>(p);
      p += 2;
    } else {
      if (<u32>(end - p) < 4) return CORRUPT;
      count = (tag >> 2) + 1;
      offset = load<u32>(p);
      p += 4;
    }
    if (offset - 1 >= <u32>(out - dst) || count > <u32>(outEnd - out)) return CORRUPT;
    const from = out - offset;
    if (offset >= 16) {
      wildCopy(out, from, count);
    } else {
      // The copied pattern repeats: byte by byte until source and target are 16 apart, then in steps of whole periods.
      let i: u32 = 0;
      const slow = min<u32>(count, 16);
      for (; i < slow; i++) store<u8>(out + i, load<u8>(from + i));
      if (i < count) {
        const period = (16 / offset) * offset;
        for (; i < count; i += period) v128.store(out + i, v128.load(out + i - period));
      }
    }
    out += count;
  }
  return out == outEnd ? <i32>stated : CORRUPT;
}

/** Room that encoding `length` bytes may need. */
export function snappyMaxLength(length: u32): u32 {
  return 32 + 32 + length + length / 6;
}

@inline function hash(word: u32, shift: u32): u32 {
  return (word * 0x1e35a7bd) >> shift;
}

function emitLiteral(dst: usize, src: usize, count: u32): usize {
  let out = dst;
  const n = count - 1;
  if (n < 60) {
    store<u8>(out++, <u8>(n << 2));
    if (count <= 16) {
      // Both sides have 16 bytes of slack: the input's tail is never matched, the output's room is generous.
      v128.store(out, v128.load(src));
      return out + count;
    }
  } else if (n < 256) {
    store<u8>(out, 60 << 2);
    store<u8>(out + 1, <u8>n);
    out += 2;
  } else {
    store<u8>(out, 61 << 2);
    store<u16>(out + 1, <u16>n);
    out += 3;
  }
  memory.copy(out, src, count);
  return out + count;
}

function emitCopy(dst: usize, offset: u32, length: u32): usize {
  let out = dst;
  let count = length;
  // A copy holds at most 64 bytes; leave at least 4 for the last, which may then take the short form.
  while (count >= 68) {
    store<u8>(out, (63 << 2) | 2);
    store<u16>(out + 1, <u16>offset);
    out += 3;
    count -= 64;
  }
  if (count > 64) {
    store<u8>(out, (59 << 2) | 2);
    store<u16>(out + 1, <u16>offset);
    out += 3;
    count -= 60;
  }
  if (count >= 12 || offset >= 2048) {
    store<u8>(out, <u8>(((count - 1) << 2) | 2));
    store<u16>(out + 1, <u16>offset);
    return out + 3;
  }
  store<u8>(out, <u8>(((offset >> 8) << 5) | ((count - 4) << 2) | 1));
  store<u8>(out + 1, <u8>offset);
  return out + 2;
}

function encodePiece(src: usize, length: u32, dst: usize): usize {
  let out = dst;
  const end = src + length;
  if (length < TAIL + 4) return emitLiteral(out, src, length);
  let bits: u32 = 8;
  while (bits < MAX_HASH_BITS && (<u32>1 << bits) < length) bits++;
  const shift = 32 - bits;
  memory.fill(hashTable, 0, <usize>2 << bits);
  const limit = end - TAIL;
  let emitted = src;
  let p = src + 1;
  let nextHash = hash(load<u32>(p), shift);
  while (true) {
    // Look for a match, in larger steps the longer none is found.
    let skip: u32 = 32;
    let next = p;
    let candidate: usize;
    do {
      p = next;
      next = p + (skip >> 5);
      skip += skip >> 5;
      if (next > limit) return emitLiteral(out, emitted, <u32>(end - emitted));
      const slot = hashTable + (nextHash << 1);
      candidate = src + load<u16>(slot);
      store<u16>(slot, <u16>(p - src));
      nextHash = hash(load<u32>(next), shift);
    } while (load<u32>(p) != load<u32>(candidate));
    if (p > emitted) out = emitLiteral(out, emitted, <u32>(p - emitted));
    while (true) {
      // Extend the match.
      const base = p;
      const offset = <u32>(p - candidate);
      p += 4;
      let q = candidate + 4;
      while (p + 8 <= end) {
        const x = load<u64>(p) ^ load<u64>(q);
        if (x != 0) {
          p += <usize>(ctz(x) >> 3);
          break;
        }
        p += 8;
        q += 8;
      }
      if (p + 8 > end) {
        q = p - offset;
        while (p < end && load<u8>(p) == load<u8>(q)) {
          p++;
          q++;
        }
      }
      out = emitCopy(out, offset, <u32>(p - base));
      emitted = p;
      if (p >= limit) return p < end ? emitLiteral(out, p, <u32>(end - p)) : out;
      const before = hash(load<u32>(p - 1), shift);
      store<u16>(hashTable + (before << 1), <u16>(p - 1 - src));
      const slot = hashTable + (hash(load<u32>(p), shift) << 1);
      candidate = src + load<u16>(slot);
      store<u16>(slot, <u16>(p - src));
      if (load<u32>(p) != load<u32>(candidate)) break;
    }
    p++;
    nextHash = hash(load<u32>(p), shift);
  }
}

/** Encodes [src, src + length) at dst, whose room must be snappyMaxLength(length). Returns the bytes written. */
export function snappyEncode(src: usize, length: u32, dst: usize): u32 {
  let out = dst;
  let rest = length;
  while (rest >= 0x80) {
    store<u8>(out++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(out++, <u8>rest);
  for (let done: u32 = 0; done < length; ) {
    const piece = min(length - done, PIECE);
    out = encodePiece(src + done, piece, out);
    done += piece;
  }
  return <u32>(out - dst);
}
