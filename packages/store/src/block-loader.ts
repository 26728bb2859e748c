import {access, readdir, rm} from "node:fs/promises";
import {join} from "node:path";
import {errorText, withContext} from "@strata/base";
import {BucketAccess, INDEX_FILE, INDEX_HEADER_FILE, type IndexHeaderEvents, LazyIndexHeader} from "@strata/block";
import {parseUlid} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";
import {BucketBlock} from "./bucket-block.ts";
import type {StoreMetrics} from "./store-metrics.ts";

export type BlockLoaderOptions = {
  readonly bucket: Bucket;
  /** `--data-dir`: index-headers live in `<dataDir>/<ulid>/index-header`. */
  readonly dataDir: string;
  /** Whether they are kept in memory instead. */
  readonly inMemory: boolean;
  /** Whether index-headers are built when a block is loaded, or only when it is first read. */
  readonly eager: boolean;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
};

/** Makes blocks servable and takes them away again, with their files below the data directory. */
export class BlockLoader {
  readonly #o: BlockLoaderOptions;
  readonly #events: IndexHeaderEvents;

  constructor(options: BlockLoaderOptions) {
    this.#o = options;
    const {metrics} = options;
    this.#events = {
      built: (seconds) => metrics.headerDownloadSeconds.observe(seconds),
      loaded: (seconds) => {
        metrics.headerLoads.inc();
        metrics.headerLoadSeconds.observe(seconds);
      },
      loadFailed: () => {
        metrics.headerLoads.inc();
        metrics.headerLoadFailures.inc();
      },
      unloaded: () => metrics.headerUnloads.inc(),
    };
  }

  /** Throws, counted, when the block's index cannot be read. */
  async load(meta: BlockMeta, signal: AbortSignal): Promise<BucketBlock> {
    const {metrics, bucket, dataDir, eager, inMemory} = this.#o;
    metrics.blockLoads.inc();
    const stop = metrics.blockLoadSeconds.startTimer();
    try {
      const path = join(dataDir, meta.ulid, INDEX_HEADER_FILE);
      const header = new LazyIndexHeader(path, (s) => openIndex(bucket, meta, s), this.#events, inMemory);
      // What is in a header that is there is checked when it is first used, and mended then.
      if (eager && (inMemory || !(await exists(path)))) await header.build(signal);
      return new BucketBlock(meta, header, bucket);
    } catch (err) {
      metrics.blockLoadFailures.inc();
      throw withContext(err, `cannot load block ${meta.ulid}`);
    } finally {
      stop();
    }
  }

  /** Calls that have chosen the block go on; its files go after them, unless it is back by then. Never throws. */
  async drop(block: BucketBlock, isBack: () => boolean): Promise<void> {
    const {metrics, dataDir, logger, inMemory} = this.#o;
    metrics.blockDrops.inc();
    try {
      await block.unused();
      await block.close();
      if (!inMemory && !isBack()) await rm(join(dataDir, block.ulid), {recursive: true, force: true});
    } catch (err) {
      metrics.blockDropFailures.inc();
      logger.warn("cannot drop block", {block: block.ulid, err: errorText(err)});
    }
  }

  /** Removes folders of blocks that are not in `known`; what is no block folder stays. */
  async removeOthers(known: ReadonlySet<string>): Promise<void> {
    if (this.#o.inMemory) return;
    let names: string[];
    try {
      names = await readdir(this.#o.dataDir);
    } catch {
      return; // nothing there yet
    }
    for (const name of names) {
      if (parseUlid(name) === name && !known.has(name)) {
        await rm(join(this.#o.dataDir, name), {recursive: true, force: true});
      }
    }
  }
}

/** The block's index in the bucket; its size is in meta.json where the block was uploaded by a recent shipper. */
async function openIndex(bucket: Bucket, meta: BlockMeta, signal: AbortSignal): Promise<BucketAccess> {
  const key = `${meta.ulid}/${INDEX_FILE}`;
  const size = meta.thanos?.files.find((file) => file.relPath === INDEX_FILE)?.sizeBytes ?? 0;
  return size > 0 ? new BucketAccess(bucket, key, size, signal) : BucketAccess.open(bucket, key, signal);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
