/** Bytes [start, end) of an object. */
export type Span = {readonly start: number; readonly end: number};

/** The aligned pieces of `size` bytes that hold [from, to) of an object, the last one cut at the object's end. */
export function subrangesOf(from: number, to: number, size: number, objectBytes: number): Span[] {
  const spans: Span[] = [];
  for (let start = Math.floor(from / size) * size; start < to; start += size) {
    spans.push({start, end: Math.min(start + size, objectBytes)});
  }
  return spans;
}

/**
 * Joins missing pieces (ascending) to at most `maxSpans` reads (0: no limit): neighbours always, then over ever larger
 * gaps, `firstGap` at first.
 */
export function mergeSpans(missing: readonly Span[], maxSpans: number, firstGap: number): readonly Span[] {
  let merged = joined(missing, 0);
  for (let gap = firstGap; maxSpans > 0 && merged.length > maxSpans; gap *= 2) merged = joined(merged, gap);
  return merged;
}

function joined(spans: readonly Span[], gap: number): Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last === undefined || span.start - last.end > gap) out.push(span);
    else out[out.length - 1] = {start: last.start, end: span.end};
  }
  return out;
}
