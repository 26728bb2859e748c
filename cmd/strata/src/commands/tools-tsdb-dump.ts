import {fromModel, histogramText, integerHistogramText} from "@strata/engine";
import {type Histogram, toFloatHistogram} from "@strata/model";
import {parseSelector} from "@strata/promql";
import {
  BlockReader,
  DataDir,
  type DataDirOptions,
  dumpLine,
  dumpSamples,
  goldenDataLines,
  goldenDump,
  goldenHeadLines,
  openMetricsLine,
} from "@strata/tsdb";
import {tsdbDumpFlags, tsdbDumpOpenMetricsFlags, tsdbDumpWalFlags} from "../flags/tools-tsdb.ts";
import {type Output, Progress, type Tool, toolCommand, warn} from "./tools-output.ts";
import {DEFAULT_DB} from "./tools-tsdb-list.ts";
import type {CommandModule} from "./tree.ts";

export const dump: CommandModule = toolCommand(tsdbDumpFlags, [{name: "db path"}], async ({flags, args}, tool) => {
  const path = args[0] ?? DEFAULT_DB;
  if (flags.format === "golden") return printGolden(path, tool.out);
  await printSamples(path, flags, tool, dumpLine, dumpedHistogram);
});

export const dumpOpenMetrics: CommandModule = toolCommand(
  tsdbDumpOpenMetricsFlags,
  [{name: "db path"}],
  async ({flags, args}, tool) => {
    await printSamples(args[0] ?? DEFAULT_DB, flags, tool, openMetricsLine);
    await tool.out.line("# EOF");
  },
);

export const dumpWal: CommandModule = toolCommand(
  tsdbDumpWalFlags,
  [{name: "db path"}],
  async ({flags, args}, {out}) => {
    const dir = await openDataDir(args[0] ?? DEFAULT_DB, {
      skipBadBlocks: true,
      outOfOrderCap: flags["out-of-order-cap"],
      sandboxRoot: flags["sandbox-dir-root"],
    });
    try {
      for await (const line of flags.head ? goldenHeadLines(dir) : goldenDataLines(dir)) {
        const wait = out.line(line);
        if (wait !== undefined) await wait;
      }
    } finally {
      await dir.close();
    }
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

type Range = {
  readonly "min-time": number;
  readonly "max-time": number;
  readonly match: string;
  readonly "sandbox-dir-root": string;
};

/** As promtool 3 prints it. */
const dumpedHistogram = (h: Histogram): string =>
  h.kind === "float" ? histogramText(fromModel(h)) : integerHistogramText(fromModel(toFloatHistogram(h)));

async function printSamples(
  path: string,
  range: Range,
  {out, signal}: Tool,
  line: typeof dumpLine,
  histogramText?: (h: Histogram) => string,
): Promise<void> {
  const matchers = parseSelector(range.match);
  const [mint, maxt] = [range["min-time"], range["max-time"]];
  const dir = await openDataDir(path, {mint, maxt, sandboxRoot: range["sandbox-dir-root"]});
  try {
    for await (const text of dumpSamples(dir, {matchers, mint, maxt, histogramText}, signal, line)) {
      const wait = out.line(text);
      if (wait !== undefined) await wait;
    }
  } finally {
    await dir.close();
  }
}

async function openDataDir(path: string, options: DataDirOptions): Promise<DataDir> {
  let progress: Progress | undefined;
  let log = "";
  try {
    const dir = await DataDir.open(path, {
      ...options,
      sandboxRoot: options.sandboxRoot === "" ? undefined : options.sandboxRoot,
      onProgress(p) {
        if (p.log !== log) progress = new Progress(`replaying ${p.log}`, p.total);
        log = p.log;
        progress?.at(p.done);
      },
    });
    progress?.end();
    for (const text of dir.damage) warn(text);
    return dir;
  } finally {
    progress?.end();
  }
}
