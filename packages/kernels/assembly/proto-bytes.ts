// Protobuf's wire format over bytes that are not trusted: every read is checked against the end of its message.

/** Where the next field begins. */
export let at: usize = 0;
/** What was wrong first: 0 nothing, else one of the numbers below. */
export let fault: i32 = 0;
/** The wire type, where that is what was wrong. */
export let faultDetail: u32 = 0;

export const CUT_OFF: i32 = 1;
export const BAD_WIRE_TYPE: i32 = 2;
export const BAD_TAG: i32 = 3;
export const LONG_VARINT: i32 = 4;
export const WRONG_WIRE_TYPE: i32 = 5;

export function begin(from: usize): void {
  at = from;
  fault = 0;
  faultDetail = 0;
}

export function moveTo(to: usize): void {
  at = to;
}

export function fail(kind: i32, detail: u32): void {
  if (fault != 0) return;
  fault = kind;
  faultDetail = detail;
}

/** A varint, cut to 64 bits; 0 after a fault. */
export function varint(end: usize): u64 {
  let value: u64 = 0;
  let p = at;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    if (p >= end) {
      fail(CUT_OFF, 0);
      return 0;
    }
    const byte = <u64>load<u8>(p++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      at = p;
      return value;
    }
  }
  fail(LONG_VARINT, 0);
  return 0;
}

/** A varint, mostly of one byte. */
@inline export function shortVarint(end: usize): u64 {
  if (at < end) {
    const byte = <u64>load<u8>(at);
    if (byte < 0x80) {
      at++;
      return byte;
    }
  }
  return varint(end);
}

/** The end of the length-delimited field whose length comes next; `end` itself after a fault. */
@inline export function fieldEnd(end: usize): usize {
  const length = shortVarint(end);
  if (length > <u64>(end - at)) {
    fail(CUT_OFF, 0);
    return end;
  }
  return at + <usize>length;
}

/** Passes over the field whose tag was read. */
export function skip(tag: u64, end: usize): void {
  const wire = <u32>tag & 7;
  if (tag >> 3 == 0) {
    fail(BAD_TAG, wire);
    return;
  }
  if (wire == 0) varint(end);
  else if (wire == 1) advance(8, end);
  else if (wire == 2) at = fieldEnd(end);
  else if (wire == 5) advance(4, end);
  else fail(BAD_WIRE_TYPE, wire);
}

export function advance(bytes: u32, end: usize): void {
  if (<u32>(end - at) < bytes) fail(CUT_OFF, 0);
  else at += bytes;
}

/** Writes a varint; returns the place behind it. */
export function putVarint(out: usize, value: u32): usize {
  let rest = value;
  let p = out;
  while (rest >= 0x80) {
    store<u8>(p++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(p++, <u8>rest);
  return p;
}

/** Writes a varint in exactly four bytes (below 2^28): for lengths that are known later than their place. */
export function putVarint4(out: usize, value: u32): void {
  store<u8>(out, <u8>(value | 0x80));
  store<u8>(out + 1, <u8>((value >> 7) | 0x80));
  store<u8>(out + 2, <u8>((value >> 14) | 0x80));
  store<u8>(out + 3, <u8>((value >> 21) & 0x7f));
}

export function varintSize(value: u32): u32 {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** Copies a name or value, 16 bytes at a time: up to 15 bytes too many, which is quicker than a call for each. */
@inline export function copyShort(dst: usize, src: usize, length: u32): void {
  for (let i: u32 = 0; i < length; i += 16) v128.store(dst + i, v128.load(src + i));
}
