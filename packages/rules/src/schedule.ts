import {Labels, labelsHash} from "@strata/model";

/**
 * Where in its interval a group runs, ns: a hash of file and name, so that groups spread and keep their place over
 * restarts.
 */
export const groupOffset = (file: string, name: string, intervalMs: number): bigint =>
  labelsHash(new Labels(["file", file, "name", name])) % (BigInt(intervalMs) * 1_000_000n);

/** The last slot of the group at or before `now`, both ms (a slot is cut to whole ms). */
export function lastSlot(now: number, offsetNs: bigint, intervalMs: number): number {
  const interval = BigInt(intervalMs) * 1_000_000n;
  const since = BigInt(Math.floor(now)) * 1_000_000n + 999_999n - offsetNs;
  const slot = since - (((since % interval) + interval) % interval) + offsetNs;
  return Number(slot / 1_000_000n);
}

/** What follows an evaluation at `last` when it is `now`: the next time, and how many were missed. */
export function nextEvaluation(last: number, now: number, intervalMs: number): {t: number; missed: number} {
  const missed = Math.max(0, Math.floor((now - last) / intervalMs) - 1);
  return {t: last + (missed + 1) * intervalMs, missed};
}
