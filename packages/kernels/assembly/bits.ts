// Reading bits, most significant first: what the chunk decoders share. `at` below is a byte address and a bit position
// counted from it; reads go at most 17 bytes past the position, so a caller that checks the position after each field
// stays within SLACK.

/** The bytes end early or contradict themselves. */
export const CORRUPT: i32 = -1;
/** More samples, or more bytes, than the caller made room for. */
export const NO_ROOM: i32 = -2;
/** Bits must be countable in 32 bits. */
export const MAX_LENGTH: u32 = 0x1fff_0000;
/** The bit pattern that marks the end of a series. */
export const STALE: u64 = 0x7ff0_0000_0000_0002;

/** Where the next field begins, for the readers below that move it. */
export let pos: u32 = 0;

export function seek(to: u32): void {
  pos = to;
}

/** The 64 bits at bit `p` of `base`; the lowest 7 may be missing (zero). */
@inline export function windowAt(base: usize, p: u32): u64 {
  return bswap(load<u64>(base + (p >> 3))) << (p & 7);
}

/** The `count` (1…64) bits at bit `p`. */
@inline export function bitsAt(base: usize, p: u32, count: u32): u64 {
  let w = windowAt(base, p);
  if (count > 57) w |= <u64>load<u8>(base + (p >> 3) + 8) >> (8 - (p & 7));
  return w >> (64 - count);
}

/** Payload widths 3, 6, 9, 12, 18, 25 by the number of ones in the prefix, a byte each. */
const VARBIT_WIDTHS: u64 = 0x19_12_0c_09_06_03_00;

/** The signed variable bit code of histogram chunks. Reads at most 72 bits. */
export function readVarbitInt(base: usize): i64 {
  const w = windowAt(base, pos);
  if (<i64>w >= 0) {
    pos += 1;
    return 0;
  }
  const ones = <u32>clz(~w);
  if (ones < 7) {
    const width = <u32>(VARBIT_WIDTHS >> (ones << 3)) & 0xff;
    pos += ones + 1 + width;
    const half = (<i64>1 << (width - 1)) - 1;
    // Raw values above half the range are negative; half itself is positive.
    return <i64>((((w << (ones + 1)) >> (64 - width)) + <u64>half) & ((<u64>1 << width) - 1)) - half;
  }
  if (ones == 7) {
    const raw = bitsAt(base, pos + 8, 56);
    pos += 64;
    return raw > (<u64>1 << 55) ? <i64>(raw | 0xff00_0000_0000_0000) : <i64>raw;
  }
  const raw = bitsAt(base, pos + 8, 64);
  pos += 72;
  return <i64>raw;
}

/** The unsigned form. */
export function readVarbitUint(base: usize): u64 {
  const w = windowAt(base, pos);
  if (<i64>w >= 0) {
    pos += 1;
    return 0;
  }
  const ones = <u32>clz(~w);
  if (ones < 7) {
    const width = <u32>(VARBIT_WIDTHS >> (ones << 3)) & 0xff;
    pos += ones + 1 + width;
    return (w << (ones + 1)) >> (64 - width);
  }
  const width: u32 = ones == 7 ? 56 : 64;
  const raw = bitsAt(base, pos + 8, width);
  pos += 8 + width;
  return raw;
}

/** Whether the last byte-wise varint was well-formed: not longer than 10 bytes, nothing beyond bit 63. */
export let varintOk: bool = false;

/** LEB128 in bytes that start at the current bit; check varintOk. Reads at most 80 bits. */
export function readUvarint(base: usize): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = windowAt(base, pos) >> 56;
    pos += 8;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      varintOk = shift < 63 || byte < 2;
      return value;
    }
  }
  varintOk = false;
  return 0;
}

/** Zig-zag LEB128; check varintOk. */
@inline export function readVarint(base: usize): i64 {
  const u = readUvarint(base);
  return <i64>(u >> 1) ^ -<i64>(u & 1);
}
