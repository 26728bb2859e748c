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

/** The entry of table `table` for byte `k` (0 lowest) of `word`. PERF: index and scale in one shift and one mask. */
@inline function at(table: u32, word: u32, k: u32): u32 {
  return load<u32>(tables + (table << 10) + (k == 0 ? (word << 2) & 0x3fc : (word >> (8 * k - 2)) & 0x3fc));
}

/** The sum of [src, src + length), going on from `seed` (0 to begin with). */
export function crc32c(src: usize, length: u32, seed: u32): u32 {
  if (!ready) makeTables();
  let c = ~seed;
  let p = src;
  const end = src + length;
  while (end - p >= 16) {
    const a = load<u32>(p) ^ c;
    const b = load<u32>(p, 4);
    const d = load<u32>(p, 8);
    const e = load<u32>(p, 12);
    // PERF: what does not wait for the last round's sum is folded first, so that little is left on the critical path.
    const low =
      (at(11, b, 0) ^ at(10, b, 1) ^ at(9, b, 2) ^ at(8, b, 3)) ^
      (at(7, d, 0) ^ at(6, d, 1) ^ at(5, d, 2) ^ at(4, d, 3)) ^
      (at(3, e, 0) ^ at(2, e, 1) ^ at(1, e, 2) ^ at(0, e, 3));
    c = ((at(15, a, 0) ^ at(14, a, 1)) ^ (at(13, a, 2) ^ at(12, a, 3))) ^ low;
    p += 16;
  }
  if (end - p >= 8) {
    const a = load<u32>(p) ^ c;
    const b = load<u32>(p, 4);
    c = at(7, a, 0) ^ at(6, a, 1) ^ at(5, a, 2) ^ at(4, a, 3) ^ at(3, b, 0) ^ at(2, b, 1) ^ at(1, b, 2) ^ at(0, b, 3);
    p += 8;
  }
  while (p < end) {
    c = at(0, c ^ load<u8>(p), 0) ^ (c >> 8);
    p++;
  }
  return ~c;
}
