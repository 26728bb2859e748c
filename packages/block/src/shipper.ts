import {copyFile, link, mkdir, readdir, rm, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {errorText, StrataError, withContext} from "@strata/base";
import {type Labels, parseUlid} from "@strata/model";
import {type Bucket, readObject} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import {
  type BlockMeta,
  type BlockSource,
  EMPTY_THANOS_META,
  encodeBlockMeta,
  parseBlockMeta,
} from "@strata/tsdb/blocks";
import {CHUNKS_DIR, INDEX_FILE, MAX_META_BYTES, META_FILE} from "./block-files.ts";
import {type HashFunc, readLocalMeta, segmentFiles, uploadBlock} from "./block-transfer.ts";
import {externalLabels} from "./external-labels.ts";
import {readShipperState, writeShipperState} from "./shipper-state.ts";

export type ShipperOptions = {
  /** The TSDB's data directory, which holds the blocks. */
  readonly dir: string;
  readonly bucket: Bucket;
  /** External labels put into each block; asked at every upload, because Prometheus may be reconfigured. */
  readonly labels: () => Labels;
  readonly source: BlockSource;
  /** Also blocks that the local TSDB compacted (`--shipper.upload-compacted`). */
  readonly uploadCompacted: boolean;
  readonly metaFileName?: string | undefined;
  readonly hashFunc?: HashFunc | undefined;
  readonly uploadConcurrency?: number | undefined;
  readonly allowOutOfOrderUploads?: boolean | undefined;
  readonly skipCorruptedBlocks?: boolean | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now?: (() => number) | undefined;
};

export const SHIPPER_STATE_FILE = "thanos.shipper.json";

/** Below the data directory: blocks about to be uploaded, as hard links. */
const STAGING = join("thanos", "upload");

/** Uploads finished blocks of a TSDB directory, oldest first, each once. */
export class Shipper {
  readonly #o: ShipperOptions;
  readonly #statePath: string;
  readonly #metrics: ShipperMetrics;

  constructor(options: ShipperOptions) {
    this.#o = options;
    this.#statePath = join(options.dir, options.metaFileName ?? SHIPPER_STATE_FILE);
    this.#metrics = shipperMetrics(options.registry);
  }

  /** One round; gives how many blocks it uploaded. What fails is thrown at the end, or at once where order matters. */
  async sync(signal: AbortSignal): Promise<number> {
    this.#metrics.dirSyncs.inc();
    try {
      return await this.#sync(signal);
    } catch (err) {
      this.#metrics.dirSyncFailures.inc();
      throw err;
    }
  }

  async #sync(signal: AbortSignal): Promise<number> {
    const before = new Set(await readShipperState(this.#statePath, this.#o.logger));
    const {metas, corrupted} = await this.#localBlocks();
    const overlaps = new OverlapChecker(this.#o.bucket, this.#o.labels);
    const listed: string[] = [];
    let uploaded = 0;
    let failed = 0;
    for (const meta of metas) {
      if (before.has(meta.ulid)) {
        listed.push(meta.ulid);
        continue;
      }
      if (meta.stats.numSamples === 0) continue;
      if (meta.compaction.level > 1 && !this.#o.uploadCompacted) continue;
      try {
        if (await this.#shipUnlessThere(meta, overlaps, signal)) uploaded++;
        listed.push(meta.ulid);
      } catch (err) {
        // Without this permission a later block must not overtake the failed one: compaction relies on the order.
        if (this.#o.allowOutOfOrderUploads !== true || signal.aborted) throw err;
        this.#o.logger.error("cannot ship block, going on with the next", {block: meta.ulid, err: errorText(err)});
        failed++;
      }
    }
    await writeShipperState(this.#statePath, listed);
    if (failed + corrupted.length > 0) {
      throw new StrataError(
        "unavailable",
        `cannot ship all blocks: ${failed} uploads failed, ${corrupted.length} blocks are corrupted${
          corrupted.length === 0 ? "" : ` (${corrupted.join(", ")})`
        }`,
      );
    }
    this.#metrics.uploadCompactedDone.set(this.#o.uploadCompacted ? 1 : 0);
    return uploaded;
  }

  /** Metas of the blocks in the directory, oldest first, and the names of those that cannot be read. */
  async #localBlocks(): Promise<{metas: BlockMeta[]; corrupted: string[]}> {
    const metas: BlockMeta[] = [];
    const corrupted: string[] = [];
    for (const entry of await readdir(this.#o.dir, {withFileTypes: true})) {
      if (!entry.isDirectory() || parseUlid(entry.name) !== entry.name) continue;
      try {
        metas.push(await readLocalMeta(join(this.#o.dir, entry.name)));
      } catch (err) {
        if (this.#o.skipCorruptedBlocks !== true) throw withContext(err, `cannot ship block ${entry.name}`);
        this.#metrics.corruptedBlocks.inc();
        this.#o.logger.warn("block is corrupted, not shipping it", {block: entry.name, err: errorText(err)});
        corrupted.push(entry.name);
      }
    }
    metas.sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
    return {metas, corrupted};
  }

  /** Uploads the block; false when the bucket has it already. */
  async #shipUnlessThere(meta: BlockMeta, overlaps: OverlapChecker, signal: AbortSignal): Promise<boolean> {
    const {bucket, allowOutOfOrderUploads, logger} = this.#o;
    if (await bucket.exists(`${meta.ulid}/${META_FILE}`, signal)) return false;
    if (meta.compaction.level > 1 && allowOutOfOrderUploads !== true) await overlaps.check(meta, signal);
    try {
      await this.#ship(meta, signal);
    } catch (err) {
      this.#metrics.uploadFailures.inc();
      throw withContext(err, `cannot ship block ${meta.ulid}`);
    }
    this.#metrics.uploads.inc();
    logger.info("uploaded block", {block: meta.ulid, mint: meta.minTime, maxt: meta.maxTime});
    return true;
  }

  /** Links the block's files into the staging folder, so that the TSDB may delete it meanwhile, and uploads from there. */
  async #ship(meta: BlockMeta, signal: AbortSignal): Promise<void> {
    const from = join(this.#o.dir, meta.ulid);
    const staged = join(this.#o.dir, STAGING, meta.ulid);
    await rm(staged, {recursive: true, force: true});
    try {
      await mkdir(join(staged, CHUNKS_DIR), {recursive: true});
      const segments = await segmentFiles(from);
      for (const name of segments) await linkOrCopy(join(from, CHUNKS_DIR, name), join(staged, CHUNKS_DIR, name));
      await linkOrCopy(join(from, INDEX_FILE), join(staged, INDEX_FILE));
      const thanos = meta.thanos ?? EMPTY_THANOS_META;
      const shipped: BlockMeta = {
        ...meta,
        thanos: {
          ...thanos,
          labels: {...thanos.labels, ...this.#o.labels().toObject()},
          source: this.#o.source,
          segmentFiles: segments,
        },
      };
      await writeFile(join(staged, META_FILE), encodeBlockMeta(shipped));
      await uploadBlock(
        this.#o.bucket,
        staged,
        {hashFunc: this.#o.hashFunc ?? "", concurrency: this.#o.uploadConcurrency ?? 0, now: this.#o.now},
        signal,
      );
    } finally {
      await rm(staged, {recursive: true, force: true});
    }
  }
}

/** Hard link where the file system has them, else a copy. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code ?? "";
    if (!["EXDEV", "EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(code)) throw err;
    await copyFile(from, to);
  }
}

/** Keeps a compacted block from being uploaded beside the blocks it was made of. Reads the bucket's metas once, if ever. */
class OverlapChecker {
  readonly #bucket: Bucket;
  readonly #labels: () => Labels;
  #metas: Promise<readonly BlockMeta[]> | undefined;

  constructor(bucket: Bucket, labels: () => Labels) {
    this.#bucket = bucket;
    this.#labels = labels;
  }

  async check(meta: BlockMeta, signal: AbortSignal): Promise<void> {
    this.#metas ??= this.#load(signal);
    const overlapping = (await this.#metas).filter((m) => m.minTime < meta.maxTime && meta.minTime < m.maxTime);
    if (overlapping.length === 0) return;
    throw new StrataError(
      "conflict",
      `shipping compacted block ${meta.ulid} is blocked; overlap spotted: ${overlapping.map((m) => m.ulid).join(", ")}`,
    );
  }

  async #load(signal: AbortSignal): Promise<readonly BlockMeta[]> {
    const metas: BlockMeta[] = [];
    const labels = this.#labels();
    for await (const {name} of this.#bucket.list("", {}, signal)) {
      const ulid = parseUlid(name.slice(0, -1));
      if (ulid === undefined || `${ulid}/` !== name) continue;
      const key = `${ulid}/${META_FILE}`;
      const meta = parseBlockMeta(
        Buffer.from(await readObject(this.#bucket, key, MAX_META_BYTES, signal)).toString(),
        key,
      );
      if (externalLabels(meta).equals(labels)) metas.push(meta);
    }
    return metas;
  }
}

const shipperMetrics = (r: Registry) => ({
  dirSyncs: r.counter({name: "thanos_shipper_dir_syncs_total", help: "Rounds over the local blocks."}),
  dirSyncFailures: r.counter({name: "thanos_shipper_dir_sync_failures_total", help: "Rounds that failed."}),
  uploads: r.counter({name: "thanos_shipper_uploads_total", help: "Blocks uploaded."}),
  uploadFailures: r.counter({name: "thanos_shipper_upload_failures_total", help: "Block uploads that failed."}),
  corruptedBlocks: r.counter({
    name: "thanos_shipper_corrupted_blocks_total",
    help: "Local blocks that were passed over because their meta.json cannot be read.",
  }),
  uploadCompactedDone: r.gauge({
    name: "thanos_shipper_upload_compacted_done",
    help: "1 once all compacted blocks were uploaded, if they are to be.",
  }),
});

type ShipperMetrics = ReturnType<typeof shipperMetrics>;
