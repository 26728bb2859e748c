/** A stretch of an object that is read at once, and which of the asked ranges lie in it: [firstRange, endRange). */
export type Part = {
  readonly start: number;
  readonly end: number;
  readonly firstRange: number;
  readonly endRange: number;
};

/**
 * Joins ranges [starts[i], ends[i]) that are ascending by start into parts: reading over a gap of up to `gap` bytes is
 * cheaper than another request. No part grows beyond `maxBytes` unless one range alone is larger.
 */
export function partition(
  starts: ArrayLike<number>,
  ends: ArrayLike<number>,
  gap: number,
  maxBytes: number,
): readonly Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < starts.length; ) {
    const start = starts[i] as number;
    let end = ends[i] as number;
    let next = i + 1;
    for (; next < starts.length && end + gap >= (starts[next] as number); next++) {
      if ((ends[next] as number) - start > maxBytes) break;
      end = Math.max(end, ends[next] as number);
    }
    parts.push({start, end, firstRange: i, endRange: next});
    i = next;
  }
  return parts;
}
