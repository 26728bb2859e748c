import {setTimeout as sleep} from "node:timers/promises";
import {ByteBudget, errorText, holdYoungGeneration, StrataError} from "@strata/base";
import {
  BaseFetcher,
  consistencyDelayFilter,
  DeletionMarkFilter,
  type DiscoveryStrategy,
  DuplicateFilter,
  labelShardFilter,
  MetaFetcher,
  parquetConvertedFilter,
  timePartitionFilter,
} from "@strata/block";
import type {Labels, RelabelConfig} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {Init, info} from "@strata/proto";
import type {Logger, Registry} from "@strata/telemetry";
import {BucketStore} from "./bucket-store.ts";
import type {IndexCache} from "./index-cache.ts";
import type {LazyPostings} from "./lazy-postings.ts";
import type {TuningOverrides} from "./read-context.ts";
import {type LimitOptions, NO_LIMITS} from "./request-limits.ts";
import {DEFAULT_ROW_CACHE_BYTES} from "./row-cache.ts";

/** The flags of `strata store` as values; all but the first five have its defaults. */
export type StoreOptions = {
  /** Already counted and prefixed; not closed by the component. */
  readonly bucket: Bucket;
  /** Index-headers and metas; may be lost. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly syncIntervalMs?: number | undefined;
  readonly strategy?: DiscoveryStrategy | undefined;
  readonly syncConcurrency?: number | undefined;
  readonly metaConcurrency?: number | undefined;
  /** Served window, ms, both inclusive; asked again at each use. */
  readonly minTime?: (() => number) | undefined;
  readonly maxTime?: (() => number) | undefined;
  readonly relabel?: readonly RelabelConfig[] | undefined;
  readonly consistencyDelayMs?: number | undefined;
  readonly ignoreDeletionMarksMs?: number | undefined;
  readonly eagerHeaders?: boolean | undefined;
  /** true: nothing is written to `dataDir`; index-headers and metas are kept in memory. */
  readonly nothingOnDisk?: boolean | undefined;
  readonly headerIdleMs?: number | undefined;
  readonly limits?: LimitOptions | undefined;
  readonly maxConcurrent?: number | undefined;
  /** Bytes that all calls together may hold; 0 is no limit. */
  readonly memoryBudget?: number | undefined;
  /** Set by hand: what a series entry and a chunk are expected to take, and rows of a block read together. */
  readonly sizes?: TuningOverrides | undefined;
  readonly lazyPostings?: LazyPostings | undefined;
  /** Bucket that names the blocks which were converted to Parquet and are served elsewhere. Not closed. */
  readonly parquetBucket?: Bucket | undefined;
  /** In memory when left out. Closed with the component. */
  readonly indexCache?: IndexCache | undefined;
};

const HOUR_MS = 3_600_000;
const SYNC_INTERVAL_MS = 900_000;
const HEADER_IDLE_MS = 300_000;
const META_CONCURRENCY = 32;

/** While the bucket cannot be listed at all for the first time, it is tried again this often. */
const RETRY_MS = 5000;

/** With a budget for what calls hold, as large a part of it as keeps the process within its bounds. */
const ROW_CACHE_SHARE = 1 / 16;
const rowCacheBytes = (memoryBudget: number): number =>
  memoryBudget > 0 ? Math.min(DEFAULT_ROW_CACHE_BYTES, memoryBudget * ROW_CACHE_SHARE) : DEFAULT_ROW_CACHE_BYTES;

/** The store gateway: a BucketStore kept in step with its bucket. */
export class Store {
  readonly queryable: BucketStore;
  readonly #o: StoreOptions;
  #ready = false;

  constructor(options: StoreOptions) {
    this.#o = options;
    const {bucket, dataDir, logger, registry} = options;
    const minTime = options.minTime ?? (() => Number.NEGATIVE_INFINITY);
    const maxTime = options.maxTime ?? (() => Number.POSITIVE_INFINITY);
    const base = new BaseFetcher({
      bucket,
      cacheDir: options.nothingOnDisk === true ? undefined : dataDir,
      strategy: options.strategy,
      concurrency: options.metaConcurrency ?? META_CONCURRENCY,
      logger,
    });
    const {parquetBucket, metaConcurrency = META_CONCURRENCY} = options;
    const filters = [
      ...(parquetBucket === undefined ? [] : [parquetConvertedFilter(parquetBucket, metaConcurrency, logger)]),
      timePartitionFilter(minTime, maxTime),
      labelShardFilter(options.relabel ?? []),
      consistencyDelayFilter(options.consistencyDelayMs ?? 0, registry),
      new DeletionMarkFilter(bucket, options.ignoreDeletionMarksMs ?? 24 * HOUR_MS, logger),
      new DuplicateFilter(),
    ];
    this.queryable = new BucketStore({
      bucket,
      fetcher: new MetaFetcher(base, filters, registry),
      dataDir,
      syncConcurrency: options.syncConcurrency,
      eagerHeaders: options.eagerHeaders,
      headersInMemory: options.nothingOnDisk,
      minTime,
      maxTime,
      limits: options.limits ?? NO_LIMITS,
      maxConcurrent: options.maxConcurrent,
      memoryBudget: options.memoryBudget,
      rowCacheBytes: rowCacheBytes(options.memoryBudget ?? 0),
      indexCache: options.indexCache,
      sizes: options.sizes,
      lazyPostings: options.lazyPostings,
      logger,
      registry,
    });
  }

  /** A budget for one Series call. */
  newBudget(): ByteBudget {
    return new ByteBudget("series call", 0, this.queryable.budget);
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** What Info answers; throws `unavailable` until the first round is done. */
  info(): Init<info.InfoResponse> {
    if (!this.#ready) throw new StrataError("unavailable", "Not ready: blocks are being loaded");
    const {labelSets, minTime, maxTime, ranges} = this.queryable.info();
    return {
      componentType: "store",
      labelSets: labelSets.map(protoLabels),
      store: {
        minTime,
        maxTime,
        supportsSharding: true,
        supportsWithoutReplicaLabels: true,
        tsdbInfos: ranges.map((range) => ({
          labels: protoLabels(range.labels),
          minTime: range.minTime,
          maxTime: range.maxTime,
        })),
      },
    };
  }

  /**
   * Loads the blocks, calls `onReady`, then keeps up with the bucket until `signal` aborts. A bucket that cannot be
   * listed is tried again; one that only hides some blocks is served without them.
   */
  async run(signal: AbortSignal, onReady: () => void = () => {}): Promise<void> {
    const {logger, syncIntervalMs = SYNC_INTERVAL_MS, headerIdleMs = HEADER_IDLE_MS} = this.#o;
    const unload = setInterval(() => void this.queryable.unloadIdle(headerIdleMs), Math.max(1000, headerIdleMs / 10));
    unload.unref();
    // What loading leaves behind is short-lived: room for it would be taken for long.
    const letGrow = holdYoungGeneration();
    try {
      while (!signal.aborted) {
        const synced = await this.#sync(signal);
        if (synced && !this.#ready) {
          this.#ready = true;
          letGrow();
          logger.info("bucket store ready", {blocks: this.queryable.blocks().length});
          onReady();
        }
        await pause(synced ? syncIntervalMs : Math.min(RETRY_MS, syncIntervalMs), signal);
      }
    } finally {
      letGrow();
      clearInterval(unload);
    }
  }

  async #sync(signal: AbortSignal): Promise<boolean> {
    const {logger} = this.#o;
    try {
      const incomplete = await this.queryable.sync(signal);
      if (incomplete !== undefined) logger.error("some blocks cannot be seen", {err: errorText(incomplete)});
      return true;
    } catch (err) {
      if (!signal.aborted) logger.error("cannot synchronise blocks with the bucket", {err: errorText(err)});
      return false;
    }
  }

  /** Closes what the blocks hold open, once no call runs any more. */
  async close(): Promise<void> {
    this.#ready = false;
    await this.queryable.close();
    await this.#o.indexCache?.close();
  }
}

const protoLabels = (labels: Labels) => ({labels: [...labels].map(([name, value]) => ({name, value}))});

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, {signal});
  } catch {
    // Aborted: the loop sees it.
  }
}
