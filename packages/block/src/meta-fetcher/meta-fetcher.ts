import {StrataError} from "@strata/base";
import type {Registry} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {BaseFetcher} from "./base-fetcher.ts";
import type {MetaFilter} from "./filters.ts";
import {type FetcherMetrics, fetcherMetrics, publish, SyncCounts} from "./sync-state.ts";

/** The blocks a component works on. */
export type FetchResult = {
  readonly metas: ReadonlyMap<string, BlockMeta>;
  readonly partial: ReadonlyMap<string, StrataError>;
  /** Set when some metas could not be read: then nothing may be concluded from the absence of a block. */
  readonly incomplete: StrataError | undefined;
};

/** A base fetcher's view passed through filters, in order, with the metrics of `blocks_meta_*`. */
export class MetaFetcher {
  readonly #base: BaseFetcher;
  readonly #filters: readonly MetaFilter[];
  readonly #metrics: FetcherMetrics;

  constructor(base: BaseFetcher, filters: readonly MetaFilter[], registry: Registry, prefix = "thanos_") {
    this.#base = base;
    this.#filters = filters;
    this.#metrics = fetcherMetrics(registry, prefix);
  }

  /** One round. Throws when the bucket cannot be listed or a filter cannot work. */
  async fetch(signal: AbortSignal): Promise<FetchResult> {
    const metrics = this.#metrics;
    metrics.baseSyncs.inc();
    metrics.syncs.inc();
    const stop = metrics.seconds.startTimer();
    try {
      const result = await this.#fetch(signal);
      if (result.incomplete !== undefined) metrics.failures.inc();
      return result;
    } catch (err) {
      metrics.failures.inc();
      throw err;
    } finally {
      stop();
    }
  }

  async #fetch(signal: AbortSignal): Promise<FetchResult> {
    const view = await this.#base.fetch(signal);
    const counts = new SyncCounts();
    for (const err of view.partial.values()) {
      counts.add(err.code === "corrupt" ? "corrupted-meta-json" : "no-meta-json");
    }
    counts.add("failed", view.failed.size);
    const metas = new Map(view.metas);
    for (const filter of this.#filters) await filter.apply(metas, counts, signal);
    counts.add("loaded", metas.size);
    publish(this.#metrics, counts);
    return {metas, partial: view.partial, incomplete: incompleteView(view.failed)};
  }
}

function incompleteView(failed: ReadonlyMap<string, StrataError>): StrataError | undefined {
  if (failed.size === 0) return undefined;
  const texts = [...failed].slice(0, 10).map(([ulid, err]) => `${ulid}: ${err.message}`);
  const more = failed.size > texts.length ? `; and ${failed.size - texts.length} more` : "";
  return new StrataError("unavailable", `incomplete view of ${failed.size} blocks: ${texts.join("; ")}${more}`);
}
