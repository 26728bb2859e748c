import {chmod, constants, cp, mkdtemp, readdir, rm} from "node:fs/promises";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {type ErrorFields, StrataError} from "@strata/base";
import {parseUlid} from "@strata/model";
import {mergeBatches, type Queryable} from "@strata/series";
import {type BlockMeta, inOrderEnd} from "../block-meta.ts";
import {BlockReader, META_FILE} from "../block-reader.ts";
import {Head} from "../head/head.ts";
import type {ReplayProgress} from "../head/replay.ts";
import {fileError} from "../random-access.ts";

/** Directories that opening a head may mend or add to. */
const HEAD_DIRS = /^(wal|wbl|chunks_head|chunk_snapshot\..+)$/;

export type DataDirOptions = {
  /** Blocks without times in [mint, maxt] (ms, both inclusive) are not opened. */
  readonly mint?: number | undefined;
  readonly maxt?: number | undefined;
  /** Where a copy of the head's files is made; the system's folder for temporary files by default. */
  readonly sandboxRoot?: string | undefined;
  /**
   * Leaves out blocks that cannot be opened, which throw otherwise, and after damage in the log the out-of-order log: what
   * Prometheus has after start-up.
   */
  readonly skipBadBlocks?: boolean | undefined;
  /** Out-of-order samples that make a chunk; 32 by default. Decides what histograms know of those before them. */
  readonly outOfOrderCap?: number | undefined;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
};

/** A data directory open for reading: its blocks, and its head out of a copy, so that nothing in it changes. */
export class DataDir implements Pick<Queryable, "select"> {
  /** By minTime. */
  readonly blocks: readonly BlockReader[];
  /** Undefined where the directory has no files of one. */
  readonly head: Head | undefined;
  /** What was damaged in the head's files and is left out, in words. */
  readonly damage: readonly string[];
  readonly #sandbox: string | undefined;

  private constructor(dir: string, blocks: readonly BlockReader[], head?: Head, sandbox?: string) {
    this.damage = (head?.report.repaired ?? []).map((text) => (sandbox ? text.replaceAll(sandbox, dir) : text));
    this.blocks = blocks;
    this.head = head;
    this.#sandbox = sandbox;
  }

  /** Opens blocks and head of `dir`, whose log may be damaged or missing. */
  static async open(dir: string, options: DataDirOptions = {}): Promise<DataDir> {
    const {mint = Number.NEGATIVE_INFINITY, maxt = Number.POSITIVE_INFINITY} = options;
    const names = await namesIn(dir);
    if (names.includes(META_FILE)) {
      throw new StrataError(
        "bad_data",
        `cannot read ${dir} as a data directory: it is a block; name the directory above`,
      );
    }
    const blocks: BlockReader[] = [];
    const metas: BlockMeta[] = [];
    let sandbox: string | undefined;
    try {
      for (const name of names.filter((n) => parseUlid(n) !== undefined)) {
        const block = await openBlock(join(dir, name), options.skipBadBlocks === true);
        if (block === undefined) continue;
        metas.push(block.meta);
        if (block.meta.minTime <= maxt && block.meta.maxTime > mint) blocks.push(block);
        else await block.close();
      }
      blocks.sort((a, b) => a.meta.minTime - b.meta.minTime);
      const headDirs = names.filter((n) => HEAD_DIRS.test(n));
      if (headDirs.length === 0) return new DataDir(dir, blocks);
      sandbox = await mkdtemp(join(options.sandboxRoot ?? tmpdir(), "strata-head-"));
      for (const name of headDirs) await copyWritable(join(dir, name), join(sandbox, name));
      const {outOfOrderCap, onProgress} = options;
      const head = await Head.open(sandbox, {
        minValidTime: inOrderEnd(metas),
        outOfOrderCap,
        onProgress,
        stopAtDamage: options.skipBadBlocks,
      });
      return new DataDir(dir, blocks, head, sandbox);
    } catch (err) {
      await Promise.all(blocks.map((b) => b.close()));
      if (sandbox !== undefined) await rm(sandbox, {recursive: true, force: true});
      throw sandbox === undefined ? err : aboutOriginal(err, sandbox, dir);
    }
  }

  /** Series of blocks and head in label order. */
  select(...[q, signal]: Parameters<Queryable["select"]>): ReturnType<Queryable["select"]> {
    const sources: Queryable[] = this.head === undefined ? [...this.blocks] : [...this.blocks, this.head];
    return mergeBatches(sources.map((source) => source.select(q, signal)));
  }

  /** Closes everything and removes the copy. */
  async close(): Promise<void> {
    await Promise.all(this.blocks.map((b) => b.close()));
    await this.head?.close();
    if (this.#sandbox !== undefined) await rm(this.#sandbox, {recursive: true, force: true});
  }
}

/** The error with the names of the original files, not of their copies. */
function aboutOriginal(err: unknown, sandbox: string, dir: string): unknown {
  if (!(err instanceof StrataError)) return err;
  const original = (value: unknown): unknown => (typeof value === "string" ? value.replaceAll(sandbox, dir) : value);
  const fields = Object.fromEntries(Object.entries(err.fields).map(([name, value]) => [name, original(value)]));
  return new StrataError(err.code, String(original(err.message)), {cause: err, fields: fields as ErrorFields});
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (err) {
    throw fileError(err, dir);
  }
}

async function openBlock(dir: string, skipBad: boolean): Promise<BlockReader | undefined> {
  try {
    return await BlockReader.open(dir);
  } catch (err) {
    if (skipBad && err instanceof StrataError) return undefined;
    throw err;
  }
}

/** Copies a directory, by reference where the file system can; what was read-only becomes writable. */
async function copyWritable(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, {recursive: true, mode: constants.COPYFILE_FICLONE});
  } catch (err) {
    throw fileError(err, from);
  }
  await chmod(to, 0o700);
  for (const entry of await readdir(to, {recursive: true, withFileTypes: true})) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
}
