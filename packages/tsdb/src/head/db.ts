import {randomBytes} from "node:crypto";
import {link, mkdir, readdir, rename, rm} from "node:fs/promises";
import {join} from "node:path";
import {errorText, StrataError} from "@strata/base";
import {compareUtf8, type Matcher, parseUlid} from "@strata/model";
import {
  type LabelAnswer,
  type LabelQuery,
  mergeBatches,
  type Queryable,
  type Select,
  type SeriesBatch,
} from "@strata/series";
import {blockBytes} from "../block-bytes.ts";
import {type BlockMeta, inOrderEnd} from "../block-meta.ts";
import {BlockReader} from "../block-reader.ts";
import {compactBlocks} from "../compact/compact-blocks.ts";
import {fileError} from "../random-access.ts";
import {TMP_FOR_CREATION, TMP_FOR_DELETION} from "../writer/block-writer.ts";
import {syncDir, writeError} from "../writer/file-sink.ts";
import {DbStats, watchDb} from "./db-metrics.ts";
import {DirLock} from "./dir-lock.ts";
import {Head, type HeadOptions} from "./head.ts";
import {compactHead, compactOutOfOrder, snapshotHead, writeHeadBlock} from "./head-blocks.ts";

export type DbOptions = Omit<HeadOptions, "minValidTime"> & {
  /** Blocks that end this many ms before the newest block's end are deleted; 0 keeps all. */
  readonly retentionMs?: number | undefined;
  /** The oldest blocks are deleted while logs, chunk files and blocks take more bytes; 0 keeps all. */
  readonly retentionBytes?: number | undefined;
  /** Keeps other processes out of the directory by a lock file; on by default. */
  readonly lockFile?: boolean | undefined;
  /** Hears of blocks that cannot be opened and are left out, and of those that are deleted. */
  readonly onEvent?: ((event: DbEvent) => void) | undefined;
};

export type DbEvent =
  | {readonly kind: "bad-block"; readonly dir: string; readonly reason: string}
  | {readonly kind: "new-block"; readonly meta: BlockMeta}
  | {readonly kind: "deleted-block"; readonly ulid: string; readonly reason: "retention" | "size" | "replaced"};

/**
 * A data directory as Prometheus has it: a head and the blocks made of it. Reading merges both; chunks of one series may
 * overlap where samples came out of order. Nothing runs by itself: call `maintain` every minute or so.
 */
export class Db implements Queryable {
  readonly dir: string;
  readonly head: Head;
  readonly stats = new DbStats();
  /** 0 is without limit. */
  readonly limits: {readonly retentionMs: number; readonly retentionBytes: number};
  readonly #options: DbOptions;
  readonly #lock: DirLock | undefined;
  /** Of each open block, in bytes. */
  readonly #sizes = new WeakMap<BlockReader, number>();
  /** By minTime. */
  #blocks: readonly BlockReader[];
  /** Compactions, reloads and deletions, one after the other. */
  #work: Promise<unknown> = Promise.resolve();

  private constructor(
    dir: string,
    head: Head,
    blocks: readonly BlockReader[],
    options: DbOptions,
    lock: DirLock | undefined,
  ) {
    this.dir = dir;
    this.head = head;
    this.#blocks = blocks;
    this.#options = options;
    this.#lock = lock;
    this.limits = {retentionMs: options.retentionMs ?? 0, retentionBytes: options.retentionBytes ?? 0};
    if (lock !== undefined) this.stats.cleanStart = lock.replaced ? 0 : 1;
  }

  /** Opens `dir`, made when missing: removes half-made blocks, opens the others, replays the head. */
  static async open(dir: string, options: DbOptions = {}): Promise<Db> {
    try {
      await mkdir(dir, {recursive: true});
    } catch (err) {
      throw writeError(err, dir);
    }
    const lock = options.lockFile === false ? undefined : DirLock.take(dir);
    try {
      return await Db.#open(dir, options, lock);
    } catch (err) {
      lock?.release();
      throw err;
    }
  }

  static async #open(dir: string, options: DbOptions, lock: DirLock | undefined): Promise<Db> {
    try {
      for (const name of await readdir(dir)) {
        if (name.endsWith(TMP_FOR_CREATION) || name.endsWith(TMP_FOR_DELETION)) {
          await rm(join(dir, name), {recursive: true, force: true});
        }
      }
    } catch (err) {
      throw writeError(err, dir);
    }
    const blocks = await openBlocks(dir, [], options);
    try {
      const minValidTime = inOrderEnd(blocks.map((b) => b.meta));
      const db = new Db(dir, await Head.open(dir, {...options, minValidTime}), blocks, options, lock);
      await db.#measure();
      if (options.registry !== undefined) watchDb(options.registry, db);
      return db;
    } catch (err) {
      await Promise.all(blocks.map((b) => b.close()));
      throw err;
    }
  }

  /** The blocks, by minTime. */
  get blocks(): readonly BlockReader[] {
    return this.#blocks;
  }

  /** The first sample's time, ms, or that of the first block where it is earlier; +Infinity when there is none. */
  get minTime(): number {
    const {minTime, store} = this.head;
    return Math.min(this.#blocks[0]?.meta.minTime ?? Number.POSITIVE_INFINITY, minTime, store.oooMint);
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    // Taken together and begun at once: what moves from head to block meanwhile is in one of them.
    const sources: Queryable[] = this.#blocks.filter((b) => b.meta.minTime <= q.maxt && b.meta.maxTime > q.mint);
    sources.push(this.head);
    yield* mergeBatches(
      sources.map((s) => s.select(q, signal)),
      {limit: q.limit},
    );
  }

  async labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    return joined(await Promise.all([...this.#blocks, this.head].map((s) => s.labelNames(q, signal))), q.limit);
  }

  async labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    return joined(await Promise.all([...this.#blocks, this.head].map((s) => s.labelValues(name, q, signal))), q.limit);
  }

  /** Writes the blocks that are due, then deletes what retention no longer keeps. Returns the new blocks. */
  maintain(): Promise<BlockMeta[]> {
    return this.#serially(async () => {
      const metas = this.head.isCompactable ? await this.#compact() : [];
      await this.#reload();
      await this.#retain();
      return metas;
    });
  }

  async #compact(): Promise<BlockMeta[]> {
    const {stats} = this;
    const start = performance.now();
    stats.compactionsTriggered++;
    try {
      return await compactHead(this.head, this.dir, (m) => this.#adopt(m));
    } catch (err) {
      stats.compactionsFailed++;
      throw err;
    } finally {
      stats.onCompaction((performance.now() - start) / 1000);
    }
  }

  /**
   * Deletes samples of [mint, maxt] (ms, both inclusive) of all series that match, in blocks and head: they are hidden at
   * once, and leave the disk with `cleanTombstones` or the next merge of their block. Returns how many series it concerns,
   * each counted in every block that has it.
   */
  delete(matchers: readonly Matcher[], mint: number, maxt: number): Promise<number> {
    return this.#serially(async () => {
      let series = 0;
      for (const block of this.#blocks) series += await block.delete(matchers, mint, maxt);
      return series + (await this.head.delete(matchers, mint, maxt));
    });
  }

  /** Writes the blocks that have deletions anew without what is deleted. Returns the new blocks. */
  cleanTombstones(): Promise<BlockMeta[]> {
    return this.#serially(async () => {
      const start = performance.now();
      const metas: BlockMeta[] = [];
      for (const block of this.#blocks.filter((b) => b.tombstones.size > 0)) {
        const meta = await compactBlocks([block], this.dir);
        if (meta === undefined) await this.#delete([block], "replaced");
        else {
          metas.push(meta);
          await this.#adopt(meta);
        }
      }
      // The new blocks name the old ones as their parents, which go therefore.
      await this.#reload();
      this.stats.onCleanup((performance.now() - start) / 1000);
      return metas;
    });
  }

  /** Writes all that the head holds as blocks, due or not: up to the last full block range, then the rest. */
  flush(): Promise<BlockMeta[]> {
    return this.#serially(async () => {
      const {head} = this;
      const metas: BlockMeta[] = [];
      const write = async (maxt: number): Promise<void> => {
        // What came in behind the block's back would be lost when the head lets go of its times: it is refused, or late.
        const before = head.minValidTime;
        head.minValidTime = Math.max(before, maxt);
        try {
          const meta = await writeHeadBlock(head, this.dir, head.minTime, maxt);
          if (meta !== undefined) {
            await this.#adopt(meta);
            metas.push(meta);
          }
        } catch (err) {
          head.minValidTime = before;
          throw err;
        }
        await head.truncate(maxt);
      };
      const aligned = Math.floor(head.maxTime / head.chunkRange) * head.chunkRange;
      if (head.minTime < aligned) await write(aligned);
      if (head.minTime <= head.maxTime) await write(head.maxTime + 1);
      metas.push(...(await compactOutOfOrder(head, this.dir, (m) => this.#adopt(m))));
      return metas;
    });
  }

  /** Looks at the directory anew: opens blocks that others put there, and lets go of those that they took away. */
  reload(): Promise<void> {
    return this.#serially(() => this.#reload());
  }

  /**
   * Copies everything to `snapshots/<name>` below the directory: blocks as hard links and, unless `skipHead`, one block of
   * the head. Returns the name, which begins with the time.
   */
  snapshot(skipHead: boolean, now: number): Promise<string> {
    return this.#serially(async () => {
      const time = new Date(now)
        .toISOString()
        .replace(/[-:]/g, "")
        .replace(/\.\d+Z$/, "Z");
      const name = `${time}-${randomBytes(8).toString("hex")}`;
      const target = join(this.dir, "snapshots", name);
      try {
        await mkdir(target, {recursive: true});
        for (const block of this.#blocks) await linkBlock(block.dir, join(target, block.meta.ulid));
      } catch (err) {
        throw writeError(err, target);
      }
      if (!skipHead && this.head.minTime <= this.head.maxTime) await snapshotHead(this.head, target);
      return name;
    });
  }

  /** Waits for what is under way and closes everything. Safe to call twice. */
  close(): Promise<void> {
    return this.#serially(async () => {
      try {
        await this.head.close();
      } finally {
        this.#lock?.release();
      }
      const blocks = this.#blocks;
      this.#blocks = [];
      await Promise.all(blocks.map((b) => b.close()));
    });
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }

  async #adopt(meta: BlockMeta): Promise<void> {
    const {externalLabels, source} = this.#options;
    const block = await BlockReader.open(join(this.dir, meta.ulid), {externalLabels, source});
    this.#blocks = sorted([...this.#blocks, block]);
    this.stats.compactions++;
    await this.#measure();
    this.#options.onEvent?.({kind: "new-block", meta});
  }

  async #reload(): Promise<void> {
    this.stats.reloads++;
    try {
      await this.#lookAnew();
    } catch (err) {
      this.stats.reloadsFailed++;
      throw err;
    }
  }

  async #lookAnew(): Promise<void> {
    const found = await openBlocks(this.dir, this.#blocks, this.#options);
    const gone = this.#blocks.filter((b) => !found.includes(b));
    this.#blocks = found;
    await Promise.all(gone.map((b) => b.close()));
    const parents = new Set(found.flatMap((b) => b.meta.compaction.parents.map((p) => p.ulid)));
    const replaced = found.filter((b) => parents.has(b.meta.ulid) || b.meta.compaction.deletable);
    await this.#delete(replaced, "replaced");
    await this.#measure();
  }

  /** Bytes of all blocks. */
  get blocksBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + (this.#sizes.get(block) ?? 0), 0);
  }

  async #measure(): Promise<void> {
    for (const block of this.#blocks) {
      if (!this.#sizes.has(block)) this.#sizes.set(block, await blockBytes(block.dir));
    }
  }

  async #retain(): Promise<void> {
    const {retentionMs, retentionBytes} = this.limits;
    const newest = [...this.#blocks].sort((a, b) => b.meta.maxTime - a.meta.maxTime);
    if (retentionMs > 0) {
      const end = newest[0]?.meta.maxTime ?? 0;
      const first = newest.findIndex((b, i) => i > 0 && end - b.meta.maxTime >= retentionMs);
      if (first > 0) {
        this.stats.timeRetentions++;
        await this.#delete(newest.splice(first), "retention");
      }
    }
    if (retentionBytes > 0) {
      let bytes = this.head.bytes;
      const first = newest.findIndex((b) => {
        bytes += this.#sizes.get(b) ?? 0;
        return bytes > retentionBytes;
      });
      if (first >= 0) {
        this.stats.sizeRetentions++;
        await this.#delete(newest.slice(first), "size");
      }
    }
  }

  async #delete(blocks: readonly BlockReader[], reason: "retention" | "size" | "replaced"): Promise<void> {
    this.#blocks = this.#blocks.filter((b) => !blocks.includes(b));
    for (const block of blocks) {
      await block.close();
      const {ulid} = block.meta;
      const tmp = join(this.dir, ulid + TMP_FOR_DELETION);
      try {
        // Renamed first: a block that is half deleted must not look like one.
        await rename(block.dir, tmp);
        await syncDir(this.dir);
        await rm(tmp, {recursive: true, force: true});
      } catch (err) {
        throw writeError(err, block.dir);
      }
      this.#options.onEvent?.({kind: "deleted-block", ulid, reason});
    }
  }
}

const sorted = (blocks: readonly BlockReader[]): BlockReader[] =>
  [...blocks].sort((a, b) => a.meta.minTime - b.meta.minTime || compareUtf8(a.meta.ulid, b.meta.ulid));

/** The blocks in `dir`: those of `open` that are still there, the others opened. What cannot be opened is left out. */
async function openBlocks(dir: string, open: readonly BlockReader[], options: DbOptions): Promise<BlockReader[]> {
  const known = new Map(open.map((b) => [b.meta.ulid, b]));
  const blocks: BlockReader[] = [];
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (err) {
    throw fileError(err, dir);
  }
  for (const name of names) {
    if (parseUlid(name) === undefined) continue;
    const old = known.get(name);
    if (old !== undefined) {
      blocks.push(old);
      continue;
    }
    const path = join(dir, name);
    try {
      blocks.push(await BlockReader.open(path, {externalLabels: options.externalLabels, source: options.source}));
    } catch (err) {
      if (!(err instanceof StrataError) || (err.code !== "corrupt" && err.code !== "not_found")) throw err;
      options.onEvent?.({kind: "bad-block", dir: path, reason: errorText(err)});
    }
  }
  return sorted(blocks);
}

/** Links everything a block consists of. */
async function linkBlock(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, {recursive: true, withFileTypes: true})) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length));
    if (entry.isDirectory()) await mkdir(target, {recursive: true});
    else {
      await mkdir(join(target, ".."), {recursive: true});
      await link(source, target);
    }
  }
}

function joined(answers: readonly LabelAnswer[], limit: number): LabelAnswer {
  const values = [...new Set(answers.flatMap((a) => a.values))].sort(compareUtf8);
  return {
    values: limit > 0 ? values.slice(0, limit) : values,
    warnings: [...new Set(answers.flatMap((a) => a.warnings))],
  };
}
