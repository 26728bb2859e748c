import {StrataError} from "@strata/base";
import {analysisLines, analyzeBlock, BlockReader, listBlocks, listLines} from "@strata/tsdb";
import {tsdbAnalyzeFlags, tsdbListFlags} from "../flags/tools-tsdb.ts";
import {toolCommand} from "./tools-output.ts";
import type {CommandModule} from "./tree.ts";

/** Compat: where promtool looks when no directory is given. */
export const DEFAULT_DB = "data/";
const DB_ARGUMENT = {name: "db path"};

export const list: CommandModule = toolCommand(tsdbListFlags, [DB_ARGUMENT], async ({flags, args}, {out}) => {
  const blocks = await listBlocks(args[0] ?? DEFAULT_DB);
  for (const line of listLines(blocks, flags["human-readable"])) await out.line(line);
});

export const analyze: CommandModule = toolCommand(
  tsdbAnalyzeFlags,
  [DB_ARGUMENT, {name: "block id"}],
  async ({flags, args}, {out}) => {
    const path = args[0] ?? DEFAULT_DB;
    const blocks = await listBlocks(path);
    const wanted = args[1] === undefined ? blocks.at(-1) : blocks.find((b) => b.meta.ulid === args[1]);
    if (wanted === undefined) {
      const what = args[1] === undefined ? "there is no block" : `block ${args[1]} not found`;
      throw new StrataError("not_found", `cannot analyze ${path}: ${what}`);
    }
    const block = await BlockReader.open(wanted.dir);
    try {
      const analysis = await analyzeBlock(block, {extended: flags.extended});
      for (const line of analysisLines(analysis, flags.limit)) await out.line(line);
    } finally {
      await block.close();
    }
  },
);
