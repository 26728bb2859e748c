import {mkdir, rename, rm, stat, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {META_FILE, Shipper} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import {writeDemoHistory} from "./demo-history.ts";
import {DEMO_EXTERNAL_LABELS} from "./demo-series.ts";

/** Below the data directory: says that the demo history is in the bucket, or that it is not wanted there. */
const DONE_FILE = "demo-done";
const DEMO_DIR = "demo";

/**
 * Brings the demo history into an empty bucket, through the ordinary block writer and shipper. Does it once for a data
 * directory: a bucket that has blocks of its own is left alone, a run that was interrupted is gone on with.
 */
export async function ensureDemoHistory(
  dataDir: string,
  bucket: Bucket,
  logger: Logger,
  registry: Registry,
  signal: AbortSignal,
): Promise<void> {
  const done = join(dataDir, DONE_FILE);
  const dir = join(dataDir, DEMO_DIR);
  if (await exists(done)) return;
  if (!(await exists(dir))) {
    if (await hasBlocks(bucket, signal)) return;
    // Written aside and renamed, so that a directory under its own name is always whole.
    const fresh = `${dir}.tmp`;
    await rm(fresh, {recursive: true, force: true});
    await mkdir(fresh, {recursive: true});
    const history = await writeDemoHistory(fresh, Date.now());
    await rename(fresh, dir);
    logger.info("wrote the demo history", {...history});
  }
  const labels = () => DEMO_EXTERNAL_LABELS;
  const shipper = new Shipper({dir, bucket, labels, source: "sidecar", uploadCompacted: false, logger, registry});
  const uploaded = await shipper.sync(signal);
  await writeFile(done, "");
  await rm(dir, {recursive: true, force: true});
  logger.info("uploaded the demo history", {blocks: uploaded});
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
