import {setTimeout as sleep} from "node:timers/promises";
import {errorText} from "@strata/base";
import {HttpClient} from "@strata/http-client";
import type {Logger, Registry} from "@strata/telemetry";
import {followFile} from "./follow-file.ts";
import {type LimitsConfig, NO_LIMITS, parseLimits, type TenantLimits} from "./limits-config.ts";
import type {RequestLimiter, RequestLimits} from "./request-limits.ts";
import type {SeriesLimits} from "./tenant-writer.ts";
import {WriteGate} from "./write-gate.ts";

export type LimiterOptions = {
  /** Reads the limits file or text; "" for none. */
  readonly read: () => Promise<string>;
  /** The file, where there is one to follow. */
  readonly path: string | undefined;
  /** Pause between a change and its use, ms. */
  readonly settleMs: number;
  /** Whether head series are asked of the meta-monitoring: routers do. */
  readonly countHeads: boolean;
  readonly logger: Logger;
  readonly registry: Registry;
};

const POLL_MS = 15_000;
const POLL_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 << 20;
/** The file is looked at this often without being told. */
const REFRESH_MS = 60_000;

/** Decides over requests by the limits file, which may change at any time. */
export class Limiter implements RequestLimiter {
  readonly #o: LimiterOptions;
  readonly #metrics: LimiterMetrics;
  #config: LimitsConfig = NO_LIMITS;
  #text = "";
  #gate: WriteGate | undefined;
  /** Head series by tenant, as last heard. */
  #heads: ReadonlyMap<string, number> = new Map();

  constructor(options: LimiterOptions) {
    this.#o = options;
    this.#metrics = limiterMetrics(options.registry);
  }

  /** Reads the limits for the first time. Throws `bad_data`. */
  async load(): Promise<void> {
    const text = await this.#o.read();
    this.#use(text, text.trim() === "" ? NO_LIMITS : parseLimits(text));
  }

  /** Follows the file and the meta-monitoring until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const {path, settleMs, logger} = this.#o;
    const look = (): Promise<void> => this.#reload();
    await Promise.all([
      path === undefined ? undefined : followFile({path, settleMs, refreshMs: REFRESH_MS, look, logger}, signal),
      this.#poll(signal),
    ]);
  }

  async #reload(): Promise<void> {
    try {
      const text = await this.#o.read();
      if (text === this.#text) return;
      this.#use(text, text.trim() === "" ? NO_LIMITS : parseLimits(text));
      this.#metrics.reloads.inc();
      this.#o.logger.info("limits reloaded");
    } catch (err) {
      this.#metrics.reloadErrors.inc();
      this.#o.logger.error("limits not taken over, the old ones stay", {err: errorText(err)});
    }
  }

  #use(text: string, config: LimitsConfig): void {
    if (config.maxConcurrency !== this.#config.maxConcurrency) {
      this.#gate = config.maxConcurrency > 0 ? new WriteGate(config.maxConcurrency) : undefined;
    }
    this.#text = text;
    this.#config = config;
    for (const [tenant, limits] of [["", config.defaults] as const, ...config.tenants]) {
      this.#metrics.limits.with({tenant, limit: "body_size"}).set(limits.request.sizeBytes);
      this.#metrics.limits.with({tenant, limit: "series"}).set(limits.request.series);
      this.#metrics.limits.with({tenant, limit: "samples"}).set(limits.request.samples);
      this.#metrics.headLimit.with({tenant}).set(limits.headSeries);
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const {metaMonitoring, defaults, tenants} = this.#config;
      const limited = defaults.headSeries > 0 || tenants.size > 0;
      if (this.#o.countHeads && metaMonitoring !== undefined && limited) {
        try {
          this.#heads = await headSeries(metaMonitoring, signal);
        } catch (err) {
          if (signal.aborted) return;
          this.#metrics.failedQueries.inc();
          this.#o.logger.error("cannot ask the meta-monitoring for head series", {err: errorText(err)});
        }
      }
      await sleep(POLL_MS, undefined, {signal}).catch(() => {});
    }
  }

  start(signal: AbortSignal): Promise<() => void> {
    return this.#gate?.start(signal) ?? Promise.resolve(() => {});
  }

  request(tenant: string): RequestLimits {
    return this.#limits(tenant).request;
  }

  /** What the tenant's own database is held to; the same object until the limits change. */
  series(tenant: string): SeriesLimits {
    return this.#limits(tenant).series;
  }

  isUnderHeadLimit(tenant: string): boolean {
    const limit = this.#limits(tenant).headSeries;
    const series = this.#heads.get(tenant);
    if (!this.#o.countHeads || limit <= 0 || series === undefined || series < limit) return true;
    this.#metrics.headLimited.with({tenant}).inc();
    return false;
  }

  hit(tenant: string, limit: "body_size" | "series" | "samples", excess: number): void {
    this.#metrics.hits.with({tenant, limit}).observe(excess);
  }

  #limits(tenant: string): TenantLimits {
    return this.#config.tenants.get(tenant) ?? this.#config.defaults;
  }
}

async function headSeries(
  {url, http, query}: NonNullable<LimitsConfig["metaMonitoring"]>,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const client = new HttpClient(url, http, "strata-receive");
  try {
    const answer = await client.body(
      {method: "GET", path: "/api/v1/query", params: new URLSearchParams({query})},
      MAX_ANSWER_BYTES,
      AbortSignal.any([signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]),
    );
    const {data} = JSON.parse(Buffer.from(answer).toString("utf8")) as {
      data?: {result?: {metric?: {tenant?: string}; value?: [number, string]}[]};
    };
    const heads = new Map<string, number>();
    for (const {metric, value} of data?.result ?? []) {
      if (metric?.tenant !== undefined && value !== undefined) heads.set(metric.tenant, Number(value[1]));
    }
    return heads;
  } finally {
    client.close();
  }
}

type LimiterMetrics = ReturnType<typeof limiterMetrics>;
const limiterMetrics = (r: Registry) => ({
  limits: r.gauge({
    name: "thanos_receive_write_limits",
    help: "Limits of requests; the empty tenant has those of everybody else.",
    labels: ["tenant", "limit"],
  }),
  hits: r.summary({
    name: "thanos_receive_write_limits_hit",
    help: "How much too much refused requests brought.",
    quantiles: [],
    labels: ["tenant", "limit"],
  }),
  headLimit: r.gauge({
    name: "thanos_receive_head_series_limit",
    help: "Limits of head series; the empty tenant has that of everybody else.",
    labels: ["tenant"],
  }),
  headLimited: r.counter({
    name: "thanos_receive_head_series_limited_requests_total",
    help: "Requests refused because the tenant has too many series.",
    labels: ["tenant"],
  }),
  failedQueries: r.counter({
    name: "thanos_receive_metamonitoring_failed_queries_total",
    help: "Questions to the meta-monitoring that failed.",
  }),
  reloads: r.counter({name: "thanos_receive_limits_config_reload_total", help: "Changes of the limits taken over."}),
  reloadErrors: r.counter({
    name: "thanos_receive_limits_config_reload_err_total",
    help: "Changes of the limits that could not be used.",
  }),
});
