/** ms; what the side not chosen first has to wait, as long as no distance of samples is known. */
const INITIAL_PENALTY = 5000;

/** Merged samples as columns of n entries; the arrays may be longer. */
export type MergedColumns = {readonly ts: Float64Array; readonly vs: Float64Array; readonly n: number};

/**
 * Merges two replicas' ascending float columns as Thanos does: the earlier sample is taken, and the other side then has
 * to wait twice the distance of samples, so that one replica is kept to until it leaves a gap. `counter` lifts the side
 * switched to where its value would fall below the last one, which quiets signalling NaN; otherwise bits are kept.
 */
export function dedupPenaltyTwin(
  tsA: Float64Array,
  vsA: Float64Array,
  na: number,
  tsB: Float64Array,
  vsB: Float64Array,
  nb: number,
  counter: boolean,
): MergedColumns {
  const ts = new Float64Array(na + nb);
  const vs = new Float64Array(na + nb);
  const words = new Uint32Array(vs.buffer);
  const wordsA = new Uint32Array(vsA.buffer, vsA.byteOffset, na * 2);
  const wordsB = new Uint32Array(vsB.buffer, vsB.byteOffset, nb * 2);
  let i = 0;
  let j = 0;
  let t = 0;
  let useA = true;
  let penaltyA = 0;
  let penaltyB = 0;
  let liftA = 0;
  let liftB = 0;
  // Compat: before its first sample the original takes the first side's for the one it returned last.
  let last = na > 0 ? vsA[0]! : Number.NaN;
  for (let n = 0; ; n++) {
    if (n > 0) {
      while (i < na && tsA[i]! < t + 1 + penaltyA) i++;
      while (j < nb && tsB[j]! < t + 1 + penaltyB) j++;
    }
    const hasA = i < na;
    const hasB = j < nb;
    if (!hasA && !hasB) return {ts, vs, n};
    const usedA: boolean = useA;
    useA = hasA && (!hasB || tsA[i]! <= tsB[j]!);
    const next = useA ? tsA[i]! : tsB[j]!;
    const penalty = n > 0 ? 2 * (next - t) : INITIAL_PENALTY;
    if (useA) {
      penaltyA = 0;
      if (hasB) penaltyB = penalty;
    } else {
      penaltyB = 0;
      if (hasA) penaltyA = penalty;
    }
    t = next;
    ts[n] = t;
    if (!counter) {
      const from = useA ? wordsA : wordsB;
      const k = useA ? i : j;
      words[2 * n] = from[2 * k]!;
      words[2 * n + 1] = from[2 * k + 1]!;
      continue;
    }
    if (usedA !== useA) {
      if (hasA && last > vsA[i]! + liftA) liftA += last - (vsA[i]! + liftA);
      if (hasB && last > vsB[j]! + liftB) liftB += last - (vsB[j]! + liftB);
    }
    last = useA ? vsA[i]! + liftA : vsB[j]! + liftB;
    vs[n] = last;
  }
}
