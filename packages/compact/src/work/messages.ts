import type {WireError} from "@strata/base";
import type {BlockMeta, ThanosMeta} from "@strata/tsdb/blocks";

/** A downloaded block that goes into a merge. */
export type MergeInput = {readonly dir: string; readonly meta: BlockMeta};

/** Merge the inputs into a new block `ulid` below `parent`, once all of them were found sound. */
export type MergeJob = {
  readonly kind: "merge";
  readonly inputs: readonly MergeInput[];
  readonly parent: string;
  readonly ulid: string;
  readonly thanos: ThanosMeta;
  /** How overlapping chunks are merged: equal samples one to one, or replicas by penalty. */
  readonly dedup: "" | "penalty";
  readonly acceptMalformed: boolean;
};

/** Downsample a downloaded block, once it was found sound, with the labels given. */
export type DownsampleJob = {
  readonly kind: "downsample";
  readonly input: MergeInput;
  readonly parent: string;
  readonly ulid: string;
  /** ms. */
  readonly resolution: number;
  readonly acceptMalformed: boolean;
  /** May take a second thread for a large block. */
  readonly twoThreads: boolean;
};

/** Write a block anew without the chunks that begin at its end. */
export type RepairJob = {
  readonly kind: "repair";
  readonly input: MergeInput;
  readonly parent: string;
  readonly ulid: string;
};

/** Read everything of the blocks and say what is wrong with which. */
export type VerifyJob = {readonly kind: "verify"; readonly inputs: readonly MergeInput[]};

export type Job = MergeJob | DownsampleJob | RepairJob | VerifyJob;

/** Kinds of trouble with a block, by what is to be done about it. */
export type Problem = "outside" | "issue347" | "out-of-order" | "labels" | "corrupt";

/** What is wrong with one block, in plain words. */
export type Finding = {readonly ulid: string; readonly problem: Problem; readonly text: string};

export type JobResult =
  /** Undefined when there was no sample left. */
  | {readonly kind: "written"; readonly meta: BlockMeta | undefined}
  | {readonly kind: "unsound"; readonly findings: readonly Finding[]};

export type FromWorker =
  | {readonly kind: "result"; readonly result: JobResult}
  | {readonly kind: "failed"; readonly error: WireError};
