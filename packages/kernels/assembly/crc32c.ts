// CRC32C (Castagnoli, reflected polynomial 0x82f63b78), sixteen bytes a round with sixteen tables.

const POLYNOMIAL: u32 = 0x82f63b78;
const tables: usize = memory.data(16 * 256 * 4, 16);
let ready = false;

function makeTables(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = (c >> 1) ^ (POLYNOMIAL & -(c & 1));
    store<u32>(tables + (i << 2), c);
  }
  for (let i: u32 = 0; i < 256; i++) {
    let c = load<u32>(tables + (i << 2));
    for (let t: u32 = 1; t < 16; t++) {
      c = load<u32>(tables + ((c & 0xff) << 2)) ^ (c >> 8);
      store<u32>(tables + (t << 10) + (i << 2), c);
    }
  }
  ready = true;
}

@inline function at(table: u32, byte: u32): u32 {
  return load<u32>(tables + (table << 10) + (byte << 2));
}

/** The sum of [src, src + length), going on from `seed` (0 to begin with). */
export function crc32c(src: usize, length: u32, seed: u32): u32 {
  if (!ready) makeTables();
  let c = ~seed;
  let p = src;
  const end = src + length;
  while (end - p >= 16) {
    const a = load<u64>(p) ^ <u64>c;
    const b = load<u64>(p, 8);
    const a0 = <u32>a, a1 = <u32>(a >> 32), b0 = <u32>b, b1 = <u32>(b >> 32);
    c =
      at(15, a0 & 0xff) ^ at(14, (a0 >> 8) & 0xff) ^ at(13, (a0 >> 16) & 0xff) ^ at(12, a0 >> 24) ^
      at(11, a1 & 0xff) ^ at(10, (a1 >> 8) & 0xff) ^ at(9, (a1 >> 16) & 0xff) ^ at(8, a1 >> 24) ^
      at(7, b0 & 0xff) ^ at(6, (b0 >> 8) & 0xff) ^ at(5, (b0 >> 16) & 0xff) ^ at(4, b0 >> 24) ^
      at(3, b1 & 0xff) ^ at(2, (b1 >> 8) & 0xff) ^ at(1, (b1 >> 16) & 0xff) ^ at(0, b1 >> 24);
    p += 16;
  }
  if (end - p >= 8) {
    const a = load<u64>(p) ^ <u64>c;
    const a0 = <u32>a, a1 = <u32>(a >> 32);
    c =
      at(7, a0 & 0xff) ^ at(6, (a0 >> 8) & 0xff) ^ at(5, (a0 >> 16) & 0xff) ^ at(4, a0 >> 24) ^
      at(3, a1 & 0xff) ^ at(2, (a1 >> 8) & 0xff) ^ at(1, (a1 >> 16) & 0xff) ^ at(0, a1 >> 24);
    p += 8;
  }
  while (p < end) {
    c = at(0, (c ^ load<u8>(p)) & 0xff) ^ (c >> 8);
    p++;
  }
  return ~c;
}
