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
