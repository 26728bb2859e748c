import {parseSelector} from "@strata/promql";
import {mergeBatches, type Queryable} from "@strata/series";
import {BlockReader, dumpLine, dumpSamples, goldenDump, listBlocks, openMetricsLine} from "@strata/tsdb";
import {tsdbDumpFlags, tsdbDumpOpenMetricsFlags} from "../flags/tools-tsdb.ts";
import {type Output, type Tool, toolCommand} from "./tools-output.ts";
import {DEFAULT_DB} from "./tools-tsdb-list.ts";
import type {CommandModule} from "./tree.ts";

export const dump: CommandModule = toolCommand(tsdbDumpFlags, [{name: "db path"}], async ({flags, args}, tool) => {
  const path = args[0] ?? DEFAULT_DB;
  if (flags.format === "golden") return printGolden(path, tool.out);
  await printSamples(path, flags, tool, dumpLine);
});

export const dumpOpenMetrics: CommandModule = toolCommand(
  tsdbDumpOpenMetricsFlags,
  [{name: "db path"}],
  async ({flags, args}, tool) => {
    await printSamples(args[0] ?? DEFAULT_DB, flags, tool, openMetricsLine);
    await tool.out.line("# EOF");
  },
);

/** Prints a block, its directory given, in the format of the reference data. */
async function printGolden(dir: string, out: Output): Promise<void> {
  const block = await BlockReader.open(dir);
  try {
    for await (const line of goldenDump(block)) await out.line(line);
  } finally {
    await block.close();
  }
}

type Range = {readonly "min-time": number; readonly "max-time": number; readonly match: string};

async function printSamples(path: string, range: Range, {out, signal}: Tool, line: typeof dumpLine): Promise<void> {
  const matchers = parseSelector(range.match);
  const [mint, maxt] = [range["min-time"], range["max-time"]];
  const blocks: BlockReader[] = [];
  try {
    for (const {dir, meta} of await listBlocks(path)) {
      if (meta.minTime > maxt || meta.maxTime <= mint) continue;
      blocks.push(await BlockReader.open(dir));
    }
    for await (const text of dumpSamples(together(blocks), {matchers, mint, maxt}, signal, line)) {
      const wait = out.line(text);
      if (wait !== undefined) await wait;
    }
  } finally {
    await Promise.all(blocks.map((b) => b.close()));
  }
}

/** Several blocks as one source; only `select` is asked of it. */
function together(blocks: readonly Queryable[]): Pick<Queryable, "select"> {
  return {select: (q, signal) => mergeBatches(blocks.map((b) => b.select(q, signal)))};
}
