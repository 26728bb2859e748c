/** Sample `at` of input `chunk`. */
export type Pick = {readonly chunk: number; readonly at: number};

type Times = {readonly t: ArrayLike<number>; readonly n: number};

/** ms; what the side not chosen first has to wait, as long as no distance of samples is known. */
const INITIAL_PENALTY = 5000;

/**
 * Which samples are left when chunks of replicas are folded by penalty, the first with the second, that with the third and
 * so on; `dedupPenaltyTwin` of the kernels tells the rules. For samples that are more than a time and a float.
 */
export function penaltyFold(chunks: readonly Times[]): readonly Pick[] {
  let picks: Pick[] = [];
  chunks.forEach(({n}, chunk) => {
    const own = Array.from({length: n}, (_, at) => ({chunk, at}));
    picks = chunk === 0 ? own : fold(picks, own, (pick) => (chunks[pick.chunk] as Times).t[pick.at] as number);
  });
  return picks;
}

function fold(a: readonly Pick[], b: readonly Pick[], time: (pick: Pick) => number): Pick[] {
  const out: Pick[] = [];
  let i = 0;
  let j = 0;
  let last: number | undefined;
  let penaltyA = 0;
  let penaltyB = 0;
  for (;;) {
    if (last !== undefined) {
      while (i < a.length && time(a[i] as Pick) < last + 1 + penaltyA) i++;
      while (j < b.length && time(b[j] as Pick) < last + 1 + penaltyB) j++;
    }
    const [x, y] = [a[i], b[j]];
    const useA = x !== undefined && (y === undefined || time(x) <= time(y));
    const chosen = useA ? x : y;
    if (chosen === undefined) return out;
    const t = time(chosen);
    const penalty = last === undefined ? INITIAL_PENALTY : 2 * (t - last);
    if (useA) penaltyA = 0;
    else penaltyB = 0;
    if (x !== undefined && y !== undefined) {
      if (useA) penaltyB = penalty;
      else penaltyA = penalty;
    }
    last = t;
    out.push(chosen);
  }
}
