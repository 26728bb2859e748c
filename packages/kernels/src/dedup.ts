import type {Kernel} from "./kernel.ts";
import type {KernelColumns} from "./range.ts";

/**
 * `dedupPenaltyTwin` over columns in linear memory: writes at most na + nb samples to `out`, which must not overlap the
 * inputs; returns how many. Nothing is allocated, so views stay valid.
 */
export const dedupPenalty = (
  k: Kernel,
  a: KernelColumns,
  na: number,
  b: KernelColumns,
  nb: number,
  counter: boolean,
  out: KernelColumns,
): number => k.exports.dedupPenalty(a.ts, a.vs, na, b.ts, b.vs, nb, counter ? 1 : 0, out.ts, out.vs);

/**
 * Merges b into the `n` samples of `a` in place, for folding the chunks of one series: what a has before b is not touched.
 * `a` and `reach` (8 bytes a sample) need room for n + nb, `tmp` too; nothing is allocated. How many there are then.
 */
export const dedupFold = (
  k: Kernel,
  a: KernelColumns,
  reach: number,
  n: number,
  b: KernelColumns,
  nb: number,
  tmp: KernelColumns,
): number => {
  if (n > 0) return k.exports.dedupFold(a.ts, a.vs, reach, n, b.ts, b.vs, nb, tmp.ts, tmp.vs);
  k.u8().copyWithin(a.ts, b.ts, b.ts + 8 * nb);
  k.u8().copyWithin(a.vs, b.vs, b.vs + 8 * nb);
  k.exports.dedupReach(a.ts, reach, 0, nb);
  return nb;
};
