import {availableParallelism} from "node:os";
import {setTimeout as sleep} from "node:timers/promises";
import {errorText, forEachLimit, StrataError} from "@strata/base";
import {type DiscoveryStrategy, type FetcherMetrics, fetcherMetrics, groupKey, type HashFunc} from "@strata/block";
import type {RelabelConfig} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import type {BlocksPlan, BlocksView} from "@strata/web";
import {blocksPlan} from "./blocks-plan.ts";
import {type BucketState, BucketSync} from "./bucket/bucket-sync.ts";
import {deleteMarked, deletePartialUploads} from "./bucket/cleaner.ts";
import {Failures, HaltError, isRetriable} from "./bucket/failures.ts";
import {collectGarbage} from "./bucket/garbage.ts";
import {applyRetention, type Retention} from "./bucket/retention.ts";
import {Rivals} from "./bucket/rivals.ts";
import {GroupCompaction, type GroupOptions} from "./compact-group.ts";
import type {CompactContext} from "./context.ts";
import {DOWNSAMPLE_RANGE, RESOLUTION} from "./downsample/resolution.ts";
import {blocksToDownsample, downsampleBlocks} from "./downsample-bucket.ts";
import {compactMetrics} from "./metrics.ts";
import {type Group, groupBlocks} from "./plan/groups.ts";
import {COMPACTION_LEVELS} from "./plan/planner.ts";
import {showProgress} from "./progress.ts";
import {WorkPool} from "./work/work-pool.ts";

/** The flags of `strata compact` as values; all but the first four have its defaults. Times are ms. */
export type CompactorOptions = {
  /** Already counted and prefixed; not closed by the component. */
  readonly bucket: Bucket;
  /** Where blocks are worked on; may be lost. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now?: (() => number) | undefined;
  readonly minTime?: (() => number) | undefined;
  readonly maxTime?: (() => number) | undefined;
  readonly relabel?: readonly RelabelConfig[] | undefined;
  readonly strategy?: DiscoveryStrategy | undefined;
  readonly metaConcurrency?: number | undefined;
  readonly filesConcurrency?: number | undefined;
  readonly fetchConcurrency?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly downsampleConcurrency?: number | undefined;
  readonly consistencyDelayMs?: number | undefined;
  readonly deleteDelayMs?: number | undefined;
  readonly retention?: Retention | undefined;
  readonly downsampling?: boolean | undefined;
  readonly vertical?: boolean | undefined;
  readonly dedup?: "" | "penalty" | undefined;
  readonly replicaLabels?: readonly string[] | undefined;
  readonly hashFunc?: HashFunc | undefined;
  /** Bytes. */
  readonly maxIndexBytes?: number | undefined;
  /** 1 to 4: up to 2 h, 8 h, 2 d, 14 d. */
  readonly maxLevel?: number | undefined;
  readonly skipOutOfOrder?: boolean | undefined;
  readonly acceptMalformed?: boolean | undefined;
  readonly haltOnError?: boolean | undefined;
  /** Merges and downsamples on the calling thread; for a single run that does one thing at a time. */
  readonly inline?: boolean | undefined;
  readonly waitIntervalMs?: number | undefined;
  readonly cleanupIntervalMs?: number | undefined;
  readonly progressIntervalMs?: number | undefined;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Compat: 64 GiB, as far as an index can reach. */
const MAX_INDEX_BYTES = 64 * 1024 ** 3;
/** Small merges of one group at once. PERF: more than plans are under way at once would have no effect. */
const MERGES_AT_ONCE = 2;
const FOREVER: Retention = {raw: 0, fiveMinutes: 0, oneHour: 0};

/** Looks after the blocks of a bucket: merges, downsamples and expires them. */
export class Compactor {
  readonly #ctx: CompactContext;
  readonly #o: CompactorOptions;
  readonly #group: GroupOptions;
  readonly #retention: Retention;
  readonly #deleteDelayMs: number;
  readonly #downsampling: boolean;
  readonly #sync: BucketSync;
  readonly #rivals: Rivals;
  #state: BucketState | undefined;
  #seenAt: number | undefined;
  #error: string | undefined;
  #viewMetrics: FetcherMetrics | undefined;

  /** Throws `bad_data` for options that cannot go together. */
  constructor(options: CompactorOptions) {
    const {bucket, logger, registry, now = Date.now, replicaLabels = []} = options;
    this.#o = options;
    this.#retention = options.retention ?? FOREVER;
    this.#downsampling = options.downsampling ?? true;
    this.#deleteDelayMs = options.deleteDelayMs ?? 48 * HOUR_MS;
    if (options.dedup === "penalty" && replicaLabels.length === 0) {
      throw new StrataError("bad_data", "penalty based deduplication needs at least one replica label specified");
    }
    checkRetention(this.#retention, this.#downsampling);
    const metrics = compactMetrics(registry);
    metrics.deleteDelay.set(this.#deleteDelayMs / 1000);
    this.#ctx = {
      bucket,
      dataDir: options.dataDir,
      logger,
      metrics,
      pool: new WorkPool(options.inline === true),
      now,
      hashFunc: options.hashFunc ?? "",
      filesConcurrency: options.filesConcurrency ?? 1,
      acceptMalformed: options.acceptMalformed ?? false,
      haltOnError: options.haltOnError ?? false,
    };
    this.#group = {
      levels: COMPACTION_LEVELS.slice(0, (options.maxLevel ?? COMPACTION_LEVELS.length - 1) + 1),
      maxIndexBytes: options.maxIndexBytes ?? MAX_INDEX_BYTES,
      vertical: options.vertical === true || replicaLabels.length > 0,
      dedup: options.dedup ?? "",
      fetchConcurrency: options.fetchConcurrency ?? 1,
      // With several groups at once every core has work already.
      mergesAtOnce: (options.concurrency ?? 1) <= 1 ? Math.min(MERGES_AT_ONCE, availableParallelism()) : 1,
      skipOutOfOrder: options.skipOutOfOrder ?? false,
    };
    this.#rivals = new Rivals(bucket, logger, metrics, now);
    this.#sync = new BucketSync({
      bucket,
      cacheDir: options.dataDir,
      strategy: options.strategy ?? "concurrent",
      metaConcurrency: options.metaConcurrency ?? 32,
      minTime: options.minTime ?? (() => Number.NEGATIVE_INFINITY),
      maxTime: options.maxTime ?? (() => Number.POSITIVE_INFINITY),
      relabel: options.relabel ?? [],
      replicaLabels,
      consistencyDelayMs: options.consistencyDelayMs ?? 30 * MINUTE_MS,
      deleteDelayMs: this.#deleteDelayMs,
      logger,
      registry,
      now,
    });
  }

  /** What the page of blocks shows: those worked on, or all. */
  view(which: "loaded" | "global"): BlocksView {
    const metas = which === "loaded" ? this.#state?.metas : this.#state?.all;
    return {blocks: [...(metas?.values() ?? [])], refreshedAt: this.#seenAt, error: this.#error};
  }

  /** What will be done with the blocks, and why, going by the last look at the bucket; undefined before the first. */
  plan(): BlocksPlan | undefined {
    const options = {
      ...this.#group,
      replicaLabels: this.#o.replicaLabels ?? [],
      downsampling: this.#downsampling,
      retention: this.#retention,
      deleteDelayMs: this.#deleteDelayMs,
    };
    return this.#state && blocksPlan(this.#state, options, this.#ctx.now());
  }

  /** Looks at the bucket for the page of blocks. Trouble is shown there. */
  async refreshView(signal: AbortSignal): Promise<void> {
    // Compat: the original's page has a look of its own at all blocks, measured apart.
    this.#viewMetrics ??= fetcherMetrics(this.#o.registry, "thanos_bucket_ui");
    const {baseSyncs, syncs, failures, seconds, synced} = this.#viewMetrics;
    baseSyncs.inc();
    syncs.inc();
    const stop = seconds.startTimer();
    try {
      const {all} = await this.#look(signal);
      synced.with({state: "loaded"}).set(all.size);
    } catch (err) {
      if (signal.aborted) return;
      failures.inc();
      this.#error = errorText(err);
    } finally {
      stop();
    }
  }

  /** Looks at the bucket for the page of blocks every so often until `signal` aborts. */
  async keepView(intervalMs: number, signal: AbortSignal): Promise<void> {
    await this.#every(intervalMs, "cannot look at the bucket", signal, () => this.refreshView(signal));
  }

  /**
   * One round: delete what is due, merge, downsample, expire. What cannot be handled is set aside or left for the next
   * round, and the rest goes on; such trouble is thrown at the end, all in one.
   */
  async iterate(signal: AbortSignal): Promise<void> {
    this.#ctx.pool.warmUp();
    const failures = new Failures();
    const failed = new Set<string>();
    let state = await this.#mergeAll(failed, failures, signal);
    // What follows is done inline; downsampling has a thread of its own.
    if (this.#o.inline === true) await this.#ctx.pool.rest();
    if (this.#downsampling) {
      for (const from of [RESOLUTION.raw, RESOLUTION.fiveMinutes]) {
        if (await this.#downsample(state, from, failed, failures, signal)) state = await this.#look(signal);
      }
    }
    const {retention, downsampling} = {retention: this.#retention, downsampling: this.#downsampling};
    await applyRetention(this.#ctx, state, {retention, downsampling}, signal);
    await this.#deletePartial(state, signal);
    showProgress(this.#ctx.metrics, state, {...this.#group, retention, downsampling}, this.#ctx.now());
    if (!failures.isEmpty) throw failures.error;
    this.#ctx.metrics.iterations.inc();
  }

  /** Only downsamples, raw to 5 m and 5 m to 1 h, as `tools bucket downsample` does. Trouble is thrown at the end. */
  async downsampleOnce(signal: AbortSignal): Promise<void> {
    const failures = new Failures();
    for (const from of [RESOLUTION.raw, RESOLUTION.fiveMinutes]) {
      await this.#downsample(await this.#look(signal), from, new Set(), failures, signal);
    }
    if (!failures.isEmpty) throw failures.error;
  }

  /** One round, then word of this compactor is taken back. */
  async runOnce(signal: AbortSignal): Promise<void> {
    try {
      await this.iterate(signal);
    } finally {
      await this.#rivals.leave(AbortSignal.timeout(5000));
    }
  }

  /** Rounds until `signal` aborts. A failed round is logged and tried again; only `haltOnError` stops the work. */
  async runForever(signal: AbortSignal): Promise<void> {
    const {waitIntervalMs = 5 * MINUTE_MS, cleanupIntervalMs = 5 * MINUTE_MS} = this.#o;
    const {progressIntervalMs = 5 * MINUTE_MS} = this.#o;
    const background = [
      this.#every(cleanupIntervalMs, "cannot clean up", signal, async () => {
        await this.#deletePartial(await this.#look(signal), signal);
      }),
      this.#every(progressIntervalMs, "cannot reckon progress", signal, async () => this.#showProgress(signal)),
    ];
    try {
      while (!signal.aborted) {
        if (!(await this.#tryIterate(signal))) {
          // Compat: a halted compactor stays up, so that somebody finds it and what it says.
          await pause(Number.POSITIVE_INFINITY, signal);
          break;
        }
        await this.#ctx.pool.rest();
        await pause(waitIntervalMs, signal);
      }
    } finally {
      await Promise.all(background);
      await this.#rivals.leave(AbortSignal.timeout(5000));
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#ctx.pool.close();
  }

  /** False when it must not go on. */
  async #tryIterate(signal: AbortSignal): Promise<boolean> {
    const {logger, metrics} = this.#ctx;
    try {
      await this.iterate(signal);
    } catch (err) {
      if (signal.aborted) return true;
      if (err instanceof HaltError) {
        logger.error("critical error detected; halting", {err: errorText(err)});
        metrics.halted.set(1);
        return false;
      }
      // Compat: the original counts each of these twice.
      if (isRetriable(err)) metrics.retries.inc(2);
      logger.error("round failed, will try again", {err: errorText(err)});
    }
    return true;
  }

  async #look(signal: AbortSignal): Promise<BucketState> {
    const state = await this.#sync.sync(signal);
    this.#state = state;
    this.#seenAt = this.#ctx.now();
    this.#error = undefined;
    return state;
  }

  /** Merges until no group has anything left but those that `failed`; what the bucket looks like then. */
  async #mergeAll(failed: Set<string>, failures: Failures, signal: AbortSignal): Promise<BucketState> {
    for (let first = true; ; first = false) {
      let state = await this.#look(signal);
      this.#ctx.metrics.cleanupLoops.inc();
      const options = {deleteDelayMs: this.#deleteDelayMs, retention: this.#retention};
      const deleted = await deleteMarked(this.#ctx, state, options, signal);
      const collected = await collectGarbage(this.#ctx, state, signal);
      if (deleted + collected > 0) state = await this.#look(signal);
      const groups = groupBlocks(state.metas.values()).filter(({key}) => !failed.has(key));
      if (first)
        await this.#rivals.look(
          state,
          groups.map(({key}) => key),
          signal,
        );
      if (!(await this.#mergeGroups(groups, state, failed, failures, signal))) return state;
    }
  }

  /** Whether any group changed the bucket. */
  async #mergeGroups(
    groups: readonly Group[],
    state: BucketState,
    failed: Set<string>,
    failures: Failures,
    signal: AbortSignal,
  ): Promise<boolean> {
    const {metrics, logger} = this.#ctx;
    let changes = 0;
    await forEachLimit(groups, Math.max(1, this.#o.concurrency ?? 1), async (group) => {
      if (group.metas.length < 2) return;
      const resolution = String(group.resolution);
      metrics.runsStarted.with({resolution}).inc();
      try {
        changes += await new GroupCompaction(this.#ctx, this.#group, group, state.noCompact.keys()).run(signal);
        metrics.runsCompleted.with({resolution}).inc();
      } catch (err) {
        if (signal.aborted) throw err;
        metrics.failures.with({resolution}).inc();
        if (err instanceof HaltError) throw err;
        logger.error("cannot compact group, going on with the others", {group: group.key, err: errorText(err)});
        failed.add(group.key);
        failures.add(err);
      }
    });
    return changes > 0;
  }

  async #downsample(
    state: BucketState,
    from: number,
    failedGroups: ReadonlySet<string>,
    failures: Failures,
    signal: AbortSignal,
  ): Promise<boolean> {
    const metas = [...state.metas.values()];
    const pending = new Set(metas.filter((meta) => failedGroups.has(groupKey(meta))).map(({ulid}) => ulid));
    const all = blocksToDownsample(state, this.#retention, this.#ctx.now(), pending);
    const tasks = all.filter(({meta}) => (meta.thanos?.resolution ?? 0) === from);
    const concurrency = this.#o.downsampleConcurrency ?? 1;
    if (tasks.length === 0) return false;
    await downsampleBlocks(this.#ctx, tasks, concurrency, failures, signal);
    return true;
  }

  async #deletePartial(state: BucketState, signal: AbortSignal): Promise<void> {
    await deletePartialUploads(this.#ctx, state.partial, {deleteDelayMs: this.#deleteDelayMs}, signal);
  }

  async #showProgress(signal: AbortSignal): Promise<void> {
    const options = {...this.#group, retention: this.#retention, downsampling: this.#downsampling};
    showProgress(this.#ctx.metrics, await this.#look(signal), options, this.#ctx.now());
  }

  /** Does `work` at once and then every so often until `signal` aborts; 0 is never. */
  async #every(intervalMs: number, trouble: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (intervalMs <= 0) return;
    while (!signal.aborted) {
      try {
        await work();
      } catch (err) {
        if (!signal.aborted) this.#ctx.logger.warn(trouble, {err: errorText(err)});
      }
      await pause(intervalMs, signal);
    }
  }
}

/** Compat: raw blocks must be kept until they are long enough to be downsampled. */
function checkRetention(retention: Retention, downsampling: boolean): void {
  if (!downsampling) return;
  const {raw, fiveMinutes} = retention;
  if (raw > 0 && raw < DOWNSAMPLE_RANGE.raw) {
    throw new StrataError(
      "bad_data",
      `raw resolution must be higher than the minimum block size after which 5m resolution downsampling will occur (${
        DOWNSAMPLE_RANGE.raw / HOUR_MS
      } hours)`,
    );
  }
  if (fiveMinutes > 0 && fiveMinutes < DOWNSAMPLE_RANGE.fiveMinutes) {
    throw new StrataError(
      "bad_data",
      `5m resolution must be higher than the minimum block size after which 1h resolution downsampling will occur (${
        DOWNSAMPLE_RANGE.fiveMinutes / DAY_MS
      } days)`,
    );
  }
}

/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    do await sleep(Math.min(ms, MAX_TIMER_MS), undefined, {signal});
    while (ms === Number.POSITIVE_INFINITY);
  } catch {
    // Aborted: the loop sees it.
  }
}
