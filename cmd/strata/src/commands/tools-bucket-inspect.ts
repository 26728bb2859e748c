import {compareUtf8, formatGoDuration, parseGoDuration, parseRfc3339} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb";
import {bucketInspectFlags, INSPECT_COLUMNS} from "../flags/tools.ts";
import {bucketBlocks, bucketTool} from "./tools-bucket-blocks.ts";
import {goTime} from "./tools-bucket-ls.ts";
import type {CommandModule} from "./tree.ts";

const HOUR_MS = 3600 * 1000;
/** Span from which a block is downsampled, by its resolution in ms; the coarsest resolution stays as it is. */
const DOWNSAMPLED_FROM: Readonly<Record<number, number>> = {0: 40 * HOUR_MS, 300000: 240 * HOUR_MS};

export const bucketInspect: CommandModule = bucketTool(bucketInspectFlags, async ({flags}, work) => {
  const {selector, output, "sort-by": sortBy} = flags;
  const blocks = await bucketBlocks(work, flags.timeout, []);
  const rows = blocks
    .filter(({thanos}) => selector.every(({name, value}) => thanos?.labels[name] === value))
    .map(rowOf)
    .sort(by(sortBy.map((column) => INSPECT_COLUMNS.indexOf(column))));
  const all = [INSPECT_COLUMNS, ...rows];
  const lines = output === "table" ? tableLines(all) : all.map((row) => csvLine(row, output === "csv" ? "," : "\t"));
  for (const line of lines) await work.out.line(line);
});

function rowOf({ulid, minTime, maxTime, stats, compaction, thanos}: BlockMeta): string[] {
  const span = maxTime - minTime;
  const resolution = thanos?.resolution ?? 0;
  const from = DOWNSAMPLED_FROM[resolution];
  const labels = Object.entries(thanos?.labels ?? {}).sort(([a], [b]) => compareUtf8(a, b));
  return [
    ulid,
    goTime(minTime),
    goTime(maxTime),
    formatGoDuration(span),
    from === undefined ? "-" : formatGoDuration(from - span),
    grouped(stats.numSeries),
    grouped(stats.numSamples),
    grouped(stats.numChunks),
    grouped(compaction.level),
    String(compaction.failed),
    labels.map(([name, value]) => `${name}=${value}`).join(","),
    formatGoDuration(resolution),
    thanos?.source ?? "",
  ];
}

const grouped = (n: number): string => n.toLocaleString("en-US");

/** Compares the given columns, then ids: as times, durations or numbers where both cells are such, else as texts. */
const by =
  (columns: readonly number[]) =>
  (a: readonly string[], b: readonly string[]): number => {
    for (const column of columns) {
      const [x, y] = [a[column] as string, b[column] as string];
      if (x !== y) return compareCells(x, y);
    }
    return compareUtf8(a[0] as string, b[0] as string);
  };

function compareCells(a: string, b: string): number {
  for (const read of [readTime, readDuration, readNumber]) {
    const [x, y] = [read(a), read(b)];
    if (x !== undefined && y !== undefined) return x - y;
  }
  return compareUtf8(a, b);
}

const orNothing = (read: (text: string) => number | undefined) => (text: string) => {
  try {
    return read(text);
  } catch {
    // Not of this kind; another may fit.
    return undefined;
  }
};
const readTime = orNothing(parseRfc3339);
const readDuration = orNothing((text) => parseGoDuration(text));
const readNumber = (text: string): number | undefined =>
  /^[0-9,]+$/.test(text) ? Number(text.replaceAll(",", "")) : undefined;

/** Cells left in their columns, the first row centred above a rule. */
function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = INSPECT_COLUMNS.map((_, i) => Math.max(...rows.map((row) => [...(row[i] as string)].length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const [head, ...body] = rows.map((row, r) => line(row.map((cell, i) => pad(cell, widths[i] as number, r === 0))));
  return [head as string, `|${widths.map((w) => "-".repeat(w + 2)).join("|")}|`, ...body];
}

function pad(cell: string, width: number, centred: boolean): string {
  const gap = width - [...cell].length;
  const left = centred ? Math.floor(gap / 2) : 0;
  return " ".repeat(left) + cell + " ".repeat(gap - left);
}

/** A line of CSV, or with tabs: cells are quoted where they have to be. */
const csvLine = (row: readonly string[], comma: string): string =>
  row
    .map((cell) => (cell.includes(comma) || /["\r\n]|^\s/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(comma);
