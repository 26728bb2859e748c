// Merge of two replicas' float columns by penalty. See src/dedup-twin.ts for the rules.

// @ts-ignore: decorator
@inline function at(column: usize, i: i32): f64 {
  return load<f64>(column + (<usize>i << 3));
}

/** ms; what the side not chosen first has to wait, as long as no distance of samples is known. */
const INITIAL_PENALTY: f64 = 5000;

/** Writes the merged samples, at most na + nb, to tsOut and vsOut; how many. */
export function dedupPenalty(
  tsA: usize, vsA: usize, na: i32, tsB: usize, vsB: usize, nb: i32, counter: u32, tsOut: usize, vsOut: usize,
): i32 {
  let i: i32 = 0;
  let j: i32 = 0;
  let n: i32 = 0;
  let t: f64 = 0;
  let started = false;
  let useA = true;
  let penaltyA: f64 = 0;
  let penaltyB: f64 = 0;
  let liftA: f64 = 0;
  let liftB: f64 = 0;
  let last: f64 = 0;
  let hasLast = na > 0;
  if (hasLast) last = at(vsA, 0);
  for (;;) {
    if (started) {
      const wantA = t + 1 + penaltyA;
      while (i < na && at(tsA, i) < wantA) i++;
      const wantB = t + 1 + penaltyB;
      while (j < nb && at(tsB, j) < wantB) j++;
    }
    const hasA = i < na;
    const hasB = j < nb;
    if (!hasA && !hasB) break;
    const usedA = useA;
    if (hasA && hasB) {
      const ta = at(tsA, i);
      const tb = at(tsB, j);
      useA = ta <= tb;
      const next = useA ? ta : tb;
      const penalty = started ? 2 * (next - t) : INITIAL_PENALTY;
      penaltyA = useA ? 0 : penalty;
      penaltyB = useA ? penalty : 0;
      t = next;
    } else {
      useA = hasA;
      if (hasA) {
        penaltyA = 0;
        t = at(tsA, i);
      } else {
        penaltyB = 0;
        t = at(tsB, j);
      }
    }
    started = true;
    const column = (useA ? vsA : vsB) + (<usize>(useA ? i : j) << 3);
    store<f64>(tsOut + (<usize>n << 3), t);
    if (!counter) {
      store<u64>(vsOut + (<usize>n << 3), load<u64>(column));
    } else {
      if (hasLast && usedA != useA) {
        if (hasA && last > at(vsA, i) + liftA) liftA += last - (at(vsA, i) + liftA);
        if (hasB && last > at(vsB, j) + liftB) liftB += last - (at(vsB, j) + liftB);
      }
      last = load<f64>(column) + (useA ? liftA : liftB);
      hasLast = true;
      store<f64>(vsOut + (<usize>n << 3), last);
    }
    n++;
  }
  return n;
}

// @ts-ignore: decorator
@inline function put(column: usize, i: i32, value: f64): void {
  store<f64>(column + (<usize>i << 3), value);
}

/**
 * Merges the samples of b into the n samples at tsA and vsA by penalty, as `dedupPenalty` without `counter` would, in
 * place: room for n + nb more is needed there and in `reach`, and room for n + nb at tsTmp and vsTmp. How many samples
 * there are then.
 *
 * reach[i] is the first time at which a sample of b is let pass by the samples up to i. What lies before the first sample
 * of b by that measure stays as it is, so folding many chunks of a series one after the other costs no more than their
 * samples.
 */
export function dedupFold(
  tsA: usize, vsA: usize, reach: usize, n: i32, tsB: usize, vsB: usize, nb: i32, tsTmp: usize, vsTmp: usize,
): i32 {
  if (nb == 0) return n;
  const first = at(tsB, 0);
  let lo: i32 = 0;
  let hi: i32 = n;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if (at(reach, middle) > first) hi = middle;
    else lo = middle + 1;
  }
  // The samples before `kept` come out as they are.
  let kept = lo;
  if (kept < n && at(tsA, kept) <= first) kept++;
  let t: f64 = 0;
  let penaltyA: f64 = 0;
  let penaltyB: f64 = 0;
  let started = kept > 0;
  if (started) {
    t = at(tsA, kept - 1);
    penaltyB = kept == 1 ? INITIAL_PENALTY : 2 * (t - at(tsA, kept - 2));
  }
  let i = kept;
  let j: i32 = 0;
  let out: i32 = 0;
  for (;;) {
    if (started) {
      const wantA = t + 1 + penaltyA;
      while (i < n && at(tsA, i) < wantA) i++;
      const wantB = t + 1 + penaltyB;
      while (j < nb && at(tsB, j) < wantB) j++;
    }
    const hasA = i < n;
    const hasB = j < nb;
    if (!hasA && !hasB) break;
    let useA = hasA;
    if (hasA && hasB) {
      const ta = at(tsA, i);
      const tb = at(tsB, j);
      useA = ta <= tb;
      const next = useA ? ta : tb;
      const penalty = started ? 2 * (next - t) : INITIAL_PENALTY;
      penaltyA = useA ? 0 : penalty;
      penaltyB = useA ? penalty : 0;
      t = next;
    } else if (hasA) {
      penaltyA = 0;
      t = at(tsA, i);
    } else {
      penaltyB = 0;
      t = at(tsB, j);
    }
    started = true;
    put(tsTmp, out, t);
    const column = (useA ? vsA : vsB) + (<usize>(useA ? i : j) << 3);
    store<u64>(vsTmp + (<usize>out << 3), load<u64>(column));
    out++;
  }
  memory.copy(tsA + (<usize>kept << 3), tsTmp, <usize>out << 3);
  memory.copy(vsA + (<usize>kept << 3), vsTmp, <usize>out << 3);
  dedupReach(tsA, reach, kept, kept + out);
  return kept + out;
}

/** Fills in reach[from, to). */
export function dedupReach(ts: usize, reach: usize, from: i32, to: i32): void {
  let top: f64 = from > 0 ? at(reach, from - 1) : -Infinity;
  for (let i = from; i < to; i++) {
    const t = at(ts, i);
    const own = t + 1 + (i == 0 ? INITIAL_PENALTY : 2 * (t - at(ts, i - 1)));
    if (own > top) top = own;
    put(reach, i, top);
  }
}
