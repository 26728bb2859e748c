import {type Expr, transform} from "@strata/promql";

/** `--query-range.split-interval`, or what takes its place; ms, 0 is off. */
export type SplitConfig = {
  readonly intervalMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly shards: number;
};

/** How long the parts of a query from `start` to `end` are, ms. */
export function splitInterval({intervalMs, minMs, maxMs, shards}: SplitConfig, start: number, end: number): number {
  if (intervalMs > 0) return intervalMs;
  const range = end - start;
  if (Math.floor(range / maxMs) >= 2) return maxMs;
  return range > minMs ? Math.floor(range / shards) : minMs;
}

/**
 * The parts of [start, end], both inclusive, cut at multiples of `interval` so that each holds the steps up to the
 * multiple. Compat: exactly the original's arithmetic, because the keys of caches follow from it.
 */
export function splitRange(start: number, end: number, step: number, interval: number): {start: number; end: number}[] {
  if (start === end) return [{start, end}];
  const parts: {start: number; end: number}[] = [];
  for (let from = start; from < end; ) {
    const last = lastStepBefore(from, step, interval);
    parts.push({start: from, end: last + step >= end ? end : last});
    from = last + step;
  }
  return parts;
}

/** The last step, counted from `t`, before the next multiple of `interval`. */
function lastStepBefore(t: number, step: number, interval: number): number {
  const boundary = (Math.floor(t / interval) + 1) * interval;
  const target = boundary - ((boundary - t) % step);
  return target === boundary ? target - step : target;
}

/** Consecutive parts of [start, end], each of `interval`; for calls that have no steps. */
export function splitPlain(start: number, end: number, interval: number): {start: number; end: number}[] {
  const parts: {start: number; end: number}[] = [];
  for (let from = start; from < end; from += interval) parts.push({start: from, end: Math.min(from + interval, end)});
  return parts.length === 0 ? [{start, end}] : parts;
}

/** `@ start()` and `@ end()` as times: the parts of a query must mean the whole's. */
export function fixBounds(expr: Expr, start: number, end: number): Expr {
  return transform(expr, (node) => {
    if (node.kind !== "vector" && node.kind !== "subquery") return node;
    if (node.at?.kind === "start") return {...node, at: {kind: "time", t: start}};
    if (node.at?.kind === "end") return {...node, at: {kind: "time", t: end}};
    return node;
  });
}
