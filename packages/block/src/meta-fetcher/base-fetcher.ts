import {join} from "node:path";
import {errorCode, errorText, forEachLimit, StrataError} from "@strata/base";
import {parseUlid} from "@strata/model";
import {type Bucket, isNotFound, readObject} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import {type BlockMeta, parseBlockMeta} from "@strata/tsdb/blocks";
import {MAX_META_BYTES, META_FILE} from "../block-files.ts";
import {type CachedMeta, MetaCacheFile} from "./meta-cache.ts";

/** `--block-discovery-strategy`. Only `recursive` notices that a meta.json was written anew. */
export type DiscoveryStrategy = "concurrent" | "recursive";

export type BaseFetcherOptions = {
  readonly bucket: Bucket;
  /** Where to keep metas between runs; without it only in memory. */
  readonly cacheDir?: string | undefined;
  readonly strategy?: DiscoveryStrategy | undefined;
  /** Metas read at once. */
  readonly concurrency: number;
  readonly logger: Logger;
  /** Called for each meta that is read again because its object changed. */
  readonly onCacheBust?: (() => void) | undefined;
  readonly onSync?: (() => void) | undefined;
};

/** What a bucket holds. */
export type BucketView = {
  readonly metas: ReadonlyMap<string, BlockMeta>;
  /** Block folders without a usable meta.json, with why: `not_found` or `corrupt`. */
  readonly partial: ReadonlyMap<string, StrataError>;
  /** Blocks whose meta.json could not be read this time. Not empty: the view is incomplete. */
  readonly failed: ReadonlyMap<string, StrataError>;
};

/** Existence checks at once in the concurrent strategy. */
const EXISTS_CONCURRENCY = 64;

/** A block folder as the listing found it; lastModified 0 when the strategy does not tell. */
type Listed = {readonly ulid: string; readonly lastModified: number};

/**
 * Lists the blocks of a bucket and keeps their metas, in memory and in a file, so that each is read once. Several
 * filtered fetchers may share one; calls at the same time share a round.
 */
export class BaseFetcher {
  readonly #o: BaseFetcherOptions;
  readonly #file: MetaCacheFile | undefined;
  #cached: Map<string, CachedMeta> | undefined;
  #running: Promise<BucketView> | undefined;

  constructor(options: BaseFetcherOptions) {
    this.#o = options;
    this.#file =
      options.cacheDir === undefined ? undefined : new MetaCacheFile(join(options.cacheDir, "meta-syncer", "metas"));
  }

  async fetch(signal: AbortSignal): Promise<BucketView> {
    this.#running ??= this.#fetch(signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #fetch(signal: AbortSignal): Promise<BucketView> {
    this.#o.onSync?.();
    this.#cached ??= await this.#loadFile();
    const known = this.#cached;
    const next = new Map<string, CachedMeta>();
    const added: CachedMeta[] = [];
    const partial = new Map<string, StrataError>();
    const failed = new Map<string, StrataError>();

    const load = async ({ulid, lastModified}: Listed) => {
      const before = known.get(ulid);
      if (before !== undefined && before.lastModified === lastModified) return void next.set(ulid, before);
      if (before !== undefined && before.lastModified !== 0) this.#o.onCacheBust?.();
      const entry = {meta: await this.#readMeta(ulid, signal), lastModified};
      added.push(entry);
      next.set(ulid, entry);
    };
    const guarded = async (listed: Listed) => {
      try {
        await load(listed);
      } catch (err) {
        const error = err instanceof StrataError ? err : new StrataError("internal", errorText(err), {cause: err});
        if (error.code === "canceled" || error.code === "timeout") throw error;
        (error.code === "not_found" || error.code === "corrupt" ? partial : failed).set(listed.ulid, error);
      }
    };
    if (this.#o.strategy === "recursive") await this.#recursive(guarded, partial, signal);
    else await this.#concurrent(guarded, known, partial, failed, signal);

    if (failed.size === 0) {
      this.#cached = next;
      await this.#storeFile(next, added);
    }
    const metas = new Map([...next].sort(byUlid).map(([ulid, entry]) => [ulid, entry.meta]));
    return {metas, partial, failed};
  }

  async #concurrent(
    load: (listed: Listed) => Promise<void>,
    known: ReadonlyMap<string, CachedMeta>,
    partial: Map<string, StrataError>,
    failed: Map<string, StrataError>,
    signal: AbortSignal,
  ): Promise<void> {
    const cold: string[] = [];
    await forEachLimit(this.#rootBlocks(signal), EXISTS_CONCURRENCY, async (ulid) => {
      const before = known.get(ulid);
      // A meta that has to be read anyway tells by itself whether it is there.
      if (before === undefined) return void cold.push(ulid);
      try {
        if (await this.#o.bucket.exists(`${ulid}/${META_FILE}`, signal))
          await load({ulid, lastModified: before.lastModified});
        else partial.set(ulid, noMeta(ulid));
      } catch (err) {
        if (!(err instanceof StrataError) || err.code === "canceled" || err.code === "timeout") throw err;
        failed.set(ulid, err);
      }
    });
    const reads = Math.max(1, this.#o.concurrency);
    await forEachLimit(cold, reads, (ulid) => load({ulid, lastModified: 0}));
  }

  async *#rootBlocks(signal: AbortSignal): AsyncGenerator<string> {
    for await (const entry of this.#o.bucket.list("", {}, signal)) {
      const ulid = entry.name.endsWith("/") ? parseUlid(entry.name.slice(0, -1)) : undefined;
      if (ulid !== undefined && ulid === entry.name.slice(0, -1)) yield ulid;
    }
  }

  async #recursive(
    load: (listed: Listed) => Promise<void>,
    partial: Map<string, StrataError>,
    signal: AbortSignal,
  ): Promise<void> {
    const blocks = new Map<string, number | undefined>();
    for await (const entry of this.#o.bucket.list("", {recursive: true}, signal)) {
      const slash = entry.name.indexOf("/");
      const folder = entry.name.slice(0, Math.max(0, slash));
      const ulid = parseUlid(folder);
      if (ulid === undefined || ulid !== folder) continue;
      const isMeta = entry.name.slice(slash + 1) === META_FILE;
      if (isMeta) blocks.set(ulid, entry.lastModified?.getTime() ?? 0);
      else if (!blocks.has(ulid)) blocks.set(ulid, undefined);
    }
    const complete: Listed[] = [];
    for (const [ulid, lastModified] of blocks) {
      if (lastModified === undefined) partial.set(ulid, noMeta(ulid));
      else complete.push({ulid, lastModified});
    }
    await forEachLimit(complete, Math.max(1, this.#o.concurrency), load);
  }

  async #readMeta(ulid: string, signal: AbortSignal): Promise<BlockMeta> {
    const key = `${ulid}/${META_FILE}`;
    let text: string;
    try {
      text = Buffer.from(await readObject(this.#o.bucket, key, MAX_META_BYTES, signal)).toString("utf8");
    } catch (err) {
      if (isNotFound(err)) throw noMeta(ulid, err);
      throw new StrataError(errorCode(err), `cannot read ${key}: ${errorText(err)}`, {cause: err});
    }
    let meta: BlockMeta;
    try {
      meta = parseBlockMeta(text, key);
    } catch (err) {
      // Compat: a version from the future is no damage; such a block makes the view incomplete.
      const fromFuture = err instanceof StrataError && String(err.fields.class).endsWith("-version");
      throw new StrataError(fromFuture ? "internal" : "corrupt", `meta.json corrupted: ${errorText(err)}`, {
        cause: err,
      });
    }
    if (meta.ulid === ulid) return meta;
    throw new StrataError("corrupt", `meta.json corrupted: ${key} is that of block ${meta.ulid}`, {
      fields: {file: key},
    });
  }

  async #loadFile(): Promise<Map<string, CachedMeta>> {
    try {
      return (await this.#file?.load()) ?? new Map();
    } catch (err) {
      this.#o.logger.warn("cannot read the kept block metas, reading all from the bucket", {err: errorText(err)});
      return new Map();
    }
  }

  async #storeFile(all: ReadonlyMap<string, CachedMeta>, added: readonly CachedMeta[]): Promise<void> {
    try {
      await this.#file?.store(all, added);
    } catch (err) {
      this.#o.logger.warn("cannot keep block metas on disk", {err: errorText(err)});
    }
  }
}

const noMeta = (ulid: string, cause?: unknown) =>
  new StrataError("not_found", `meta.json not found: ${ulid}/${META_FILE}`, {
    cause,
    fields: {file: `${ulid}/${META_FILE}`},
  });

const byUlid = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;
