import {forEachLimit} from "@strata/base";
import {Labels, parseRfc3339, type RelabelConfig, relabel, ulidTime} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import {type BlockMeta, ZERO_TIME} from "@strata/tsdb/blocks";
import {externalLabels, groupKey} from "../external-labels.ts";
import {type Mark, readMark} from "../markers.ts";
import type {SyncCounts} from "./sync-state.ts";

/** Takes blocks out of `metas` (or replaces a meta) and counts them. */
export type MetaFilter = {
  apply(metas: Map<string, BlockMeta>, counts: SyncCounts, signal: AbortSignal): Promise<void>;
};

/** Keeps blocks that touch [min(), max()], ms; both ends closed, as for a block's maxTime here too. */
export function timePartitionFilter(min: () => number, max: () => number): MetaFilter {
  return {
    async apply(metas, counts) {
      const [from, to] = [min(), max()];
      for (const [ulid, meta] of metas) {
        if (meta.maxTime >= from && meta.minTime <= to) continue;
        metas.delete(ulid);
        counts.add("time-excluded");
      }
    },
  };
}

/** The label under which `--selector.relabel-config` sees a block's id. */
const BLOCK_ID_LABEL = "__block_id";

/** Keeps blocks whose external labels (but `hidden` ones) and id survive the relabelling rules. */
export function labelShardFilter(rules: readonly RelabelConfig[], hidden: readonly string[] = []): MetaFilter {
  return {
    async apply(metas, counts) {
      if (rules.length === 0) return;
      for (const [ulid, meta] of metas) {
        const labels = externalLabels(meta)
          .without(hidden)
          .extend(Labels.fromObject({[BLOCK_ID_LABEL]: ulid}));
        const kept = relabel(labels, rules);
        if (kept !== undefined && kept.size > 0) continue;
        metas.delete(ulid);
        counts.add("label-excluded");
      }
    },
  };
}

/** Sources whose blocks are complete when they appear: they replace blocks that are there already. */
const NEVER_TOO_FRESH = ["bucket.repair", "compactor", "compactor.repair"];

/** Hides blocks uploaded less than `delayMs` ago, so that an eventually consistent store has all of their objects. */
export function consistencyDelayFilter(delayMs: number, registry: Registry, now: () => number = Date.now): MetaFilter {
  registry
    .gauge({name: "thanos_consistency_delay_seconds", help: "How old a block must be before it is used."})
    .set(delayMs / 1000);
  return {
    async apply(metas, counts) {
      // Without a delay a block from a clock that is ahead is no less complete.
      if (delayMs <= 0) return;
      for (const [ulid, meta] of metas) {
        if (NEVER_TOO_FRESH.includes(meta.thanos?.source ?? "") || now() - uploadedAt(meta) >= delayMs) continue;
        metas.delete(ulid);
        counts.add("too-fresh");
      }
    },
  };
}

/** When a block was uploaded (ms); the time in its ULID where meta.json does not say. */
function uploadedAt(meta: BlockMeta): number {
  const text = meta.thanos?.uploadTime ?? ZERO_TIME;
  return (text === ZERO_TIME ? undefined : parseRfc3339(text)) ?? ulidTime(meta.ulid);
}

/** Deletion marks read at once. */
const MARK_CONCURRENCY = 32;

/** Drops blocks that were marked for deletion more than `delayMs` ago; remembers the marks of all. */
export class DeletionMarkFilter implements MetaFilter {
  readonly #bucket: Bucket;
  readonly #delayMs: number;
  readonly #logger: Logger;
  readonly #now: () => number;
  #marks: ReadonlyMap<string, Mark> = new Map();

  constructor(bucket: Bucket, delayMs: number, logger: Logger, now: () => number = Date.now) {
    this.#bucket = bucket;
    this.#delayMs = delayMs;
    this.#logger = logger;
    this.#now = now;
  }

  /** Deletion marks that the last round found, by block, also of blocks that are kept. */
  get marks(): ReadonlyMap<string, Mark> {
    return this.#marks;
  }

  async apply(metas: Map<string, BlockMeta>, counts: SyncCounts, signal: AbortSignal): Promise<void> {
    const marks = new Map<string, Mark>();
    await forEachLimit([...metas.keys()], MARK_CONCURRENCY, async (ulid) => {
      const mark = await readMark(this.#bucket, ulid, "deletion", this.#logger, signal);
      if (mark !== undefined) marks.set(ulid, mark);
    });
    const nowSeconds = this.#now() / 1000;
    for (const [ulid, mark] of marks) {
      if (nowSeconds - mark.time <= this.#delayMs / 1000) continue;
      metas.delete(ulid);
      counts.add("marked-for-deletion");
    }
    this.#marks = marks;
  }
}

/** Drops blocks all of whose sources another block of the same group holds, too: they were compacted into it. */
export class DuplicateFilter implements MetaFilter {
  #duplicates: readonly string[] = [];

  /** ULIDs that the last round dropped, sorted. */
  get duplicates(): readonly string[] {
    return this.#duplicates;
  }

  async apply(metas: Map<string, BlockMeta>, counts: SyncCounts): Promise<void> {
    const groups = new Map<string, BlockMeta[]>();
    for (const meta of metas.values()) {
      const key = groupKey(meta);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [meta]);
      else group.push(meta);
    }
    const duplicates = [...groups.values()].flatMap(duplicatesOf).sort();
    for (const ulid of duplicates) metas.delete(ulid);
    counts.add("duplicate", duplicates.length);
    this.#duplicates = duplicates;
  }
}

function duplicatesOf(group: readonly BlockMeta[]): string[] {
  const bySources = [...group].sort(
    (a, b) => b.compaction.sources.length - a.compaction.sources.length || (a.ulid < b.ulid ? -1 : 1),
  );
  // Kept blocks by each of their sources: a block that holds all of mine holds my first one, so few are compared.
  const keptBySource = new Map<string, Set<string>[]>();
  const dropped: string[] = [];
  let anyKept = false;
  for (const meta of bySources) {
    const {sources} = meta.compaction;
    const first = sources[0];
    const covered =
      first === undefined
        ? anyKept
        : (keptBySource.get(first) ?? []).some((kept) => sources.every((source) => kept.has(source)));
    if (covered) {
      dropped.push(meta.ulid);
      continue;
    }
    anyKept = true;
    const set = new Set(sources);
    for (const source of set) {
      const list = keptBySource.get(source);
      if (list === undefined) keptBySource.set(source, [set]);
      else list.push(set);
    }
  }
  return dropped;
}

/**
 * Removes replica labels from the metas (not from the bucket), so that blocks of replicas fall into one group. A block
 * left without labels gets the first replica label with the value "deduped".
 */
export function replicaLabelRemover(replicaLabels: readonly string[]): MetaFilter {
  return {
    async apply(metas, counts) {
      const first = replicaLabels[0];
      if (first === undefined) return;
      for (const [ulid, meta] of metas) {
        if (meta.thanos === undefined) continue;
        const kept = Object.entries(meta.thanos.labels).filter(([name]) => !replicaLabels.includes(name));
        if (kept.length === Object.keys(meta.thanos.labels).length && kept.length > 0) continue;
        const labels = kept.length === 0 ? {[first]: "deduped"} : Object.fromEntries(kept);
        metas.set(ulid, {...meta, thanos: {...meta.thanos, labels}});
        counts.replicaLabelsRemoved++;
      }
    },
  };
}
