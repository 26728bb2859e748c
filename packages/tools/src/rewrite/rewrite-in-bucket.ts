import {createWriteStream} from "node:fs";
import {mkdir, rm} from "node:fs/promises";
import {join} from "node:path";
import {finished} from "node:stream/promises";
import {downloadBlock, type HashFunc, uploadBlock, writeMark} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import {type RewriteOptions, rewriteBlock} from "./rewrite-block.ts";

export type BucketRewriteOptions = Omit<RewriteOptions, "log"> & {
  readonly ulids: readonly string[];
  /** Emptied first. What was written stays there, with its change log, until the next run. */
  readonly tmpDir: string;
  /** Writes the blocks and their change logs, but uploads nothing and marks nothing. */
  readonly dryRun: boolean;
  /** The blocks are Prometheus' own and have no external labels. */
  readonly promBlocks: boolean;
  /** Marks each original for deletion once its copy is in the bucket. */
  readonly deleteBlocks: boolean;
  readonly hashFunc: HashFunc;
  readonly changeLog: boolean;
  /** Told each change. */
  readonly log?: ((line: string) => void) | undefined;
};

const CHANGE_LOG = "change.log";

/** Rewrites blocks of a bucket, one after the other; each original stays until its copy is there. */
export async function rewriteInBucket(
  bucket: Bucket,
  options: BucketRewriteOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  await rm(options.tmpDir, {recursive: true, force: true});
  await mkdir(options.tmpDir, {recursive: true});
  for (const ulid of options.ulids) await rewriteOne(bucket, ulid, options, logger.with({source: ulid}), signal);
}

async function rewriteOne(
  bucket: Bucket,
  ulid: string,
  options: BucketRewriteOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const {tmpDir, dryRun, promBlocks, hashFunc} = options;
  const dir = join(tmpDir, ulid);
  logger.info("downloading block");
  await downloadBlock(bucket, ulid, dir, 1, signal);
  const changes = new ChangeLog(join(dir, CHANGE_LOG), options.changeLog);
  const log = (line: string): void => {
    changes.add(line);
    options.log?.(line);
  };
  let written: Awaited<ReturnType<typeof rewriteBlock>>;
  try {
    written = await rewriteBlock(dir, tmpDir, {...options, log}, signal);
  } finally {
    await changes.close();
  }
  if (options.changeLog) logger.info("the changes are listed", {file: join(dir, CHANGE_LOG), changes: changes.lines});
  if (written === undefined) {
    logger.warn("no series is left of the block, nothing to upload; mark it for deletion to be rid of it");
    return;
  }
  const {numSeries, numSamples} = written.stats;
  if (dryRun) {
    logger.info("dry run finished, nothing was uploaded", {series: numSeries, samples: numSamples});
    return;
  }
  await uploadBlock(bucket, join(tmpDir, written.ulid), {hashFunc, concurrency: 1, allowNoLabels: promBlocks}, signal);
  logger.info("uploaded rewritten block", {new: written.ulid, series: numSeries, samples: numSamples});
  if (!options.deleteBlocks) return;
  const mark = {ulid, time: Math.floor(Date.now() / 1000), details: "block rewritten", reason: ""};
  await writeMark(bucket, "deletion", mark, logger, signal);
}

/** One line a change, in a file beside the block that was read; nothing where no log is wanted. */
class ChangeLog {
  lines = 0;
  readonly #out: ReturnType<typeof createWriteStream> | undefined;

  constructor(path: string, wanted: boolean) {
    this.#out = wanted ? createWriteStream(path) : undefined;
  }

  add(line: string): void {
    this.lines++;
    this.#out?.write(`${line}\n`);
  }

  async close(): Promise<void> {
    if (this.#out === undefined) return;
    this.#out.end();
    await finished(this.#out);
  }
}
