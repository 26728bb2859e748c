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
