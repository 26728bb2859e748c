/** Lists of series ids are ascending and without doubles. Results are new arrays or one of the inputs: never write into them. */
export type IdList = Uint32Array;

const NONE = new Uint32Array(0);

/** First position at or behind `from` whose id is not below `target`, found by doubling steps. */
export function gallop(list: IdList, target: number, from: number): number {
  if (from >= list.length || (list[from] as number) >= target) return from;
  let step = 1;
  let low = from;
  while (low + step < list.length && (list[low + step] as number) < target) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, list.length);
  while (low + 1 < high) {
    const mid = (low + high) >>> 1;
    if ((list[mid] as number) < target) low = mid;
    else high = mid;
  }
  return high;
}

/** Ids that both lists hold. Cost: O(short · log(long/short)). */
export function intersectTwo(a: IdList, b: IdList): IdList {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const out = new Uint32Array(short.length);
  let n = 0;
  let at = 0;
  // PERF: lists of about one length are walked in step; galloping pays from a ratio of some 16.
  if (long.length < short.length * 16) {
    for (let i = 0; i < short.length && at < long.length; ) {
      const x = short[i] as number;
      const y = long[at] as number;
      if (x === y) out[n++] = x;
      if (x <= y) i++;
      if (y <= x) at++;
    }
    return out.subarray(0, n);
  }
  for (let i = 0; i < short.length && at < long.length; i++) {
    const x = short[i] as number;
    at = gallop(long, x, at);
    if (long[at] === x) out[n++] = x;
  }
  return out.subarray(0, n);
}

/** Ids that every list holds; none for no lists. */
export function intersect(lists: readonly IdList[]): IdList {
  const byLength = [...lists].sort((a, b) => a.length - b.length);
  let result = byLength[0] ?? NONE;
  for (let i = 1; i < byLength.length && result.length > 0; i++) result = intersectTwo(result, byLength[i] as IdList);
  return result;
}

/** Whether the lists share an id. */
export function intersects(a: IdList, b: IdList): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  let at = 0;
  for (let i = 0; i < short.length && at < long.length; i++) {
    at = gallop(long, short[i] as number, at);
    if (long[at] === short[i]) return true;
  }
  return false;
}

/** Ids that any of the lists holds. */
export function union(lists: readonly IdList[]): IdList {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length <= 1) return filled[0] ?? NONE;
  if (isDense(filled)) return unionByBits(filled);
  let level: IdList[] = filled;
  while (level.length > 1) {
    const next: IdList[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) next.push(unionTwo(level[i] as IdList, level[i + 1] as IdList));
    if (level.length % 2 === 1) next.push(level.at(-1) as IdList);
    level = next;
  }
  return level[0] as IdList;
}

function unionTwo(a: IdList, b: IdList): IdList {
  const out = new Uint32Array(a.length + b.length);
  let n = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] as number;
    const y = b[j] as number;
    out[n++] = Math.min(x, y);
    if (x <= y) i++;
    if (y <= x) j++;
  }
  for (; i < a.length; i++) out[n++] = a[i] as number;
  for (; j < b.length; j++) out[n++] = b[j] as number;
  return out.subarray(0, n);
}

/** Whether a bit per id of the covered range costs less than merging: many lists, and their ids not far apart. */
function isDense(lists: readonly IdList[]): boolean {
  if (lists.length < 8) return false;
  let total = 0;
  for (const list of lists) total += list.length;
  const [low, high] = bounds(lists);
  return high - low < total * 64;
}

function bounds(lists: readonly IdList[]): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const list of lists) {
    low = Math.min(low, list[0] as number);
    high = Math.max(high, list[list.length - 1] as number);
  }
  return [low, high];
}

function unionByBits(lists: readonly IdList[]): IdList {
  const [low, high] = bounds(lists);
  const bits = new Uint32Array(((high - low) >>> 5) + 1);
  let total = 0;
  for (const list of lists) {
    total += list.length;
    for (let i = 0; i < list.length; i++) {
      const bit = (list[i] as number) - low;
      bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }
  const out = new Uint32Array(total);
  let n = 0;
  for (let w = 0; w < bits.length; w++) {
    let word = bits[w] as number;
    while (word !== 0) {
      const lowest = word & -word;
      out[n++] = low + w * 32 + (31 - Math.clz32(lowest));
      word ^= lowest;
    }
  }
  return out.subarray(0, n);
}

/** Ids of `a` that `b` does not hold. */
export function subtract(a: IdList, b: IdList): IdList {
  if (a.length === 0 || b.length === 0) return a;
  const out = new Uint32Array(a.length);
  let n = 0;
  let at = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    at = gallop(b, x, at);
    if (b[at] !== x) out[n++] = x;
  }
  return n === a.length ? a : out.subarray(0, n);
}
