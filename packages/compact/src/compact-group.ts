import {mkdir, readdir, rm} from "node:fs/promises";
import {join} from "node:path";
import {forEachLimit, StrataError, withContext} from "@strata/base";
import {downloadBlock, INDEX_FILE} from "@strata/block";
import {formatRfc3339, newUlid} from "@strata/model";
import {type BlockMeta, EMPTY_THANOS_META} from "@strata/tsdb/blocks";
import {HaltError} from "./bucket/failures.ts";
import {DELETE_DETAILS, mark, QUARANTINE_REASON, quarantine} from "./bucket/marks.ts";
import {uploadVerified} from "./bucket/verified-upload.ts";
import type {CompactContext} from "./context.ts";
import {type Group, sharedExtensions} from "./plan/groups.ts";
import {EXCLUDE_REASON, type LimitedPlan, planWithin} from "./plan/limited-plan.ts";
import {overlappingBlocks} from "./plan/planner.ts";
import {RunningPlans} from "./plan/running-plans.ts";
import {hasRoom} from "./work/disk-room.ts";
import {MergeTurns} from "./work/merge-turns.ts";
import type {Finding, JobResult, MergeInput} from "./work/messages.ts";

export type GroupOptions = {
  readonly levels: readonly number[];
  readonly maxIndexBytes: number;
  /** Merges blocks that overlap in time, instead of setting them aside. */
  readonly vertical: boolean;
  readonly dedup: "" | "penalty";
  /** Blocks downloaded at once. */
  readonly fetchConcurrency: number;
  /** Small merges of one group that may run at once. */
  readonly mergesAtOnce: number;
  /** Compat: with it, a block with out-of-order chunks is marked with the original's words. */
  readonly skipOutOfOrder: boolean;
};

/** Where groups are worked on, below the data directory. */
export const COMPACT_DIR = "compact";

/** How often a group may plan again without having merged anything: each time some block is set aside. */
const MAX_ROUNDS = 10_000;

/** Plans of a group under way at once: while one is merged, the next is fetched, or the one before uploaded. */
const PLANS_AT_ONCE = 2;

/** Each is a round trip to the bucket. */
const MARKS_AT_ONCE = 8;

/** Blocks of a bucket on this machine are linked rather than fetched: what is asked for is meant for a network. */
const LINKS_AT_ONCE = 4;

/** Characters of the id that names of blocks on disk begin with. */
const ULID_CHARS = 26;

/** Merges the blocks of one group as far as there is anything to merge. */
export class GroupCompaction {
  readonly #ctx: CompactContext;
  readonly #o: GroupOptions;
  readonly #group: Group;
  readonly #dir: string;
  readonly #excluded: Set<string>;
  readonly #running = new RunningPlans();
  readonly #turns: MergeTurns;
  /** Blocks on disk that plans under way read or write. */
  readonly #inUse = new Set<string>();
  #tidied = Promise.resolve();
  #metas: readonly BlockMeta[];
  #merged = 0;

  constructor(ctx: CompactContext, options: GroupOptions, group: Group, noCompact: Iterable<string>) {
    this.#ctx = ctx;
    this.#o = options;
    this.#group = group;
    this.#metas = group.metas;
    this.#excluded = new Set(noCompact);
    this.#turns = new MergeTurns(options.mergesAtOnce);
    this.#dir = join(ctx.dataDir, COMPACT_DIR, group.key);
  }

  /**
   * How many merges, repairs and set-asides were done: when there were any, the bucket is worth another look. What a retry
   * may mend, and faults of ours, are thrown.
   */
  async run(signal: AbortSignal): Promise<number> {
    try {
      await this.#mergeAll(signal);
    } catch (err) {
      // Each plan under way has an error of its own then, and the caller knows its reason.
      if (signal.aborted) throw signal.reason;
      if (err instanceof HaltError) throw new HaltError(`group ${this.#group.key}: ${err.message}`, {cause: err});
      throw withContext(err, `group ${this.#group.key}`);
    }
    await rm(this.#dir, {recursive: true, force: true});
    return this.#merged;
  }

  async #mergeAll(signal: AbortSignal): Promise<void> {
    const running = this.#running;
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        signal.throwIfAborted();
        const plan = running.count === 0 ? await this.#plan(signal) : await this.#planBeside(signal);
        if (plan.length > 0) running.start(plan, this.#compact(plan, signal));
        else if (running.count === 0 || !(await running.next())) break;
      }
    } catch (err) {
      running.fail(err);
    }
    await running.settle();
  }

  async #plan(signal: AbortSignal): Promise<readonly BlockMeta[]> {
    if (this.#metas.length < 2) return [];
    if (!this.#o.vertical) await this.#setOverlapsAside(signal);
    const {plan, exclusions} = await this.#planWithin(this.#metas, signal);
    for (const {ulid, reason, details} of exclusions) {
      await mark(this.#ctx, "no-compact", ulid, {reason, details}, signal);
      this.#excluded.add(ulid);
    }
    return plan;
  }

  /**
   * What is to be merged next if the plans under way go well, where it is the same if they do not; [] where that has to
   * be waited for, or the disk has no room.
   */
  async #planBeside(signal: AbortSignal): Promise<readonly BlockMeta[]> {
    const running = this.#running;
    if (this.#ctx.haltOnError || running.count >= PLANS_AT_ONCE) return [];
    const metas = running.outcome(this.#metas);
    if (!this.#o.vertical && overlappingBlocks(metas.filter(({ulid}) => !this.#excluded.has(ulid))).length > 0)
      return [];
    const {plan, exclusions} = await this.#planWithin(metas, signal);
    const free = exclusions.length === 0 && plan.every((meta) => this.#metas.includes(meta));
    return free && (await hasRoom(this.#dir, [...running.blocks, ...plan])) ? plan : [];
  }

  #planWithin(metas: readonly BlockMeta[], signal: AbortSignal): Promise<LimitedPlan> {
    const {bucket} = this.#ctx;
    return planWithin(metas, this.#excluded, {
      ...this.#o,
      indexBytes: async ({ulid}) => (await bucket.attributes(`${ulid}/${INDEX_FILE}`, signal)).size,
    });
  }

  async #setOverlapsAside(signal: AbortSignal): Promise<void> {
    for (;;) {
      const free = this.#metas.filter(({ulid}) => !this.#excluded.has(ulid));
      const overlapping = overlappingBlocks(free);
      if (overlapping.length === 0) return;
      const list = overlapping
        .map(({ulid, minTime, maxTime}) => `${ulid} [${formatRfc3339(minTime)}, ${formatRfc3339(maxTime)})`)
        .join(", ");
      if (this.#ctx.haltOnError) {
        throw new HaltError(`pre compaction overlap check: overlaps found while gathering blocks: ${list}`);
      }
      const details =
        `blocks overlap in time and have the same external labels: ${list}. If they are replicas, or late data, run the ` +
        "compactor with --deduplication.replica-label or --compact.enable-vertical-compaction and remove this mark; " +
        "if two sources share their external labels by mistake, correct that first.";
      for (const {ulid} of overlapping) {
        await this.#exclude(ulid, {reason: QUARANTINE_REASON.overlap, details}, signal);
      }
    }
  }

  async #exclude(ulid: string, text: {reason: string; details: string}, signal: AbortSignal): Promise<void> {
    this.#excluded.add(ulid);
    await quarantine(this.#ctx, "no-compact", ulid, text, signal);
    this.#merged++;
  }

  async #compact(plan: readonly BlockMeta[], signal: AbortSignal): Promise<void> {
    const ulid = newUlid(this.#ctx.now());
    const names = [...plan.map((meta) => meta.ulid), ulid];
    for (const name of names) this.#inUse.add(name);
    try {
      await this.#mergePlan(plan, ulid, signal);
    } finally {
      for (const name of names) this.#inUse.delete(name);
    }
  }

  async #mergePlan(plan: readonly BlockMeta[], ulid: string, signal: AbortSignal): Promise<void> {
    const {metrics, logger} = this.#ctx;
    const vertical = overlappingBlocks(plan).length > 0;
    const blocks = plan.map((meta) => meta.ulid);
    logger.info("merging blocks", {group: this.#group.key, blocks: blocks.join(","), vertical});
    // One after the other: what one plan finds left over, another may be about to fetch.
    this.#tidied = this.#tidied.then(() => this.#keepInUse());
    await this.#tidied;
    const inputs = await this.#download(plan, signal);
    const result = await this.#merge(inputs, ulid, signal);
    if (result.kind === "unsound") return this.#handle(result.findings, inputs, signal);
    metrics.merges.inc();
    if (vertical) metrics.verticalMerges.inc();
    if (result.meta === undefined) return this.#dropEmpty(plan, signal);
    const uploaded = await uploadVerified(this.#ctx, join(this.#dir, ulid), signal);
    const resolution = String(this.#group.resolution);
    metrics.compactions.with({resolution}).inc();
    if (vertical) metrics.vertical.with({resolution}).inc();
    logger.info("uploaded merged block", {group: this.#group.key, block: ulid, sources: blocks.join(",")});
    await forEachLimit(blocks, MARKS_AT_ONCE, (source) =>
      mark(this.#ctx, "deletion", source, {details: DELETE_DETAILS.compacted}, signal),
    );
    this.#replace(blocks, uploaded);
    await Promise.all([...blocks, ulid].map((name) => rm(join(this.#dir, name), {recursive: true, force: true})));
  }

  #merge(inputs: readonly MergeInput[], ulid: string, signal: AbortSignal): Promise<JobResult> {
    const {labels, resolution} = this.#group;
    const thanos = {
      ...EMPTY_THANOS_META,
      labels: labels.toObject(),
      resolution,
      source: "compactor",
      extensions: sharedExtensions(this.#metas),
    };
    const {pool, acceptMalformed, metrics} = this.#ctx;
    const {dedup} = this.#o;
    const job = {kind: "merge", inputs, parent: this.#dir, ulid, thanos, dedup, acceptMalformed} as const;
    const series = inputs.reduce((sum, {meta}) => sum + meta.stats.numSeries, 0);
    return this.#turns.run(series, async () => {
      const stop = metrics.mergeSeconds.startTimer();
      const result = await pool.run(job, signal);
      if (result.kind === "written") stop();
      return result;
    });
  }

  /** Removes what earlier runs left, but blocks that are needed now: those with a known hash are not fetched again. */
  async #keepInUse(): Promise<void> {
    await mkdir(this.#dir, {recursive: true});
    for (const name of await readdir(this.#dir)) {
      // What is still being written has its id and more.
      if (!this.#inUse.has(name.slice(0, ULID_CHARS))) await rm(join(this.#dir, name), {recursive: true, force: true});
    }
  }

  async #download(plan: readonly BlockMeta[], signal: AbortSignal): Promise<MergeInput[]> {
    const {bucket, filesConcurrency} = this.#ctx;
    const asked = Math.max(1, this.#o.fetchConcurrency);
    const atOnce = bucket.files === undefined ? asked : Math.max(LINKS_AT_ONCE, asked);
    await forEachLimit(plan, atOnce, async ({ulid}) => {
      await downloadBlock(bucket, ulid, join(this.#dir, ulid), filesConcurrency, signal, {shared: true});
    });
    return plan.map((meta) => ({dir: join(this.#dir, meta.ulid), meta}));
  }

  /** Repairs or sets aside what is unsound; the group then plans again. */
  async #handle(findings: readonly Finding[], inputs: readonly MergeInput[], signal: AbortSignal): Promise<void> {
    for (const finding of findings) {
      const input = inputs.find(({meta}) => meta.ulid === finding.ulid);
      if (input === undefined) throw new StrataError("internal", `BUG: a finding about ${finding.ulid}`);
      if (finding.problem === "issue347" && this.#group.resolution === 0) await this.#repair(input, signal);
      else await this.#setAside(finding, signal);
    }
  }

  async #setAside({ulid, problem, text}: Finding, signal: AbortSignal): Promise<void> {
    if (problem === "out-of-order" && this.#o.skipOutOfOrder) {
      const details =
        "OutofOrderChunk: marking block with out-of-order series/chunks to as no compact to unblock compaction";
      return this.#exclude(ulid, {reason: EXCLUDE_REASON.outOfOrder, details}, signal);
    }
    if (this.#ctx.haltOnError) throw new HaltError(`block ${ulid} cannot be merged: ${text}`);
    const reasons = {
      "out-of-order": EXCLUDE_REASON.outOfOrder,
      outside: QUARANTINE_REASON.outside,
      issue347: QUARANTINE_REASON.outside,
      labels: QUARANTINE_REASON.labels,
      corrupt: QUARANTINE_REASON.corrupt,
    } as const;
    const details = `${text}. ${ADVICE[problem]}`;
    await this.#exclude(ulid, {reason: reasons[problem], details}, signal);
  }

  /** Writes the block anew without the chunks that the next block has too, and marks the old one. */
  async #repair({dir, meta}: MergeInput, signal: AbortSignal): Promise<void> {
    const ulid = newUlid(this.#ctx.now());
    this.#inUse.add(ulid);
    this.#ctx.logger.info("repairing block with chunks beyond its end", {block: meta.ulid, repaired: ulid});
    const result = await this.#ctx.pool.run({kind: "repair", input: {dir, meta}, parent: this.#dir, ulid}, signal);
    if (result.kind === "unsound") return this.#handle(result.findings.map(asCorrupt), [{dir, meta}], signal);
    if (result.meta === undefined) {
      const finding = asCorrupt({ulid: meta.ulid, problem: "corrupt", text: "no chunk lies inside its times"});
      return this.#setAside(finding, signal);
    }
    const uploaded = await uploadVerified(this.#ctx, join(this.#dir, ulid), signal);
    await mark(this.#ctx, "deletion", meta.ulid, {details: DELETE_DETAILS.repaired}, signal);
    this.#replace([meta.ulid], uploaded);
  }

  /** Nothing was left to write: blocks without samples go, others stay as they are. */
  async #dropEmpty(plan: readonly BlockMeta[], signal: AbortSignal): Promise<void> {
    for (const {ulid, stats} of plan) {
      if (stats.numSamples === 0) {
        await mark(this.#ctx, "deletion", ulid, {details: DELETE_DETAILS.compacted}, signal);
        this.#metas = this.#metas.filter((meta) => meta.ulid !== ulid);
        this.#merged++;
      } else {
        this.#ctx.logger.warn("merging left nothing of a block, leaving it as it is", {block: ulid});
        this.#excluded.add(ulid);
      }
    }
  }

  #replace(gone: readonly string[], made: BlockMeta): void {
    const kept = this.#metas.filter(({ulid}) => !gone.includes(ulid));
    this.#metas = [...kept, made].sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
    this.#merged++;
  }
}

const asCorrupt = (finding: Finding): Finding => ({...finding, problem: "corrupt"});

/** What an operator can do, by problem. */
const ADVICE: Readonly<Record<Finding["problem"], string>> = {
  "out-of-order":
    "The block stays readable but is compacted no more. Write it anew with «tools bucket rewrite», or let «tools bucket " +
    "verify --repair» mend it, then delete this mark.",
  outside:
    "The block stays readable but is compacted no more. Let «tools bucket verify --repair» drop the chunks beyond its " +
    "times, or correct minTime and maxTime in its meta.json, then delete this mark.",
  issue347: "The block stays readable but is compacted no more.",
  labels:
    "An old Prometheus (2.8.0 and before) wrote it so. Run the compactor with --debug.accept-malformed-index and delete " +
    "this mark to merge it nevertheless.",
  corrupt:
    "The block is compacted no more. Upload it anew from where it was made, or delete it; «tools bucket verify» shows all " +
    "that is damaged. Then delete this mark.",
};
