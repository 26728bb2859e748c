import type {Metric} from "../format.ts";

/** One merge that is to come; times in Unix ms. */
export type Compaction = {
  readonly action: "merge" | "set-aside";
  readonly reason: "range" | "overlap" | "tombstones";
  readonly blocks: readonly string[];
  readonly minTime: number;
  readonly maxTime: number;
  readonly level: number;
  readonly samples: number;
  readonly why: string;
};

export type Downsampling = {
  readonly block: string;
  readonly to: number;
  readonly samples: number;
  readonly why: string;
};

export type Group = {
  readonly key: string;
  readonly labels: Metric;
  readonly resolution: number;
  readonly blocks: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly samples: number;
  readonly compactions: readonly Compaction[];
  readonly waiting: Compaction | null;
  readonly downsamplings: readonly Downsampling[];
};

export type Deletion = {
  readonly block: string;
  readonly resolution: number;
  readonly reason: "marked" | "retention";
  readonly at: number;
  readonly why: string;
  readonly held: string | null;
};

export type Mark = {
  readonly block: string;
  readonly kind: "deletion" | "no-compact" | "no-downsample";
  readonly reason: string;
  readonly details: string;
  readonly time: number;
};

/** The answer of `/api/v1/blocks/plan`. Durations in ms; a retention of 0 is for ever. */
export type Plan = {
  readonly settings: {
    readonly levels: readonly number[];
    readonly vertical: boolean;
    readonly replicaLabels: readonly string[];
    readonly downsampling: boolean;
    readonly retention: {readonly raw: number; readonly fiveMinutes: number; readonly oneHour: number};
    readonly deleteDelay: number;
  } | null;
  readonly groups: readonly Group[];
  readonly deletions: readonly Deletion[];
  readonly marks: readonly Mark[];
};

/** What is going to happen to one block, in the order in which it will. */
export function fateOf(ulid: string, plan: Plan): string[] {
  const fate: string[] = [];
  for (const {compactions, waiting, downsamplings} of plan.groups) {
    for (const step of compactions) if (step.blocks.includes(ulid)) fate.push(step.why);
    for (const {block, why} of downsamplings) if (block === ulid) fate.push(why);
    if (waiting?.blocks.includes(ulid)) fate.push(waiting.why);
  }
  for (const {block, held, why} of plan.deletions) {
    if (block !== ulid) continue;
    fate.push(held === null ? `Will be deleted: ${why}` : `Would be deleted (${why}), but stays: ${held}`);
  }
  return fate;
}

export const marksOf = (ulid: string, plan: Plan | undefined): readonly Mark[] =>
  plan?.marks.filter(({block}) => block === ulid) ?? [];
