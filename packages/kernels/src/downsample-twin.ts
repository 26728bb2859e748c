/** Aggregates of one chunk to be, a row a window; the counter's columns have two rows more. */
export type DownsampledColumns = {
  readonly t: number[];
  readonly count: number[];
  readonly sum: number[];
  readonly min: number[];
  readonly max: number[];
  readonly counterT: number[];
  readonly counter: number[];
};

/** The last ms of the window of `resolution` ms that t lies in. */
export const windowEnd = (t: number, resolution: number): number =>
  t - (((t % resolution) + resolution) % resolution) + resolution - 1;

/**
 * Aggregates ascending samples over windows. A chunk takes `batchSize` samples (NaN among them) and goes on to the end of
 * the window it is in. A window's row stands at its end, that of a chunk's last window at the last sample. The counter
 * adds up increases from the chunk's first value on, and keeps the truth at both ends: it begins with the first sample
 * as it is, and ends with the last value as it is, at the time of the row before.
 */
export function downsampleTwin(
  ts: ArrayLike<number>,
  vs: ArrayLike<number>,
  batchSize: number,
  resolution: number,
): DownsampledColumns[] {
  const chunks: DownsampledColumns[] = [];
  for (let from = 0; from < ts.length; ) {
    let to = Math.min(from + batchSize, ts.length);
    const end = windowEnd(ts[to - 1] as number, resolution);
    while (to < ts.length && (ts[to] as number) <= end) to++;
    const kept: number[] = [];
    for (let i = from; i < to; i++) if (!Number.isNaN(vs[i])) kept.push(i);
    if (kept.length > 0) chunks.push(aggregate(kept, ts, vs, resolution));
    from = to;
  }
  return chunks;
}

function aggregate(
  rows: readonly number[],
  ts: ArrayLike<number>,
  vs: ArrayLike<number>,
  resolution: number,
): DownsampledColumns {
  const first = rows[0] as number;
  const last = rows.at(-1) as number;
  const out: DownsampledColumns = {
    t: [],
    count: [],
    sum: [],
    min: [],
    max: [],
    counterT: [ts[first] as number],
    counter: [vs[first] as number],
  };
  let counter = vs[first] as number;
  let before = counter;
  for (let i = 0; i < rows.length; ) {
    const end = Math.min(windowEnd(ts[rows[i] as number] as number, resolution), ts[last] as number);
    let count = 0;
    let sum = 0;
    // Compat: an infinite value leaves these where they begin.
    let min = Number.MAX_VALUE;
    let max = -Number.MAX_VALUE;
    for (; i < rows.length && (ts[rows[i] as number] as number) <= end; i++) {
      const v = vs[rows[i] as number] as number;
      if (i > 0) counter += v < before ? v : v - before;
      before = v;
      count++;
      sum += v;
      if (v < min) min = v;
      if (v > max) max = v;
    }
    out.t.push(end);
    out.count.push(count);
    out.sum.push(sum);
    out.min.push(min);
    out.max.push(max);
    out.counterT.push(end);
    out.counter.push(counter);
  }
  out.counterT.push(ts[last] as number);
  out.counter.push(vs[last] as number);
  return out;
}

/** One column over windows, as the kernel `windowColumn` does it; `op` is one of WINDOW_OP. */
export function windowColumnTwin(
  ts: ArrayLike<number>,
  vs: ArrayLike<number>,
  resolution: number,
  op: number,
): {t: number[]; v: number[]} {
  const out: {t: number[]; v: number[]} = {t: [], v: []};
  let counter = 0;
  for (let i = 0; i < ts.length; ) {
    const end = Math.min(windowEnd(ts[i] as number, resolution), ts[ts.length - 1] as number);
    let value = op === 1 ? Number.MAX_VALUE : op === 2 ? -Number.MAX_VALUE : 0;
    for (; i < ts.length && (ts[i] as number) <= end; i++) {
      const v = vs[i] as number;
      // Not Math.min: a NaN changes nothing here.
      if (op === 0) value += v;
      else if ((op === 1 && v < value) || (op === 2 && v > value)) value = v;
      if (i === 0) counter = v;
      else counter += v < (vs[i - 1] as number) ? v : v - (vs[i - 1] as number);
    }
    out.t.push(end);
    out.v.push(op === 3 ? counter : value);
  }
  return out;
}

/** Samples of a counter over chunks as if it had never been reset, as the kernel does it, and the last true value. */
export function counterResetsTwin(
  ts: ArrayLike<number>,
  vs: ArrayLike<number>,
): {t: number[]; v: number[]; last: number} {
  const out: {t: number[]; v: number[]; last: number} = {t: [], v: [], last: 0};
  for (let i = 0; i < ts.length; i++) {
    const t = ts[i] as number;
    const v = vs[i] as number;
    if (Number.isNaN(v)) continue;
    const lastT = out.t.at(-1);
    if (lastT !== undefined && t <= lastT) {
      if (t === lastT) out.last = v;
      continue;
    }
    const total = out.v.at(-1);
    out.v.push(total === undefined ? v : total + (v >= out.last ? v - out.last : v));
    out.t.push(t);
    out.last = v;
  }
  return out;
}
