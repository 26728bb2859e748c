import {stat} from "node:fs/promises";
import {type BlockMeta, blockBytes, blockRange, importOpenMetrics, listLines} from "@strata/tsdb";
import {fromOpenMetricsFlags} from "../flags/tools-tsdb.ts";
import {type Output, Progress, toolCommand, warn} from "./tools-output.ts";
import {DEFAULT_DB} from "./tools-tsdb-list.ts";
import type {CommandModule} from "./tree.ts";

type ListFlags = {readonly "human-readable": boolean; readonly quiet: boolean};

/** Prints each new block as a row under one heading, unless --quiet. */
export async function printBlocks(
  blocks: AsyncIterable<{readonly dir: string; readonly meta: BlockMeta}>,
  flags: ListFlags,
  out: Output,
): Promise<void> {
  let first = true;
  for await (const {dir, meta} of blocks) {
    if (flags.quiet) continue;
    const [heading = "", row = ""] = listLines([{dir, meta, bytes: await blockBytes(dir)}], flags["human-readable"]);
    if (first) await out.line(heading);
    await out.line(row);
    first = false;
  }
}

export const fromOpenMetrics: CommandModule = toolCommand(
  fromOpenMetricsFlags,
  [{name: "input file", required: true}, {name: "output directory"}],
  async ({flags, args}, {out, signal}) => {
    const file = args[0] as string;
    const size = await stat(file).then(
      (s) => s.size,
      () => 0,
    );
    const progress = new Progress("reading", size);
    const blocks = importOpenMetrics(
      file,
      args[1] ?? DEFAULT_DB,
      {
        rangeMs: blockRange(flags["max-block-duration"]),
        onRead: (bytes) => progress.at(bytes),
        onDropped: (n) => warn(`left out ${n} samples, whose series have another one at the same time`),
      },
      signal,
    );
    try {
      await printBlocks(blocks, flags, out);
    } finally {
      progress.end();
    }
  },
);
