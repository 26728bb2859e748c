import {
  DELETION_MARK_FILE,
  type MarkKind,
  NO_COMPACT_MARK_FILE,
  NO_DOWNSAMPLE_MARK_FILE,
  writeMark,
} from "@strata/block";
import type {CompactContext} from "../context.ts";

const MARKER: Readonly<Record<MarkKind, string>> = {
  deletion: DELETION_MARK_FILE,
  "no-compact": NO_COMPACT_MARK_FILE,
  "no-downsample": NO_DOWNSAMPLE_MARK_FILE,
};

/** Details of deletion marks, by which the cleaner knows what has to be there still before it deletes. */
export const DELETE_DETAILS = {
  compacted: "source of compacted block",
  repaired: "source of repaired block",
  outdated: "outdated block",
  retention: (duration: string) => `block exceeding retention of ${duration}`,
} as const;

/** Reasons of marks that are ours alone: blocks that cannot be handled. */
export const QUARANTINE_REASON = {
  corrupt: "block-corrupt",
  outside: "block-index-outside-chunk",
  labels: "block-index-out-of-order-labels",
  overlap: "block-overlap",
  /** Compat: the only reason that the original knows for blocks that are not to be downsampled. */
  empty: "manual",
} as const;

export type MarkContext = Pick<CompactContext, "bucket" | "logger" | "metrics" | "now">;

/** Puts a mark on a block and counts it; nothing happens where one is there already. */
export async function mark(
  ctx: MarkContext,
  kind: MarkKind,
  ulid: string,
  text: {readonly reason?: string; readonly details: string},
  signal: AbortSignal,
): Promise<void> {
  const reason = text.reason ?? "";
  const time = Math.floor(ctx.now() / 1000);
  const written = await writeMark(ctx.bucket, kind, {ulid, time, details: text.details, reason}, ctx.logger, signal);
  if (!written) return;
  ctx.metrics.marked.with({marker: MARKER[kind], reason}).inc();
  ctx.logger.info("block has been marked", {block: ulid, marker: MARKER[kind], reason, details: text.details});
}

/**
 * Sets a block aside: it is compacted (or downsampled) no more, stays readable, and its mark says what is wrong and what
 * to do. The rest goes on.
 */
export async function quarantine(
  ctx: MarkContext,
  kind: "no-compact" | "no-downsample",
  ulid: string,
  text: {readonly reason: string; readonly details: string},
  signal: AbortSignal,
): Promise<void> {
  ctx.logger.error("setting block aside", {block: ulid, from: kind.slice("no-".length), ...text});
  await mark(ctx, kind, ulid, text, signal);
  ctx.metrics.quarantined.with({reason: text.reason}).inc();
}
