import {StrataError} from "@strata/base";
import {DEFAULT_TENANT, type StoreMetrics} from "./store-metrics.ts";

/** Limits of one Series or label call; 0 is no limit. */
export type LimitOptions = {
  readonly series: number;
  /** Samples / 120. */
  readonly chunks: number;
  readonly downloadedBytes: number;
};

export const NO_LIMITS: LimitOptions = {series: 0, chunks: 0, downloadedBytes: 0};

type Reason = "series" | "chunks" | "bytes";

/** What one call has used up so far. Each method counts and throws `limit` beyond the limit, with Thanos's text. */
export class RequestLimits {
  readonly #limits: LimitOptions;
  readonly #metrics: StoreMetrics;
  readonly #used: Record<Reason, number> = {series: 0, chunks: 0, bytes: 0};
  #dropped = false;

  constructor(limits: LimitOptions, metrics: StoreMetrics) {
    this.#limits = limits;
    this.#metrics = metrics;
  }

  series(count: number): void {
    this.#reserve("series", count, this.#limits.series, "exceeded series limit");
  }

  chunks(count: number): void {
    this.#reserve("chunks", count, this.#limits.chunks, "exceeded chunks limit");
  }

  bytes(count: number, what: "postings" | "series" | "chunks"): void {
    this.#reserve("bytes", count, this.#limits.downloadedBytes, `exceeded bytes limit while fetching ${what}`);
  }

  /** Compat: bytes from the cache count as if they were downloaded. */
  cachedBytes(count: number, what: "postings" | "series" | "expanded postings"): void {
    const text = `exceeded bytes limit while loading ${what} from index cache`;
    this.#reserve("bytes", count, this.#limits.downloadedBytes, text);
  }

  #reserve(reason: Reason, count: number, limit: number, text: string): void {
    this.#used[reason] += count;
    const got = this.#used[reason];
    if (limit === 0 || got <= limit) return;
    if (!this.#dropped) this.#metrics.queriesDropped.with({reason, tenant: DEFAULT_TENANT}).inc();
    this.#dropped = true;
    throw new StrataError("limit", `${text}: limit ${limit} violated (got ${got})`, {fields: {limit, got}});
  }
}
