import {resolutionOf} from "@strata/block";
import {formatGoDuration} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {CompactContext} from "../context.ts";
import {RESOLUTION} from "../downsample/resolution.ts";
import type {BucketState} from "./bucket-sync.ts";
import {CoarserData} from "./coarser-data.ts";
import {DELETE_DETAILS, mark} from "./marks.ts";

/** ms that blocks of each resolution are kept; 0 for ever. */
export type Retention = {readonly raw: number; readonly fiveMinutes: number; readonly oneHour: number};

/** How long blocks of a resolution are kept, ms; 0 for ever. */
export function retentionOf(resolution: number, retention: Retention): number {
  if (resolution === RESOLUTION.raw) return retention.raw;
  return resolution === RESOLUTION.fiveMinutes ? retention.fiveMinutes : retention.oneHour;
}

/** Whether all of the block is beyond its retention. Compat: reckoned in whole seconds of its end. */
export function isExpired(meta: BlockMeta, retention: Retention, now: number): boolean {
  const keep = retentionOf(resolutionOf(meta), retention);
  return keep > 0 && now > Math.floor(meta.maxTime / 1000) * 1000 + keep;
}

/**
 * The resolution that a block must have been downsampled to before it may go; undefined where there is nothing to wait
 * for, as the coarser data would be beyond its own retention already.
 */
export function neededResolution(meta: BlockMeta, retention: Retention, now: number): number | undefined {
  const resolution = resolutionOf(meta);
  if (resolution === RESOLUTION.oneHour) return undefined;
  const coarser = resolution === RESOLUTION.raw ? RESOLUTION.fiveMinutes : RESOLUTION.oneHour;
  const keep = retentionOf(coarser, retention);
  if (keep > 0 && now > Math.floor(meta.maxTime / 1000) * 1000 + keep) return undefined;
  return coarser;
}

export type RetentionOptions = {
  readonly retention: Retention;
  /** Whether blocks are downsampled; without it there is nothing to wait for. */
  readonly downsampling: boolean;
};

export type RetentionContext = Pick<CompactContext, "bucket" | "logger" | "metrics" | "now">;

/**
 * Marks the blocks beyond the retention of their resolution. A block is kept, with a warning and a metric, as long as the
 * coarser block that should hold its data is missing or not whole: what could not be downsampled must not be lost.
 * Blocks with a no-downsample mark of an operator go: that was decided. How many were marked.
 */
export async function applyRetention(
  ctx: RetentionContext,
  state: BucketState,
  options: RetentionOptions,
  signal: AbortSignal,
): Promise<number> {
  const {logger, metrics, now} = ctx;
  const coarser = new CoarserData(state);
  const held = new Map<string, number>(Object.values(RESOLUTION).map((resolution) => [String(resolution), 0]));
  let marked = 0;
  for (const meta of state.metas.values()) {
    if (!isExpired(meta, options.retention, now()) || state.deletionMarks.has(meta.ulid)) continue;
    const resolution = resolutionOf(meta);
    const needed = awaitedResolution(meta, state, options, now());
    if (needed !== undefined) {
      const why = await coarser.missing(ctx.bucket, meta, needed, signal);
      if (why !== undefined) {
        held.set(String(resolution), (held.get(String(resolution)) ?? 0) + 1);
        logger.warn("keeping block beyond its retention: it would be lost", {block: meta.ulid, resolution, why});
        continue;
      }
    }
    const duration = formatGoDuration(retentionOf(resolution, options.retention));
    await mark(ctx, "deletion", meta.ulid, {details: DELETE_DETAILS.retention(duration)}, signal);
    marked++;
  }
  for (const [resolution, count] of held) metrics.held.with({resolution}).set(count);
  return marked;
}

/**
 * The resolution at which the data of a block that is beyond its retention must be there before the block may go;
 * undefined where there is nothing to wait for.
 */
export function awaitedResolution(
  meta: BlockMeta,
  state: Pick<BucketState, "noDownsample">,
  {retention, downsampling}: RetentionOptions,
  now: number,
): number | undefined {
  if (!downsampling) return undefined;
  const mark = state.noDownsample.get(meta.ulid);
  return mark !== undefined && isManual(mark.reason) ? undefined : neededResolution(meta, retention, now);
}

/** A mark that a person put there. Ours have reasons of their own. */
const isManual = (reason: string): boolean => reason === "manual" || reason === "";
