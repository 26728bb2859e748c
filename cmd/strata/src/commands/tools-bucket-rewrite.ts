import {StrataError} from "@strata/base";
import {relabelConfigs} from "@strata/model";
import {parseDeletionRequests, rewriteInBucket} from "@strata/tools";
import {parse} from "yaml";
import {bucketRewriteFlags} from "../flags/tools.ts";
import {bucketTool} from "./tools-bucket-blocks.ts";
import type {CommandModule} from "./tree.ts";

export const bucketRewrite: CommandModule = bucketTool(
  bucketRewriteFlags,
  async ({flags}, {bucket, log, out, signal}) => {
    const deletions = await flags["rewrite.to-delete-config"].parse(parseDeletionRequests);
    const relabel = await flags["rewrite.to-relabel-config"].parse((text) => relabelConfigs(parse(text)));
    if (deletions.length + relabel.length === 0) {
      throw new StrataError(
        "bad_data",
        "nothing to rewrite: give --rewrite.to-delete-config[-file] or --rewrite.to-relabel-config[-file]",
      );
    }
    const dryRun = flags["dry-run"];
    const options = {
      ulids: flags.id,
      tmpDir: flags["tmp.dir"],
      dryRun,
      promBlocks: flags["prom-blocks"],
      deleteBlocks: flags["delete-blocks"],
      hashFunc: flags["hash-func"],
      changeLog: flags["rewrite.add-change-log"],
      deletions,
      relabel,
      // A dry run is there to be read.
      log: dryRun ? (line: string) => void out.line(line) : undefined,
    };
    await rewriteInBucket(bucket, options, log, signal);
    log.info("rewrite done", {IDs: flags.id.join(","), dryRun});
  },
);
