// Two-level segregated-fit allocator with immediate coalescing: O(1) alloc and free, 16-byte aligned payloads.
//
//   block:  0 size of the whole block (multiple of 16) | bit 0: free
//           4 address of the block before it in memory, 0 for the first
//           8 next free   12 previous free   (free blocks only)
//          16 payload …
//
// A sentinel block (size 0, in use) ends the heap, so the block after any other may always be looked at. The heap is
// the rest of linear memory and grows at its end. Nothing else in this module may grow memory. The sentinel is wide, so
// that kernels may read (never write) up to SLACK bytes past any allocation without a trap.

const HEADER: u32 = 16;
const FREE: u32 = 1;
/** How far past the end of an allocation reads stay inside memory; also the sentinel's width. */
export const SLACK: u32 = 64;
const SL_BITS: u32 = 4;
const SL: u32 = 16;
/** Sizes below this share the first row, in steps of 16. */
const SMALL: u32 = 256;
const FL: u32 = 25;
/** One page is never used, so that no address wraps around to 0. */
const MAX_PAGES: u32 = 65535;
/** Grow by at least so many pages, or by an eighth of what there is. */
const MIN_GROWTH: u32 = 16;

const heads: usize = memory.data(25 * 16 * 4, 16);
const slMaps: usize = memory.data(25 * 4, 16);
let flMap: u32 = 0;
let heapStart: u32 = 0;
let sentinel: u32 = 0;
let inUse: u32 = 0;

@inline function sizeOf(block: u32): u32 {
  return load<u32>(block) & ~FREE;
}

@inline function rowOf(size: u32): u32 {
  return size < SMALL ? 0 : 31 - clz(size) - 7;
}

@inline function columnOf(size: u32): u32 {
  return size < SMALL ? size >> 4 : (size >> (31 - clz(size) - SL_BITS)) & (SL - 1);
}

function insertFree(block: u32, size: u32): void {
  const row = rowOf(size);
  const column = columnOf(size);
  const head = heads + ((row * SL + column) << 2);
  const next = load<u32>(head);
  store<u32>(block, size | FREE);
  store<u32>(block + 8, next);
  store<u32>(block + 12, 0);
  if (next) store<u32>(next + 12, block);
  store<u32>(head, block);
  flMap |= 1 << row;
  const map = slMaps + (row << 2);
  store<u32>(map, load<u32>(map) | (1 << column));
}

function removeFree(block: u32, size: u32): void {
  const row = rowOf(size);
  const column = columnOf(size);
  const next = load<u32>(block + 8);
  const prev = load<u32>(block + 12);
  if (next) store<u32>(next + 12, prev);
  if (prev) {
    store<u32>(prev + 8, next);
    return;
  }
  store<u32>(heads + ((row * SL + column) << 2), next);
  if (next) return;
  const map = slMaps + (row << 2);
  const columns = load<u32>(map) & ~(1 << column);
  store<u32>(map, columns);
  if (!columns) flMap &= ~(1 << row);
}

/** A free block of at least `size` bytes, or 0. Every block of the class it looks in is large enough. */
function findFree(size: u32): u32 {
  let wanted = size;
  if (size >= SMALL) {
    const round: u32 = (1 << (31 - clz(size) - SL_BITS)) - 1;
    if (wanted > 0xffffffff - round) return 0;
    wanted += round;
  }
  let row = rowOf(wanted);
  let columns = load<u32>(slMaps + (row << 2)) & (0xffffffff << columnOf(wanted));
  if (!columns) {
    const rows = row >= 31 ? 0 : flMap & (0xffffffff << (row + 1));
    if (!rows) return 0;
    row = ctz(rows);
    columns = load<u32>(slMaps + (row << 2));
  }
  return load<u32>(heads + ((row * SL + ctz(columns)) << 2));
}

/** Adds at least `size` bytes of free heap; false when memory may not grow so far. */
function growHeap(size: u32): bool {
  const pages = <u32>memory.size();
  const needed = <u32>((<u64>size + SLACK + 65535) >> 16);
  if (needed > MAX_PAGES - pages) return false;
  const room = MAX_PAGES - pages;
  let more = max(needed, max(MIN_GROWTH, pages >> 3));
  if (more > room) more = room;
  if (memory.grow(more) < 0 && (more == needed || memory.grow(needed) < 0)) return false;
  extendTo(<u32>memory.size() << 16);
  return true;
}

/** Turns [sentinel, end) into free space and puts a new sentinel before `end`. */
function extendTo(end: u32): void {
  let block = sentinel;
  let size = end - SLACK - block;
  const prev = load<u32>(block + 4);
  if (prev && load<u32>(prev) & FREE) {
    const prevSize = sizeOf(prev);
    removeFree(prev, prevSize);
    size += prevSize;
    block = prev;
  }
  sentinel = end - SLACK;
  store<u32>(sentinel, 0);
  store<u32>(sentinel + 4, block);
  insertFree(block, size);
}

function start(): void {
  heapStart = (<u32>__heap_base + 15) & ~15;
  sentinel = heapStart;
  store<u32>(sentinel, 0);
  store<u32>(sentinel + 4, 0);
  extendTo(<u32>memory.size() << 16);
}

/** Address of `bytes` bytes of undefined content, 16-byte aligned; 0 when there is no room. */
export function alloc(bytes: u32): u32 {
  if (bytes > 0xfffe0000) return 0;
  if (!sentinel) start();
  const size = (max<u32>(bytes, 1) + HEADER + 15) & ~15;
  let block = findFree(size);
  if (!block) {
    // The class searched is rounded up, so ask for enough that it will be found.
    const slack: u32 = size >= SMALL ? <u32>1 << (31 - clz(size) - SL_BITS) : 0;
    if (size > 0xfffeffff - slack || !growHeap(size + slack)) return 0;
    block = findFree(size);
    if (!block) return 0;
  }
  const have = sizeOf(block);
  removeFree(block, have);
  const rest = have - size;
  if (rest >= HEADER + 16) {
    const tail = block + size;
    store<u32>(tail + 4, block);
    store<u32>(block + have + 4, tail);
    insertFree(tail, rest);
    store<u32>(block, size);
    inUse += size;
  } else {
    store<u32>(block, have);
    inUse += have;
  }
  return block + HEADER;
}

/** Gives back what `alloc` returned. 0 is nothing to free; false when `ptr` is no live allocation. */
export function free(ptr: u32): u32 {
  if (!ptr) return 1;
  let block = ptr - HEADER;
  if (ptr & 15 || block < heapStart || block >= sentinel || load<u32>(block) & 15) return 0;
  let size = load<u32>(block);
  if (size < HEADER + 16 || size > sentinel - block || load<u32>(block + size + 4) != block) return 0;
  inUse -= size;
  const next = block + size;
  if (load<u32>(next) & FREE) {
    const nextSize = sizeOf(next);
    removeFree(next, nextSize);
    size += nextSize;
  }
  const prev = load<u32>(block + 4);
  if (prev && load<u32>(prev) & FREE) {
    const prevSize = sizeOf(prev);
    removeFree(prev, prevSize);
    size += prevSize;
    block = prev;
  }
  store<u32>(block + size + 4, block);
  insertFree(block, size);
  return 1;
}

/** Bytes of the payload behind `ptr`: what was asked for, rounded up. */
export function allocSize(ptr: u32): u32 {
  return sizeOf(ptr - HEADER) - HEADER;
}

/** Bytes in live allocations, headers included. */
export function allocated(): u32 {
  return inUse;
}
