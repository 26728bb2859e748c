import {errorText, StrataError} from "@strata/base";
import {type IndexHealth, indexHealth} from "@strata/block";
import {verifyBlock} from "@strata/tsdb/blocks";
import type {Finding, MergeInput} from "./messages.ts";

/** Walks the index of each block and says what is wrong with it; [] when nothing is. */
export async function checkIndexes(
  inputs: readonly MergeInput[],
  options: {readonly acceptMalformed: boolean},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const input of inputs) {
    const finding = await checkIndex(input, options.acceptMalformed);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

async function checkIndex({dir, meta}: MergeInput, acceptMalformed: boolean): Promise<Finding | undefined> {
  let health: IndexHealth;
  try {
    health = await indexHealth(dir, meta.minTime, meta.maxTime);
  } catch (err) {
    if (!isDamage(err)) throw err;
    return {ulid: meta.ulid, problem: "corrupt", text: relative(errorText(err), dir)};
  }
  const example = health.example === undefined ? "" : `, for example in series ${health.example}`;
  const found = (problem: Finding["problem"], text: string): Finding => ({
    ulid: meta.ulid,
    problem,
    text: `${text}${example}`,
  });
  if (health.criticalError !== undefined) return found("outside", health.criticalError);
  if (health.issue347Error !== undefined) return found("issue347", health.issue347Error);
  if (health.outOfOrderChunksError !== undefined) return found("out-of-order", health.outOfOrderChunksError);
  if (health.outOfOrderLabelsError !== undefined && !acceptMalformed) {
    return found("labels", health.outOfOrderLabelsError);
  }
  return undefined;
}

/** Reads every list, series and chunk of the blocks, for when a merge failed and it is not clear which one is to blame. */
export async function checkContents(inputs: readonly MergeInput[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const {dir, meta} of inputs) {
    const {errors} = await verifyBlock(dir);
    const [first] = errors;
    if (first === undefined) continue;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    findings.push({ulid: meta.ulid, problem: "corrupt", text: `${relative(first.error.message, dir)}${more}`});
  }
  return findings;
}

/** Whether an error says that a block is damaged, rather than that the machine has trouble. */
export const isDamage = (err: unknown): boolean =>
  err instanceof StrataError &&
  (err.code === "corrupt" || err.code === "conflict" || err.code === "execution" || err.code === "bad_data");

/** The text with paths below the block, as an operator sees them in the bucket. */
export const relative = (text: string, dir: string): string => text.replaceAll(`${dir}/`, "").replaceAll(dir, "block");
