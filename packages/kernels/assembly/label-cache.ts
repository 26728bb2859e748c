// References of series by the bytes of their labels, whatever form those have. A cache: losing it costs time only.
//
//   cache (u32 each): 0 slots − 1   4 slots   8 entries   12 newest slab   16 used of it   20 its size   24 bytes of all
//   slot, 8 bytes:    0 upper half of the hash   4 entry, 0 for none          open addressing, at most half full
//   slab:             0 slab before it   16 entries…
//   entry:            0 reference   4 length   8 hash (u64)   16 the entry that was found after it last time   24 bytes…
//                     (8-byte aligned)
// Senders keep their order, so the entry behind the one before is looked at first: that spares the slot, a cache miss.

import {alloc, free} from "./alloc";
import {SCATTERED, SERIES_BYTES} from "./write-request";

const SLAB_BYTES: u32 = 1 << 18;
const FIRST_SLOTS: u32 = 1024;
const ENTRY_BYTES: u32 = 24;

function sameBytes(a: usize, b: usize, length: u32): bool {
  let i: u32 = 0;
  for (; i + 32 <= length; i += 32) {
    const x = v128.xor(v128.load(a + i), v128.load(b + i));
    const y = v128.xor(v128.load(a + i, 16), v128.load(b + i, 16));
    if (v128.any_true(v128.or(x, y))) return false;
  }
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  if (i == length) return true;
  // The bytes past the end are there (SLACK) and are shifted out.
  const shift: u64 = <u64>(8 - (length - i)) << 3;
  return (load<u64>(a + i) ^ load<u64>(b + i)) << shift == 0;
}

@inline function isEntry(entry: usize, bytes: usize, length: u32, hash: u64): bool {
  if (load<u64>(entry, 8) != hash || load<u32>(entry, 4) != length) return false;
  return sameBytes(entry + ENTRY_BYTES, bytes, length);
}

function find(cache: usize, bytes: usize, length: u32, hash: u64): usize {
  const mask = load<u32>(cache);
  const slots = <usize>load<u32>(cache, 4);
  if (slots == 0) return 0;
  const upper = <u32>(hash >> 32);
  let i = <u32>hash & mask;
  let entry: usize = 0;
  while (true) {
    const slot = slots + (<usize>i << 3);
    entry = <usize>load<u32>(slot, 4);
    if (entry == 0) break;
    if (load<u32>(slot) == upper && isEntry(entry, bytes, length, hash)) break;
    i = (i + 1) & mask;
  }
  return entry;
}

/** Writes the references of `count` series (see write-request.ts) into their entries, 0 where unknown; how many are. */
export function labelCacheFind(cache: usize, src: usize, series: usize, count: u32): u32 {
  let unknown: u32 = 0;
  let last: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = series + <usize>i * SERIES_BYTES;
    const from = load<u32>(entry, 8);
    const to = load<u32>(entry, 12);
    let found: usize = 0;
    if (to != SCATTERED) {
      const hash = load<u64>(entry, 36);
      const next: usize = last == 0 ? <usize>0 : <usize>load<u32>(last, 16);
      if (next != 0 && isEntry(next, src + from, to - from, hash)) found = next;
      else {
        found = find(cache, src + from, to - from, hash);
        if (last != 0 && found != 0) store<u32>(last, <u32>found, 16);
      }
    }
    last = found;
    const ref = found == 0 ? 0 : load<u32>(found);
    store<u32>(entry, ref, 44);
    if (ref == 0) unknown++;
  }
  return unknown;
}

function grow(cache: usize): bool {
  const old = <usize>load<u32>(cache, 4);
  const oldCount: u32 = old == 0 ? 0 : load<u32>(cache) + 1;
  const count: u32 = old == 0 ? FIRST_SLOTS : oldCount << 1;
  if (count > 0x1000_0000) return false;
  const slots = <usize>alloc(count << 3);
  if (slots == 0) return false;
  memory.fill(slots, 0, <usize>count << 3);
  const mask = count - 1;
  for (let i: u32 = 0; i < oldCount; i++) {
    const slot = old + (<usize>i << 3);
    const entry = load<u32>(slot, 4);
    if (entry == 0) continue;
    let j = load<u32>(<usize>entry, 8) & mask;
    while (load<u32>(slots + (<usize>j << 3), 4) != 0) j = (j + 1) & mask;
    store<u64>(slots + (<usize>j << 3), load<u64>(slot));
  }
  free(<u32>old);
  store<u32>(cache, mask);
  store<u32>(cache, <u32>slots, 4);
  store<u32>(cache, load<u32>(cache, 24) + ((count - oldCount) << 3), 24);
  return true;
}

/** Sets the reference of the labels [bytes, bytes + length) with the given hash. 0 when there is no memory for it. */
export function labelCacheSet(cache: usize, bytes: usize, length: u32, low: u32, high: u32, ref: u32): u32 {
  const hash = (<u64>high << 32) | <u64>low;
  const known = find(cache, bytes, length, hash);
  if (known != 0) {
    store<u32>(known, ref);
    return 1;
  }
  const size: u32 = (ENTRY_BYTES + length + 7) & 0xffff_fff8;
  if (size > SLAB_BYTES - 16) return 0;
  const entries = load<u32>(cache, 8);
  if (load<u32>(cache, 4) == 0 || (entries + 1) << 1 > load<u32>(cache) + 1) {
    if (!grow(cache)) return 0;
  }
  let slab = load<u32>(cache, 12);
  let used = load<u32>(cache, 16);
  if (slab == 0 || used + size > load<u32>(cache, 20)) {
    const next = alloc(SLAB_BYTES);
    if (next == 0) return 0;
    store<u32>(<usize>next, slab);
    slab = next;
    used = 16;
    store<u32>(cache, slab, 12);
    store<u32>(cache, SLAB_BYTES, 20);
    store<u32>(cache, load<u32>(cache, 24) + SLAB_BYTES, 24);
  }
  const entry = <usize>slab + used;
  store<u32>(cache, used + size, 16);
  store<u32>(entry, ref);
  store<u32>(entry, length, 4);
  store<u64>(entry, hash, 8);
  store<u64>(entry, 0, 16);
  memory.copy(entry + ENTRY_BYTES, bytes, length);
  const mask = load<u32>(cache);
  const slots = <usize>load<u32>(cache, 4);
  let i = low & mask;
  while (load<u32>(slots + (<usize>i << 3), 4) != 0) i = (i + 1) & mask;
  store<u32>(slots + (<usize>i << 3), high);
  store<u32>(slots + (<usize>i << 3), <u32>entry, 4);
  store<u32>(cache, entries + 1, 8);
  return 1;
}

/** Forgets everything and frees its memory, but for the 32 bytes of `cache` itself, which begins as zeros. */
export function labelCacheClear(cache: usize): void {
  let slab = load<u32>(cache, 12);
  while (slab != 0) {
    const before = load<u32>(<usize>slab);
    free(slab);
    slab = before;
  }
  free(load<u32>(cache, 4));
  memory.fill(cache, 0, 32);
}
