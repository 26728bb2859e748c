import {isDeepStrictEqual} from "node:util";
import {StrataError, withContext} from "@strata/base";
import {CHUNKS_DIR, externalLabels, INDEX_FILE, META_FILE, type MetaFetcher, resolutionOf} from "@strata/block";
import type {Matcher} from "@strata/model";
import {type Bucket, isNotFound, readObject, uploadBytes} from "@strata/objstore";
import type {Logger, Registry} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";

/** Which blocks are copied. */
export type ReplicateFilter = {
  /** Of the external labels; all must match. */
  readonly matchers: readonly Matcher[];
  /** ms. */
  readonly resolutions: readonly number[];
  readonly levels: readonly number[];
  /** When there are any, these blocks and no others, whatever else is asked for. */
  readonly ulids: readonly string[];
};

export type ReplicatorOptions = {
  readonly from: Bucket;
  readonly to: Bucket;
  /** Over `from`, with the time window and the deletion marks taken care of. */
  readonly fetcher: MetaFetcher;
  readonly filter: ReplicateFilter;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** A real one has some kilobytes. */
const MAX_META_BYTES = 16 << 20;

/**
 * Copies blocks from one bucket to another, the oldest first, so that a compactor over there sees them in order; the
 * meta.json of each goes last. Objects that are there in the right size are not copied again.
 */
export class Replicator {
  readonly #o: ReplicatorOptions;
  readonly #metrics: ReplicatorMetrics;

  constructor(options: ReplicatorOptions) {
    this.#o = options;
    this.#metrics = replicatorMetrics(options.registry);
  }

  /** One round, counted by how it went. */
  async run(signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const settle = (result: "success" | "error"): void => {
      this.#metrics.runs.with({result}).inc();
      this.#metrics.runSeconds.with({result}).observe((performance.now() - began) / 1000);
    };
    try {
      await this.#copyAll(signal);
    } catch (err) {
      settle("error");
      throw err;
    }
    settle("success");
  }

  async #copyAll(signal: AbortSignal): Promise<void> {
    const {metas, partial, incomplete} = await this.#o.fetcher.fetch(signal);
    if (incomplete !== undefined) throw incomplete;
    for (const ulid of partial.keys())
      this.#o.logger.info("block is not uploaded whole yet, passing it over", {block: ulid});
    const chosen = [...metas.values()].filter((meta) => this.#isWanted(meta));
    chosen.sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
    for (const {ulid} of chosen) {
      try {
        await this.#copyBlock(ulid, signal);
      } catch (err) {
        throw withContext(err, `cannot replicate block ${ulid}`);
      }
    }
  }

  #isWanted(meta: BlockMeta): boolean {
    const {matchers, resolutions, levels, ulids} = this.#o.filter;
    const labels = externalLabels(meta);
    const log = this.#o.logger.with({block: meta.ulid});
    if (labels.size === 0) {
      log.error("block has no external labels, passing it over");
      return false;
    }
    if (ulids.length > 0) return ulids.includes(meta.ulid);
    if (!matchers.every((m) => m.matches(labels.get(m.name)))) {
      log.debug("external labels do not match, passing block over", {labels: labels.toString()});
      return false;
    }
    if (!resolutions.includes(resolutionOf(meta))) {
      log.info("resolution is not asked for, passing block over", {resolution: resolutionOf(meta)});
      return false;
    }
    if (!levels.includes(meta.compaction.level)) {
      log.info("compaction level is not asked for, passing block over", {level: meta.compaction.level});
      return false;
    }
    return true;
  }

  async #copyBlock(ulid: string, signal: AbortSignal): Promise<void> {
    const {from, to, logger} = this.#o;
    const key = `${ulid}/${META_FILE}`;
    const meta = await readObject(from, key, MAX_META_BYTES, signal);
    if (isDeepStrictEqual(Buffer.from(meta), await this.#there(key, signal))) {
      this.#metrics.already.inc();
      return;
    }
    for await (const entry of from.list(`${ulid}/${CHUNKS_DIR}`, {}, signal))
      await this.#copyObject(entry.name, signal);
    await this.#copyObject(`${ulid}/${INDEX_FILE}`, signal);
    await uploadBytes(to, key, meta, signal);
    this.#metrics.blocks.inc();
    logger.info("block replicated", {block: ulid});
  }

  async #there(key: string, signal: AbortSignal): Promise<Buffer | undefined> {
    try {
      return Buffer.from(await readObject(this.#o.to, key, MAX_META_BYTES, signal));
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
  }

  async #copyObject(key: string, signal: AbortSignal): Promise<void> {
    const {from, to, logger} = this.#o;
    const {size} = await from.attributes(key, signal);
    if ((await sizeOf(to, key, signal)) === size) return;
    await to.upload(key, await from.get(key, signal), size, signal);
    const copied = await sizeOf(to, key, signal);
    if (copied !== size) {
      throw new StrataError("unavailable", `cannot copy ${key}: ${copied} bytes arrived instead of ${size}`);
    }
    this.#metrics.objects.inc();
    logger.debug("object replicated", {object: key, bytes: size});
  }
}

async function sizeOf(bucket: Bucket, key: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    return (await bucket.attributes(key, signal)).size;
  } catch (err) {
    if (isNotFound(err)) return undefined;
    throw err;
  }
}

const RESULTS = [{result: "success"}, {result: "error"}];

const replicatorMetrics = (r: Registry) => ({
  already: r.counter({
    name: "thanos_replicate_blocks_already_replicated_total",
    help: "Blocks passed over because they are there already.",
  }),
  blocks: r.counter({name: "thanos_replicate_blocks_replicated_total", help: "Blocks replicated."}),
  objects: r.counter({name: "thanos_replicate_objects_replicated_total", help: "Objects replicated."}),
  runs: r.counter({
    name: "thanos_replicate_replication_runs_total",
    help: "Rounds, by how they went.",
    labels: ["result"],
    preset: RESULTS,
  }),
  runSeconds: r.histogram({
    name: "thanos_replicate_replication_run_duration_seconds",
    help: "Duration of rounds, by how they went.",
    labels: ["result"],
    preset: RESULTS,
  }),
});

type ReplicatorMetrics = ReturnType<typeof replicatorMetrics>;
