/** Why the blocks of a step are worked on together. */
export type PlanReason = "range" | "overlap" | "tombstones";

/** One merge that is still to come, or a set of blocks that will be set aside instead. */
export type PlannedCompaction = {
  /** What happens: a merge, or no-compact marks on the blocks, because they overlap and must not be merged. */
  readonly action: "merge" | "set-aside";
  readonly reason: PlanReason;
  /** Blocks of the bucket by ULID, those of merges before this one included, in order of time. */
  readonly blocks: readonly string[];
  /** Times, level and samples of the outcome. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly level: number;
  readonly samples: number;
  /** The reason in plain words. */
  readonly why: string;
};

/** A block that is to be downsampled now. */
export type PlannedDownsampling = {
  readonly block: string;
  /** Resolution of the outcome. */
  readonly to: number;
  readonly samples: number;
  readonly why: string;
};

/** Blocks of equal resolution and external labels. */
export type PlannedGroup = {
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly resolution: number;
  /** How many there are, and what they span. */
  readonly blocks: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly samples: number;
  /** In the order in which they come; empty when there is nothing to merge now. */
  readonly compactions: readonly PlannedCompaction[];
  /** The merge that the group waits for once those are done, null for none: `why` says what has to come first. */
  readonly waiting: PlannedCompaction | null;
  readonly downsamplings: readonly PlannedDownsampling[];
};

/** A block that is marked for deletion, or is about to be because it is beyond its retention. */
export type PlannedDeletion = {
  readonly block: string;
  readonly resolution: number;
  readonly reason: "marked" | "retention";
  /** When the block may go at the earliest. */
  readonly at: number;
  /** The mark's details, or the retention. */
  readonly why: string;
  /** Why the block stays nevertheless; null when it goes. */
  readonly held: string | null;
};

/** A mark on a block. */
export type PlannedMark = {
  readonly block: string;
  readonly kind: "deletion" | "no-compact" | "no-downsample";
  /** "" for deletion marks. */
  readonly reason: string;
  readonly details: string;
  readonly time: number;
};

/**
 * What a compactor is going to do next, and why: `data` of `GET /api/v1/blocks/plan`. All times and durations are
 * milliseconds (times since 1970), resolutions 0, 300000 or 3600000. It is reckoned from the last look at the bucket
 * alone: blocks that turn out to be damaged, or too large together, change it.
 */
export type BlocksPlan = {
  readonly settings: {
    /** Lengths of blocks, ascending; the first is never aimed at. */
    readonly levels: readonly number[];
    /** Whether overlapping blocks are merged. */
    readonly vertical: boolean;
    readonly replicaLabels: readonly string[];
    readonly downsampling: boolean;
    /** 0 is for ever. */
    readonly retention: {readonly raw: number; readonly fiveMinutes: number; readonly oneHour: number};
    /** From a deletion mark to the deletion. */
    readonly deleteDelay: number;
  };
  /** By key. */
  readonly groups: readonly PlannedGroup[];
  /** Soonest first. */
  readonly deletions: readonly PlannedDeletion[];
  /** By block. */
  readonly marks: readonly PlannedMark[];
};
