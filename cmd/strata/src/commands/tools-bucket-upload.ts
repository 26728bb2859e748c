import {stat} from "node:fs/promises";
import {errorText, StrataError} from "@strata/base";
import {Shipper} from "@strata/block";
import {Labels} from "@strata/model";
import {newRegistry} from "@strata/telemetry";
import {bucketUploadBlocksFlags} from "../flags/tools.ts";
import {bucketTool} from "./tools-bucket-blocks.ts";
import type {CommandModule} from "./tree.ts";

export const bucketUploadBlocks: CommandModule = bucketTool(
  bucketUploadBlocksFlags,
  async ({flags}, {bucket, log, signal}) => {
    if (flags.label.length === 0) {
      throw new StrataError(
        "bad_data",
        "no external labels: give at least one --label that tells these blocks from all others in the bucket",
      );
    }
    const labels = Labels.fromPairs(flags.label.map(({name, value}) => [name, value] as const));
    await mustBeDir(flags.path);
    const shipper = new Shipper({
      dir: flags.path,
      bucket,
      labels: () => labels,
      source: "bucket.upload",
      uploadCompacted: flags["shipper.upload-compacted"],
      uploadConcurrency: flags["shipper.upload-concurrency"],
      logger: log,
      registry: newRegistry(),
    });
    const uploaded = await shipper.sync(signal);
    log.info("synced blocks", {uploaded});
  },
);

async function mustBeDir(path: string): Promise<void> {
  let isDir: boolean;
  try {
    isDir = (await stat(path)).isDirectory();
  } catch (err) {
    throw new StrataError("bad_data", `cannot read --path=${path}: ${errorText(err)}`, {cause: err});
  }
  if (!isDir) throw new StrataError("bad_data", `cannot read --path=${path}: it is not a directory`);
}
