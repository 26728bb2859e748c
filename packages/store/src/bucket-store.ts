import {ByteBudget, errorText, forEachLimit, Gate, type StrataError, withContext} from "@strata/base";
import type {MetaFetcher} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {LabelAnswer, LabelQuery, Queryable, Select, SeriesBatch} from "@strata/series";
import type {Logger, Registry} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";
import type {BlocksView} from "@strata/web";
import {BlockLoader} from "./block-loader.ts";
import {BlockReader} from "./block-reader.ts";
import {endsCall} from "./block-rows.ts";
import {BlockSet} from "./block-set.ts";
import type {BucketBlock} from "./bucket-block.ts";
import {CachingBucket} from "./caching-bucket.ts";
import {CallGate} from "./call-gate.ts";
import {DEFAULT_CACHE_BYTES, DEFAULT_CACHE_ITEM_BYTES, type IndexCache, memoryIndexCache} from "./index-cache.ts";
import {type BlockLabelQuery, blockLabelNames, blockLabelValues, sortedUnique} from "./label-calls.ts";
import type {LazyPostings} from "./lazy-postings.ts";
import {memoryPlan} from "./memory-plan.ts";
import {MemoryWarden} from "./memory-warden.ts";
import {
  LOCAL_TUNING,
  overridden,
  QueryStats,
  REMOTE_TUNING,
  type ReadContext,
  type ReadTuning,
  TextPool,
  type TuningOverrides,
} from "./read-context.ts";
import {type LimitOptions, NO_LIMITS, RequestLimits} from "./request-limits.ts";
import {RowCache} from "./row-cache.ts";
import type {BlockSelection} from "./row-cursor.ts";
import {selectSeries} from "./select-series.ts";
import {type BucketStoreInfo, storeInfo} from "./store-info.ts";
import {DEFAULT_TENANT, type StoreMetrics, storeMetrics} from "./store-metrics.ts";

export type BucketStoreOptions = {
  readonly bucket: Bucket;
  readonly fetcher: MetaFetcher;
  /** Index-headers are kept here. */
  readonly dataDir: string;
  /** Blocks loaded at once. */
  readonly syncConcurrency?: number | undefined;
  /** false: index-headers are fetched when a block is first read (`--store.index-header-lazy-download-strategy=lazy`). */
  readonly eagerHeaders?: boolean | undefined;
  /** true: index-headers are kept in memory, and nothing in `dataDir` (`--no-cache-index-header`). */
  readonly headersInMemory?: boolean | undefined;
  /** Served window, ms; both inclusive. Asked at each call: the flags may be relative to now. */
  readonly minTime?: (() => number) | undefined;
  readonly maxTime?: (() => number) | undefined;
  readonly limits?: LimitOptions | undefined;
  /** Bytes that all calls together may hold; 0 is no limit. Small ones also bound how many calls run at once. */
  readonly memoryBudget?: number | undefined;
  /** Series calls at once; 0 is no limit. */
  readonly maxConcurrent?: number | undefined;
  /** How ranges are read; by default what suits the bucket's provider. */
  readonly tuning?: ReadTuning | undefined;
  /** Sizes of the tuning set by hand. */
  readonly sizes?: TuningOverrides | undefined;
  /** Weighs posting lists against series before they are fetched (`--store.enable-lazy-expanded-postings`). */
  readonly lazyPostings?: LazyPostings | undefined;
  /** Bytes of rows that are kept for selections which are asked for again; none when left out. */
  readonly rowCacheBytes?: number | undefined;
  /** Not closed by the store. In memory with Thanos's default size when left out. */
  readonly indexCache?: IndexCache | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** Series calls at once, as in Thanos. */
const DEFAULT_CONCURRENCY = 20;

/** Blocks that a label call reads at once. */
const LABEL_CONCURRENCY = 16;

/** An index-header is closed when nobody used it for this long. */
const HEADER_IDLE_MS = 5 * 60_000;

/** Series of all blocks of a bucket. `sync` finds blocks; between calls a block costs little more than its meta. */
export class BucketStore implements Queryable {
  readonly #o: BucketStoreOptions;
  /** What the budgets of calls draw on. */
  readonly budget: ByteBudget;
  readonly #metrics: StoreMetrics;
  readonly #loader: BlockLoader;
  readonly #gate: CallGate;
  readonly #tuning: ReadTuning;
  readonly #reading: Gate;
  readonly #warden: MemoryWarden | undefined;
  readonly #cache: IndexCache;
  readonly #rowCache: RowCache | undefined;
  /** Texts of kept rows, which are the same for many selections. */
  readonly #texts: TextPool | undefined;
  readonly #blocks = new Map<string, BucketBlock>();
  readonly #sets = new Map<string, BlockSet>();
  #firstSync = true;
  #refreshedAt: number | undefined;
  #lastError: string | undefined;

  constructor(options: BucketStoreOptions) {
    this.#o = options;
    this.#metrics = storeMetrics(options.registry);
    const local = options.bucket.provider === "FILESYSTEM";
    const tuning = overridden(options.tuning ?? (local ? LOCAL_TUNING : REMOTE_TUNING), options.sizes ?? {});
    const plan = memoryPlan(options.memoryBudget ?? 0, options.maxConcurrent ?? DEFAULT_CONCURRENCY, tuning);
    this.budget = new ByteBudget("store gateway", options.memoryBudget ?? 0);
    this.#warden = options.memoryBudget ? new MemoryWarden(options.memoryBudget) : undefined;
    this.#gate = new CallGate(plan.concurrency, this.#metrics);
    this.#tuning = plan.tuning;
    this.#reading = new Gate(plan.tuning.batches);
    this.#cache =
      options.indexCache ??
      memoryIndexCache({
        registry: options.registry,
        maxBytes: DEFAULT_CACHE_BYTES,
        maxItemBytes: DEFAULT_CACHE_ITEM_BYTES,
      });
    if (options.rowCacheBytes) {
      this.#rowCache = new RowCache(options.rowCacheBytes);
      this.#texts = new TextPool();
    }
    this.#loader = new BlockLoader({
      bucket: options.bucket,
      dataDir: options.dataDir,
      inMemory: options.headersInMemory ?? false,
      eager: options.eagerHeaders ?? true,
      logger: options.logger,
      metrics: this.#metrics,
    });
  }

  /**
   * One round: loads new blocks and drops those that are gone. A block that cannot be loaded is logged, counted and
   * tried again next time; the others are served. Throws when the bucket could not be listed. When some metas could not
   * be read it drops nothing and gives the error that says so.
   */
  async sync(signal: AbortSignal): Promise<StrataError | undefined> {
    try {
      const incomplete = await this.#sync(signal);
      this.#refreshedAt = Date.now();
      this.#lastError = incomplete?.message;
      return incomplete;
    } catch (err) {
      this.#lastError = errorText(err);
      throw err;
    }
  }

  async #sync(signal: AbortSignal): Promise<StrataError | undefined> {
    const {metas, partial, incomplete} = await this.#o.fetcher.fetch(signal);
    for (const [ulid, err] of partial) {
      this.#o.logger.warn("block is not complete, not serving it", {block: ulid, err: err.message});
    }
    const missing = [...metas.values()].filter((meta) => !this.#blocks.has(meta.ulid));
    // Newest first: what is asked for most is there soonest.
    missing.sort((a, b) => b.maxTime - a.maxTime);
    await forEachLimit(missing, this.#o.syncConcurrency ?? 20, (meta) => this.#add(meta, signal));
    if (incomplete === undefined) await this.#dropOthers(metas);
    this.#metrics.blocksLoaded.set(this.#blocks.size);
    return incomplete;
  }

  async #add(meta: BlockMeta, signal: AbortSignal): Promise<void> {
    let block: BucketBlock;
    try {
      block = await this.#loader.load(meta, signal);
    } catch (err) {
      if (signal.aborted) throw err;
      this.#o.logger.warn("cannot load block, going on without it", {block: meta.ulid, err: errorText(err)});
      return;
    }
    this.#blocks.set(block.ulid, block);
    const key = block.labels.toString();
    const set = this.#sets.get(key) ?? new BlockSet(block.labels);
    this.#sets.set(key, set);
    set.add(block);
    this.#metrics.lastLoaded.setToCurrentTime();
  }

  async #dropOthers(metas: ReadonlyMap<string, BlockMeta>): Promise<void> {
    if (this.#firstSync) await this.#loader.removeOthers(new Set(metas.keys()));
    this.#firstSync = false;
    for (const [ulid, block] of this.#blocks) {
      if (metas.has(ulid)) continue;
      this.#blocks.delete(ulid);
      const key = block.labels.toString();
      const set = this.#sets.get(key);
      set?.remove(ulid);
      if (set?.empty === true) this.#sets.delete(key);
      this.#rowCache?.drop(ulid);
      // Not waited for: a call that reads slowly must not hold up what is new.
      void this.#loader.drop(block, () => this.#blocks.has(ulid));
    }
  }

  /** Closes index-headers that were not used for a while; call it now and then. */
  async unloadIdle(idleMs = HEADER_IDLE_MS): Promise<void> {
    for (const block of this.#blocks.values()) {
      try {
        await block.header.unloadIdle(idleMs);
      } catch (err) {
        this.#metrics.headerUnloadFailures.inc();
        this.#o.logger.warn("cannot close index-header", {block: block.ulid, err: errorText(err)});
      }
    }
  }

  /** Metas of the served blocks. */
  blocks(): readonly BlockMeta[] {
    return [...this.#blocks.values()].map((block) => block.meta);
  }

  /** The served blocks, oldest first, as the page of blocks shows them. */
  view(): BlocksView {
    const blocks = [...this.blocks()].sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
    return {blocks, refreshedAt: this.#refreshedAt, error: this.#lastError};
  }

  info(): BucketStoreInfo {
    return storeInfo(this.#sets.values(), this.#minTime(), this.#maxTime());
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    this.#warden?.begin();
    await this.#gate.enter(signal);
    try {
      const ctx = this.#context(signal, q.budget);
      const clamped = {...q, mint: Math.max(q.mint, this.#minTime()), maxt: Math.min(q.maxt, this.#maxTime())};
      const selections = this.#selections(clamped);
      ctx.stats.blocks = selections.length;
      for (const {block} of selections) block.retain();
      try {
        yield* selectSeries(selections, clamped, ctx);
      } finally {
        for (const {block} of selections) block.release();
        this.#observe(ctx.stats);
      }
    } finally {
      this.#gate.leave();
    }
  }

  #selections(q: Select): BlockSelection[] {
    const out: BlockSelection[] = [];
    for (const set of this.#sets.values()) {
      const matchers = set.remainingMatchers(q.matchers);
      if (matchers === undefined) continue;
      for (const block of set.select(q.mint, q.maxt, q.maxResolution, q.blockMatchers)) out.push({block, matchers});
    }
    return out;
  }

  async labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    return this.#labelCall(q, signal, blockLabelNames);
  }

  async labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    if (q.withoutReplicaLabels.includes(name)) return {values: [], warnings: []};
    return this.#labelCall(q, signal, (reader, query, ctx) => blockLabelValues(name, reader, query, ctx));
  }

  async #labelCall(
    q: LabelQuery,
    signal: AbortSignal,
    ask: (reader: BlockReader, q: BlockLabelQuery, ctx: ReadContext) => Promise<Iterable<string>>,
  ): Promise<LabelAnswer> {
    const ctx = this.#context(signal, new ByteBudget("label call", 0, this.budget));
    const mint = Math.max(q.mint, this.#minTime());
    const maxt = Math.min(q.maxt, this.#maxTime());
    const found = new Set<string>();
    const warnings: string[] = [];
    const selections = this.#labelBlocks(q, mint, maxt);
    for (const {block} of selections) block.retain();
    await forEachLimit(selections, LABEL_CONCURRENCY, async ({block, matchers}) => {
      try {
        const query = {matchers, mint, maxt, withoutReplicaLabels: q.withoutReplicaLabels};
        const values = await block.header.use(async (header) => {
          const reader = new BlockReader(block, header, ctx);
          try {
            return await ask(reader, query, ctx);
          } finally {
            reader.close();
          }
        });
        for (const value of values) found.add(value);
      } catch (err) {
        if (endsCall(err)) throw err;
        this.#metrics.readFailures.with({part: "index"}).inc();
        const named = withContext(err, `cannot read block ${block.ulid}`);
        if (!q.partialResponse) throw named;
        warnings.push(named.message);
      }
    }).finally(() => {
      for (const {block} of selections) block.release();
    });
    return {values: sortedUnique(found, q.limit), warnings, queriedBlocks: selections.map(({block}) => block.ulid)};
  }

  #labelBlocks(q: LabelQuery, mint: number, maxt: number): BlockSelection[] {
    const out: BlockSelection[] = [];
    for (const set of this.#sets.values()) {
      const matchers = set.remainingMatchers(q.matchers);
      if (matchers === undefined) continue;
      for (const block of set) {
        if (block.minTime <= maxt && mint < block.maxTime && block.fits(q.blockMatchers ?? []))
          out.push({block, matchers});
      }
    }
    return out;
  }

  #context(signal: AbortSignal, budget: ByteBudget): ReadContext {
    return {
      bucket: this.#o.bucket,
      cachingBucket: this.#o.bucket instanceof CachingBucket ? this.#o.bucket : undefined,
      tuning: this.#tuning,
      cache: this.#cache,
      rowCache: this.#rowCache,
      lazyPostings: this.#o.lazyPostings,
      reading: this.#reading,
      limits: new RequestLimits(this.#o.limits ?? NO_LIMITS, this.#metrics),
      metrics: this.#metrics,
      stats: new QueryStats(),
      texts: this.#texts ?? new TextPool(),
      budget,
      warden: this.#warden,
      signal,
    };
  }

  #observe(stats: QueryStats): void {
    const m = this.#metrics;
    const tenant = DEFAULT_TENANT;
    m.blocksQueried.with({tenant}).observe(stats.blocks);
    m.resultSeries.with({tenant}).observe(stats.series);
    m.sentChunkBytes.with({tenant}).observe(stats.chunkBytes);
    for (const [kind, data] of [
      ["postings", stats.postings],
      ["series", stats.entries],
      ["chunks", stats.chunks],
    ] as const) {
      m.dataTouched.with({data_type: kind, tenant}).observe(data.touched);
      m.dataFetched.with({data_type: kind, tenant}).observe(data.fetched);
      m.sizeTouched.with({data_type: kind, tenant}).observe(data.touchedBytes);
      m.sizeFetched.with({data_type: kind, tenant}).observe(data.fetchedBytes);
    }
  }

  #minTime(): number {
    return this.#o.minTime?.() ?? Number.NEGATIVE_INFINITY;
  }

  #maxTime(): number {
    return this.#o.maxTime?.() ?? Number.POSITIVE_INFINITY;
  }

  /** Stops serving; calls under way end by their own signals. */
  async close(): Promise<void> {
    const blocks = [...this.#blocks.values()];
    this.#blocks.clear();
    this.#sets.clear();
    for (const block of blocks) await block.close();
  }
}
