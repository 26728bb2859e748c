import {mkdir, readdir, rename, rm, stat, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {META_FILE, Shipper, uploadBlock} from "@strata/block";
import {parseUlid} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import {DEMO_EXTERNAL_LABELS, type DemoSeries, demoSeries} from "./demo-series.ts";
import {writeDemoApart} from "./demo-thread.ts";

/** Below the data directory: says that the demo history is in the bucket, or that it is not wanted there. */
const DONE_FILE = "demo-done";
const DEMO_DIR = "demo";
/** Below that: what is older than two days. */
const YEAR_DIR = "year";

/**
 * Brings the demo history into an empty bucket, through the ordinary block writer and shipper. Does it once for a data
 * directory: a bucket that has blocks of its own is left alone, a run that was interrupted is gone on with. Gives the series
 * of the demo, which go on from where the history ends; none where there is no demo.
 */
export async function ensureDemoHistory(
  dataDir: string,
  bucket: Bucket,
  logger: Logger,
  registry: Registry,
  signal: AbortSignal,
): Promise<readonly DemoSeries[]> {
  const series = demoSeries();
  const done = join(dataDir, DONE_FILE);
  const dir = join(dataDir, DEMO_DIR);
  if (await exists(done)) return series;
  if (!(await exists(dir))) {
    if (await hasBlocks(bucket, signal)) return [];
    // Written aside and renamed, so that a directory under its own name is always whole.
    const fresh = `${dir}.tmp`;
    await rm(fresh, {recursive: true, force: true});
    await mkdir(fresh, {recursive: true});
    const job = {recentDir: fresh, yearDir: join(fresh, YEAR_DIR), now: Date.now()};
    const {recent, year} = await writeDemoApart(job, signal);
    await rename(fresh, dir);
    const blocks = year.blocks + recent.blocks;
    logger.info("wrote the demo history", {...recent, blocks, minTime: year.minTime});
  }
  const year = await uploadYear(join(dir, YEAR_DIR), bucket, signal);
  const labels = () => DEMO_EXTERNAL_LABELS;
  const shipper = new Shipper({dir, bucket, labels, source: "sidecar", uploadCompacted: false, logger, registry});
  const uploaded = await shipper.sync(signal);
  await writeFile(done, "");
  await rm(dir, {recursive: true, force: true});
  logger.info("uploaded the demo history", {blocks: year + uploaded});
  return series;
}

/** Uploads the blocks below `dir`, how many there are; the shipper is for blocks that no compactor has seen. */
export async function uploadYear(dir: string, bucket: Bucket, signal: AbortSignal): Promise<number> {
  if (!(await exists(dir))) return 0;
  const ulids = (await readdir(dir)).filter((name) => parseUlid(name) !== undefined);
  for (const ulid of ulids) await uploadBlock(bucket, join(dir, ulid), {hashFunc: "", concurrency: 0}, signal);
  return ulids.length;
}

async function hasBlocks(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  for await (const entry of bucket.list("", {recursive: true}, signal)) {
    if (entry.name.endsWith(`/${META_FILE}`)) return true;
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw err;
  }
}
