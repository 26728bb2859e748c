import {errorText, forEachLimit} from "@strata/base";
import {
  BaseFetcher,
  consistencyDelayFilter,
  DeletionMarkFilter,
  type DiscoveryStrategy,
  DuplicateFilter,
  groupKey,
  labelShardFilter,
  type Mark,
  MetaFetcher,
  type MetaFilter,
  readMark,
  replicaLabelRemover,
  timePartitionFilter,
} from "@strata/block";
import type {RelabelConfig} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb/blocks";

/** What one look at the bucket found. */
export type BucketState = {
  /** Every block that has a meta.json, by id. */
  readonly all: ReadonlyMap<string, BlockMeta>;
  /** The blocks to work on, without replica labels. */
  readonly metas: ReadonlyMap<string, BlockMeta>;
  /** Folders without a usable meta.json: true where it is there but damaged. */
  readonly partial: ReadonlyMap<string, {readonly damaged: boolean}>;
  /** Blocks whose data another block of `metas` holds too. */
  readonly duplicates: readonly string[];
  readonly deletionMarks: ReadonlyMap<string, Mark>;
  readonly noCompact: ReadonlyMap<string, Mark>;
  readonly noDownsample: ReadonlyMap<string, Mark>;
};

export type BucketSyncOptions = {
  readonly bucket: Bucket;
  /** Keeps metas between runs; without it every run reads them all. */
  readonly cacheDir?: string | undefined;
  readonly strategy: DiscoveryStrategy;
  readonly metaConcurrency: number;
  readonly minTime: () => number;
  readonly maxTime: () => number;
  readonly relabel: readonly RelabelConfig[];
  readonly replicaLabels: readonly string[];
  readonly consistencyDelayMs: number;
  readonly deleteDelayMs: number;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now: () => number;
};

/** Marks read at once. */
const MARK_CONCURRENCY = 32;

/** Looks at the bucket as the compactor sees it. */
export class BucketSync {
  readonly #deletion: DeletionMarkFilter;
  readonly #duplicates = new DuplicateFilter();
  readonly #marks: MarkGatherer;
  readonly #fetcher: MetaFetcher;
  #all: ReadonlyMap<string, BlockMeta> = new Map();
  #running: Promise<BucketState> | undefined;

  constructor(o: BucketSyncOptions) {
    const {bucket, logger, registry, now} = o;
    const base = new BaseFetcher({
      bucket,
      cacheDir: o.cacheDir,
      strategy: o.strategy,
      concurrency: o.metaConcurrency,
      logger,
    });
    // Compat: half the delay, so that a block is out of compaction well before it is gone.
    this.#deletion = new DeletionMarkFilter(bucket, o.deleteDelayMs / 2, logger, now);
    this.#marks = new MarkGatherer(bucket, logger);
    const record: MetaFilter = {
      apply: async (metas) => {
        this.#all = new Map(metas);
      },
    };
    const filters = [
      record,
      timePartitionFilter(o.minTime, o.maxTime),
      labelShardFilter(o.relabel, o.replicaLabels),
      consistencyDelayFilter(o.consistencyDelayMs, registry, now),
      this.#deletion,
      replicaLabelRemover(o.replicaLabels),
      supersededFilter(() => this.#deletion.marks),
      this.#duplicates,
      this.#marks,
    ];
    this.#fetcher = new MetaFetcher(base, filters, registry);
  }

  /** One look; callers at the same time share it. Throws when not all of the bucket could be seen. */
  sync(signal: AbortSignal): Promise<BucketState> {
    this.#running ??= this.#sync(signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #sync(signal: AbortSignal): Promise<BucketState> {
    const {metas, partial, incomplete} = await this.#fetcher.fetch(signal);
    if (incomplete !== undefined) throw incomplete;
    return {
      all: this.#all,
      metas,
      partial: new Map([...partial].map(([ulid, err]) => [ulid, {damaged: err.code === "corrupt"}])),
      duplicates: this.#duplicates.duplicates,
      deletionMarks: this.#deletion.marks,
      noCompact: this.#marks.noCompact,
      noDownsample: this.#marks.noDownsample,
    };
  }
}

/**
 * Drops a block that is marked for deletion where an unmarked one has the very same sources. The duplicate filter keeps
 * the older of two, so that a repaired block would give way to the one it replaces, and be repaired again and again.
 */
function supersededFilter(marks: () => ReadonlyMap<string, Mark>): MetaFilter {
  return {
    async apply(metas, counts) {
      const unmarked = new Set<string>();
      for (const meta of metas.values()) if (!marks().has(meta.ulid)) unmarked.add(sourcesKey(meta));
      for (const [ulid, meta] of metas) {
        if (!marks().has(ulid) || !unmarked.has(sourcesKey(meta))) continue;
        metas.delete(ulid);
        counts.add("marked-for-deletion");
      }
    },
  };
}

const sourcesKey = (meta: BlockMeta): string => `${groupKey(meta)} ${meta.compaction.sources.join(" ")}`;

/** Records which blocks are left out of compaction and downsampling; drops none. */
class MarkGatherer implements MetaFilter {
  noCompact: ReadonlyMap<string, Mark> = new Map();
  noDownsample: ReadonlyMap<string, Mark> = new Map();
  readonly #bucket: Bucket;
  readonly #logger: Logger;

  constructor(bucket: Bucket, logger: Logger) {
    this.#bucket = bucket;
    this.#logger = logger;
  }

  async apply(
    metas: Map<string, BlockMeta>,
    counts: Parameters<MetaFilter["apply"]>[1],
    signal: AbortSignal,
  ): Promise<void> {
    const noCompact = new Map<string, Mark>();
    const noDownsample = new Map<string, Mark>();
    await forEachLimit([...metas.keys()], MARK_CONCURRENCY, async (ulid) => {
      const [compact, downsample] = await Promise.all([
        this.#read(ulid, "no-compact", signal),
        this.#read(ulid, "no-downsample", signal),
      ]);
      if (compact !== undefined) noCompact.set(ulid, compact);
      if (downsample !== undefined) noDownsample.set(ulid, downsample);
    });
    if (noCompact.size > 0) counts.add("marked-for-no-compact", noCompact.size);
    if (noDownsample.size > 0) counts.add("marked-for-no-downsample", noDownsample.size);
    this.noCompact = noCompact;
    this.noDownsample = noDownsample;
  }

  async #read(ulid: string, kind: "no-compact" | "no-downsample", signal: AbortSignal): Promise<Mark | undefined> {
    try {
      return await readMark(this.#bucket, ulid, kind, this.#logger, signal);
    } catch (err) {
      if ((err as {code?: unknown}).code !== "internal") throw err;
      // A mark of a version from the future asks for the same, whatever else it says.
      this.#logger.warn("cannot read marker, taking the block for marked", {block: ulid, err: errorText(err)});
      return {ulid, time: 0, details: "", reason: ""};
    }
  }
}
