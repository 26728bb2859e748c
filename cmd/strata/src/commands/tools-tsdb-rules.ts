import {errorText, StrataError} from "@strata/base";
import {Labels, METRIC_NAME} from "@strata/model";
import {BlocksFromSamples, blockRange, parseGoFloat, SHORTEST_BLOCK} from "@strata/tsdb";
import {fromRulesFlags} from "../flags/tools-tsdb.ts";
import {Progress, toolCommand, warn} from "./tools-output.ts";
import {firstEvaluation, type RecordingGroup, readRecordingGroups} from "./tools-recording-rules.ts";
import {printBlocks} from "./tools-tsdb-create.ts";
import type {CommandModule} from "./tree.ts";

/** How far back backfilling ends when --end does not say: younger samples are still in heads. */
const DEFAULT_END_MS = 3 * 3600 * 1000;

export const fromRules: CommandModule = toolCommand(
  fromRulesFlags,
  [{name: "rule-files", required: true, many: true}],
  async ({flags, args}, {out, signal}) => {
    const start = flags.start as number;
    const end = flags.end ?? Date.now() - DEFAULT_END_MS;
    if (start >= end) throw new StrataError("bad_data", "cannot evaluate rules: --start is not before --end");
    const groups: RecordingGroup[] = [];
    for (const file of args) groups.push(...(await readRecordingGroups(file, flags["eval-interval"])));
    const rangeMs = blockRange(flags["max-block-duration"]);
    const blocks = new BlocksFromSamples(flags["output-dir"], {rangeMs});
    const windows = [...queryWindows(start, end)];
    const progress = new Progress("evaluating", groups.reduce((n, g) => n + g.rules.length, 0) * windows.length);
    let done = 0;
    try {
      for (const group of groups) {
        for (const rule of group.rules) {
          for (const window of windows) {
            await evaluate(flags.url, group, rule, window, blocks, signal);
            if (blocks.isDue) await blocks.flush();
            progress.at(++done);
          }
        }
      }
      progress.end();
      await printBlocks(blocks.write(signal), flags, out);
      if (blocks.dropped > 0)
        warn(`left out ${blocks.dropped} samples, whose series have another one at the same time`);
    } finally {
      progress.end();
      await blocks.close();
    }
  },
);

type Window = {readonly from: number; readonly to: number};

/** [start, end] (ms, whole seconds) in pieces that end where blocks of two hours end, one query each. */
function* queryWindows(start: number, end: number): Generator<Window> {
  const [first, last] = [Math.trunc(start / 1000) * 1000, Math.trunc(end / 1000) * 1000];
  for (let block = Math.trunc(first / SHORTEST_BLOCK) * SHORTEST_BLOCK; block <= last; block += SHORTEST_BLOCK) {
    yield {from: Math.max(block, first), to: Math.min(block + SHORTEST_BLOCK - 1000, last)};
  }
}

async function evaluate(
  url: URL,
  group: RecordingGroup,
  rule: RecordingGroup["rules"][number],
  {from, to}: Window,
  blocks: BlocksFromSamples,
  signal: AbortSignal,
): Promise<void> {
  const first = firstEvaluation(group, from);
  if (first > to) return;
  const where = `rule ${rule.record} of group ${group.name}`;
  const step = group.intervalMs / 1000;
  const answer = await rangeQuery(url, {query: rule.expr, start: first / 1000, end: to / 1000, step}, where, signal);
  for (const text of answer.warnings) warn(`${where}: ${text}`);
  for (const {metric, values = []} of answer.result) {
    const labels = Labels.fromObject({...metric, ...rule.labels, [METRIC_NAME]: rule.record});
    const series = blocks.series(labels);
    for (const [seconds, value] of values) {
      const v = parseGoFloat(value);
      if (v === undefined) throw unusable(url, where, `value ${JSON.stringify(value)} is not a number`);
      blocks.add(series, Math.round(seconds * 1000), v);
    }
  }
}

type RangeQuery = {readonly query: string; readonly start: number; readonly end: number; readonly step: number};
type Matrix = readonly {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [seconds: number, value: string])[];
}[];

async function rangeQuery(
  url: URL,
  query: RangeQuery,
  where: string,
  signal: AbortSignal,
): Promise<{result: Matrix; warnings: readonly string[]}> {
  let answer: ApiAnswer;
  try {
    const response = await fetch(`${url.href.replace(/\/$/, "")}/api/v1/query_range`, {
      method: "POST",
      body: new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])),
      signal,
    });
    answer = (await response.json()) as ApiAnswer;
  } catch (err) {
    signal.throwIfAborted();
    const cause = err instanceof Error && err.cause !== undefined ? `: ${errorText(err.cause)}` : "";
    throw unusable(url, where, `${errorText(err)}${cause}`);
  }
  if (answer.status !== "success") throw unusable(url, where, answer.error ?? "the answer is not a query's");
  const {resultType, result} = answer.data ?? {};
  if (resultType !== "matrix" || result === undefined) throw unusable(url, where, `it gave a ${resultType}`);
  return {result, warnings: answer.warnings ?? []};
}

type ApiAnswer = {
  readonly status?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly data?: {readonly resultType?: string; readonly result?: Matrix};
};

const unusable = (url: URL, where: string, what: string): StrataError =>
  new StrataError("unavailable", `cannot evaluate ${where} at ${url.origin}: ${what}`);
