import {errorText, StrataError} from "@strata/base";
import {IndexWalk} from "@strata/block";
import {type BlockMeta, BlockReader, compactBlocks, type SeriesEntry} from "@strata/tsdb/blocks";
import {completeBlock} from "../complete-block.ts";
import {PenaltyMerge} from "../merge/penalty-merge.ts";
import {checkContents, checkIndexes, isDamage, relative} from "./check-inputs.ts";
import type {DownsampleJob, Finding, Job, JobResult, MergeInput, MergeJob, RepairJob} from "./messages.ts";

/** Does one piece of work on downloaded blocks. Damage becomes a finding; what else goes wrong is thrown. */
export async function runJob(job: Job, signal?: AbortSignal): Promise<JobResult> {
  switch (job.kind) {
    case "merge":
      return merge(job, signal);
    case "downsample":
      return downsample(job, signal);
    case "repair":
      return repair(job);
    case "verify":
      return {kind: "unsound", findings: await checkContents(job.inputs)};
  }
}

/** PERF: indexes are held to their rules while they are merged, and walked apart only where one broke them. */
async function merge(job: MergeJob, signal: AbortSignal | undefined): Promise<JobResult> {
  return blaming(
    job.inputs,
    () => writeMerged(job, signal),
    () => checkIndexes(job.inputs, job),
  );
}

/** Throws at the first series that `checkIndexes` would find fault with. */
function watchIndexes({inputs, acceptMalformed}: MergeJob): (input: number, entry: SeriesEntry) => void {
  const walks = inputs.map(({meta}) => new IndexWalk(meta.minTime, meta.maxTime));
  return (input, entry) => {
    const state = (walks[input] as IndexWalk).see(entry);
    if (state === "sound" || (state === "labels" && acceptMalformed)) return;
    const {dir} = inputs[input] as MergeInput;
    throw new StrataError("corrupt", `index of ${dir} is not healthy: ${state}`, {fields: {class: "index-unhealthy"}});
  };
}

async function writeMerged(job: MergeJob, signal: AbortSignal | undefined): Promise<BlockMeta | undefined> {
  const readers: BlockReader[] = [];
  using penalty = job.dedup === "penalty" ? new PenaltyMerge() : undefined;
  try {
    for (const {dir} of job.inputs) readers.push(await BlockReader.open(dir));
    const {ulid, thanos} = job;
    const observe = watchIndexes(job);
    const meta = await compactBlocks(readers, job.parent, {ulid, thanos, merge: penalty?.merge, observe, signal});
    return meta && (await completeBlock(job.parent, meta, {acceptMalformed: job.acceptMalformed}));
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

async function downsample(job: DownsampleJob, signal: AbortSignal | undefined): Promise<JobResult> {
  const {input, parent, ulid, resolution} = job;
  const findings = await checkIndexes([input], job);
  if (findings.length > 0) return {kind: "unsound", findings};
  // PERF: what a thread that merges starts without.
  const {downsampleBlock, THREAD_SAMPLES} = await import("../downsample/downsample-block.ts");
  const labels = input.meta.thanos?.labels ?? {};
  const threadSamples = job.twoThreads ? THREAD_SAMPLES : undefined;
  return blaming([input], () => downsampleBlock(input.dir, parent, resolution, {ulid, labels, threadSamples, signal}));
}

async function repair({input, parent, ulid}: RepairJob): Promise<JobResult> {
  const {repairBlock} = await import("./repair-block.ts");
  return blaming([input], () => repairBlock(input, parent, ulid));
}

/** Runs `write`; where it meets damage, the blocks that have it are named: by `check`, or else by what it met. */
async function blaming(
  inputs: readonly MergeInput[],
  write: () => Promise<BlockMeta | undefined>,
  check?: () => Promise<readonly Finding[]>,
): Promise<JobResult> {
  try {
    return {kind: "written", meta: await write()};
  } catch (err) {
    if (!isDamage(err)) throw err;
    const found = (await check?.()) ?? [];
    if (found.length > 0) return {kind: "unsound", findings: found};
    const file = err instanceof StrataError ? String(err.fields.file ?? "") : "";
    const named = inputs.find(({dir}) => file.startsWith(`${dir}/`));
    const findings: Finding[] =
      named === undefined
        ? await checkContents(inputs)
        : [{ulid: named.meta.ulid, problem: "corrupt", text: relative(errorText(err), named.dir)}];
    const [only] = inputs;
    if (findings.length === 0 && inputs.length === 1 && only !== undefined) {
      findings.push({ulid: only.meta.ulid, problem: "corrupt", text: relative(errorText(err), only.dir)});
    }
    if (findings.length === 0) throw err;
    return {kind: "unsound", findings};
  }
}
