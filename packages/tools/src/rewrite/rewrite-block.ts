import {rm, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {META_FILE, segmentFiles} from "@strata/block";
import type {Labels, RelabelConfig} from "@strata/model";
import {
  type BlockMeta,
  BlockReader,
  compactBlocks,
  EMPTY_STATS,
  EMPTY_THANOS_META,
  encodeBlockMeta,
  encodeTombstones,
  type Interval,
  readBlockMeta,
  TOMBSTONES_FILE,
} from "@strata/tsdb";
import {findDeletions} from "./delete-from-block.ts";
import {type DeletionRequest, deletionsApplied} from "./deletion-requests.ts";
import {relabelBlock} from "./relabel-block.ts";

export type RewriteOptions = {
  readonly relabel: readonly RelabelConfig[];
  /** Carried out after the relabelling, on the new labels. */
  readonly deletions: readonly DeletionRequest[];
  /** Told each change as the line that a change log has for it. */
  readonly log: (line: string) => void;
};

/**
 * Writes a changed copy of the block directory `dir` below `parent`, and gives its meta; undefined when no series is
 * left. The copy says in `thanos.rewrites` what it was made of; it counts as a source of its own, so that nobody takes it
 * for a duplicate.
 */
export async function rewriteBlock(
  dir: string,
  parent: string,
  options: RewriteOptions,
  signal: AbortSignal,
): Promise<BlockMeta | undefined> {
  const original = await readBlockMeta(dir);
  checkResolution(original, options);
  const relabelled = options.relabel.length === 0 ? dir : await withLabels(dir, parent, options, signal);
  if (relabelled === undefined) return undefined;
  try {
    const written =
      options.deletions.length === 0 ? relabelled : await withoutSamples(relabelled, parent, options, signal);
    if (written === undefined) return undefined;
    const segments = await segmentFiles(written);
    const meta = rewrittenMeta(original, await readBlockMeta(written, {tsdbOnly: true}), segments, options);
    await writeFile(join(written, META_FILE), encodeBlockMeta(meta));
    return meta;
  } finally {
    if (relabelled !== dir && options.deletions.length > 0) await rm(relabelled, {recursive: true, force: true});
  }
}

/** Samples of a downsampled block stand for whole windows: none can be cut, and none merged here. */
function checkResolution({ulid, thanos}: BlockMeta, {deletions}: RewriteOptions): void {
  if ((thanos?.resolution ?? 0) === 0 || deletions.every(({intervals}) => intervals.length === 0)) return;
  throw new StrataError("bad_data", `cannot delete time ranges from block ${ulid}: it is downsampled`);
}

async function withLabels(
  dir: string,
  parent: string,
  {relabel, log}: RewriteOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const block = await BlockReader.open(dir);
  try {
    const visit = {
      relabelled: (before: Labels, after: Labels) => log(`Relabelled ${before} ${after}`),
      dropped: (labels: Labels, deleted: readonly Interval[]) => log(deletedLine(labels, deleted)),
    };
    const meta = await relabelBlock(block, parent, relabel, visit, signal);
    return meta && join(parent, meta.ulid);
  } finally {
    await block.close();
  }
}

async function withoutSamples(
  dir: string,
  parent: string,
  {deletions, log}: RewriteOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const before = await BlockReader.open(dir);
  try {
    const tombstones = await findDeletions(before, deletions, (labels, deleted) => log(deletedLine(labels, deleted)));
    await writeFile(join(dir, TOMBSTONES_FILE), encodeTombstones(tombstones));
  } finally {
    await before.close();
  }
  const block = await BlockReader.open(dir);
  try {
    const meta = await compactBlocks([block], parent, {signal});
    return meta && join(parent, meta.ulid);
  } finally {
    await block.close();
  }
}

/** Compat: intervals as Go prints them. */
const deletedLine = (labels: Labels, deleted: readonly Interval[]): string =>
  `Deleted ${labels} [${deleted.map(({mint, maxt}) => `{${mint} ${maxt}}`).join(" ")}]`;

function rewrittenMeta(
  original: BlockMeta,
  written: BlockMeta,
  segments: readonly string[],
  options: RewriteOptions,
): BlockMeta {
  const thanos = original.thanos ?? EMPTY_THANOS_META;
  const {numSamples, numSeries, numChunks} = written.stats;
  return {
    ...original,
    ulid: written.ulid,
    // Compat: the original counts neither kind of samples apart.
    stats: {...EMPTY_STATS, numSamples, numSeries, numChunks},
    compaction: {...original.compaction, sources: [written.ulid]},
    thanos: {
      ...thanos,
      source: "bucket.rewrite",
      segmentFiles: segments,
      rewrites: [
        ...thanos.rewrites,
        {
          sources: original.compaction.sources,
          deletionsApplied: deletionsApplied(options.deletions),
          relabelsApplied: options.relabel.map(ruleText),
        },
      ],
    },
  };
}

/** A rule in the words of its configuration, defaults filled in. */
function ruleText(rule: RelabelConfig): Record<string, unknown> {
  return {
    ...(rule.sourceLabels.length > 0 ? {source_labels: rule.sourceLabels} : {}),
    separator: rule.separator,
    regex: rule.regex.pattern,
    ...(rule.modulus > 0n ? {modulus: Number(rule.modulus)} : {}),
    ...(rule.targetLabel !== "" ? {target_label: rule.targetLabel} : {}),
    replacement: rule.replacement,
    action: rule.action,
  };
}
