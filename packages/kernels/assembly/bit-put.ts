// Writing bits, most significant first. The bits of the last, unfinished byte wait at the top of an accumulator; each
// put stores 8 bytes, of which the unfinished ones are overwritten by the next.

let outAt: usize = 0;
let outBits: u32 = 0;
let outAcc: u64 = 0;

/** Begins at a byte address. */
export function putBegin(at: usize): void {
  outAt = at;
  outBits = 0;
  outAcc = 0;
}

/** Goes on at bit `end` of the data at `base`. */
export function putResume(base: usize, end: u32): void {
  outAt = base + (end >> 3);
  outBits = end & 7;
  outAcc = outBits > 0 ? (<u64>load<u8>(outAt) << 56) & ~(<u64>-1 >> outBits) : 0;
}

/** The end of what was written, in bits from `base`. */
@inline export function putEndBit(base: usize): u32 {
  return (<u32>(outAt - base) << 3) + outBits;
}

/** Address of the unfinished byte. */
@inline export function putAddress(): usize {
  return outAt;
}

/** Address after the last byte written. */
@inline export function putEnd(): usize {
  return outAt + (outBits > 0 ? 1 : 0);
}

/** Appends the low `count` (1…56) bits; higher bits of `bits` must be 0. */
@inline export function put(bits: u64, count: u32): void {
  const acc = outAcc | ((bits << (64 - count)) >> outBits);
  store<u64>(outAt, bswap(acc));
  const used = outBits + count;
  const whole = used >> 3;
  outAt += whole;
  outAcc = whole == 8 ? 0 : acc << (whole << 3);
  outBits = used & 7;
}

/** Appends the low `count` (1…64) bits. */
export function putWide(bits: u64, count: u32): void {
  if (count > 56) {
    put(bits >> 32, count - 32);
    put(bits & 0xffff_ffff, 32);
  } else {
    put(bits, count);
  }
}

/** LEB128 in bytes that start at the current bit. */
export function putUvarint(value: u64): void {
  let rest = value;
  while (rest >= 0x80) {
    put((rest & 0x7f) | 0x80, 8);
    rest >>= 7;
  }
  put(rest, 8);
}

/** Zig-zag LEB128. */
@inline export function putVarint(value: i64): void {
  putUvarint(<u64>((value << 1) ^ (value >> 63)));
}

/** The signed variable bit code of histogram chunks. */
export function putVarbitInt(value: i64): void {
  if (value == 0) put(0, 1);
  else if (value >= -3 && value <= 4) put(0x10 | (<u64>value & 7), 5);
  else if (value >= -31 && value <= 32) put(0x180 | (<u64>value & 63), 9);
  else if (value >= -255 && value <= 256) put(0x1c00 | (<u64>value & 511), 13);
  else if (value >= -2047 && value <= 2048) put(0x1e000 | (<u64>value & 4095), 17);
  else if (value >= -131071 && value <= 131072) put(0xf80000 | (<u64>value & 262143), 24);
  else if (value >= -16777215 && value <= 16777216) put(0xfc000000 | (<u64>value & 0x1ffffff), 32);
  else if (value >= -0x7f_ffff_ffff_ffff && value <= 0x80_0000_0000_0000) {
    put(0xfe, 8);
    put(<u64>value & 0xff_ffff_ffff_ffff, 56);
  } else {
    put(0xff, 8);
    putWide(<u64>value, 64);
  }
}

/** The unsigned form. */
export function putVarbitUint(value: u64): void {
  if (value == 0) put(0, 1);
  else if (value < 8) put(0x10 | value, 5);
  else if (value < 64) put(0x180 | value, 9);
  else if (value < 512) put(0x1c00 | value, 13);
  else if (value < 4096) put(0x1e000 | value, 17);
  else if (value < 262144) put(0xf80000 | value, 24);
  else if (value < 33554432) put(0xfc000000 | value, 32);
  else if (value < <u64>1 << 56) {
    put(0xfe, 8);
    put(value, 56);
  } else {
    put(0xff, 8);
    putWide(value, 64);
  }
}
