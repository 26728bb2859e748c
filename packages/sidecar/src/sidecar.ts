import {setTimeout as sleep} from "node:timers/promises";
import {errorText, StrataError} from "@strata/base";
import {HttpClient, type HttpClientConfig} from "@strata/http-client";
import type {Labels} from "@strata/model";
import type {Init, info} from "@strata/proto";
import {announce, type ReadApis} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {checkFlags, type UploadOptions} from "./preconditions.ts";
import {PrometheusApi} from "./prometheus-api.ts";
import {PrometheusWatch} from "./prometheus-watch.ts";
import {sidecarApis} from "./sidecar-apis.ts";
import {SidecarStore} from "./sidecar-store.ts";

export type SidecarOptions = {
  readonly prometheusUrl: URL;
  readonly http: HttpClientConfig;
  readonly readyTimeoutMs: number;
  readonly configIntervalMs: number;
  readonly configTimeoutMs: number;
  /** `--min-time` as it stands now, ms. */
  readonly minTime: () => number;
  /** Present when blocks are to be uploaded. */
  readonly upload?: (UploadOptions & {readonly shipper: (labels: () => Labels) => BlockShipper}) | undefined;
};

/** What the sidecar needs of a shipper: one round over the data directory. */
export type BlockShipper = {sync(signal: AbortSignal): Promise<unknown>};

/** Told when the sidecar can serve, and when its Prometheus is away. */
export type Readiness = {ready(): void; notReady(err: Error): void};

/** The end of int64: an open end. */
const MAX_TIME = 2 ** 63;
/** Pause between rounds of the shipper, and between attempts to read Prometheus' flags. */
const SHIP_INTERVAL_MS = 30_000;
const FLAGS_RETRY_MS = 2000;

/** The sidecar beside one Prometheus: serves its recent data, uploads its finished blocks. */
export class Sidecar {
  readonly store: SidecarStore;
  /** What it tells of its Prometheus beside series. */
  readonly apis: ReadApis;
  readonly #api: PrometheusApi;
  readonly #http: HttpClient;
  readonly #watch: PrometheusWatch;
  readonly #options: SidecarOptions;
  readonly #logger: Logger;

  constructor(options: SidecarOptions, logger: Logger, registry: Registry) {
    this.#options = options;
    this.#logger = logger;
    this.#http = new HttpClient(options.prometheusUrl, options.http, "strata-sidecar");
    this.#api = new PrometheusApi(this.#http);
    this.#watch = new PrometheusWatch(
      this.#api,
      {
        readyTimeoutMs: options.readyTimeoutMs,
        intervalMs: options.configIntervalMs,
        timeoutMs: options.configTimeoutMs,
        minTime: options.minTime,
      },
      logger,
      registry,
    );
    const frames = registry.histogram({
      name: "prometheus_store_received_frames",
      help: "Frames that one streamed remote read brought.",
      buckets: [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120],
    });
    this.store = new SidecarStore(
      this.#api,
      this.#http,
      () => this.#watch.state,
      (n) => frames.observe(n),
    );
    this.apis = sidecarApis(this.#api, () => this.#watch.state.externalLabels);
  }

  get externalLabels(): Labels {
    return this.#watch.state.externalLabels;
  }

  /** Oldest time served, ms. */
  get mint(): number {
    return this.#watch.state.mint;
  }

  /** How it introduces itself; `unavailable` until it is ready. */
  info(ready: boolean): Init<info.InfoResponse> {
    if (!ready) throw new StrataError("unavailable", "Not ready");
    const {externalLabels, mint} = this.#watch.state;
    const labels = {labels: [...externalLabels].map(([name, value]) => ({name, value}))};
    const range = {minTime: mint, maxTime: MAX_TIME};
    return {
      labelSets: [labels],
      componentType: "sidecar",
      store: {
        ...range,
        supportsSharding: true,
        supportsWithoutReplicaLabels: true,
        tsdbInfos: [{labels, ...range}],
      },
      ...announce(this.apis),
    };
  }

  /** Runs until `signal` aborts. Throws when Prometheus never gets ready or its flags forbid uploads. */
  async run(readiness: Readiness, signal: AbortSignal): Promise<void> {
    try {
      await this.#watch.waitUntilReady(signal);
      this.#logger.info("external labels of prometheus are known", {labels: this.externalLabels.toString()});
      readiness.ready();
      const inner = new AbortController();
      const both = AbortSignal.any([signal, inner.signal]);
      const watching = this.#watch.run(
        (err) => (err === undefined ? readiness.ready() : readiness.notReady(err)),
        both,
      );
      try {
        if (this.#options.upload === undefined) this.#logger.info("no object storage is configured, blocks stay local");
        else await this.#ship(this.#options.upload, signal);
        await watching;
      } finally {
        inner.abort();
        await watching;
      }
    } catch (err) {
      if (!signal.aborted) throw err;
    } finally {
      this.#http.close();
    }
  }

  async #ship(upload: NonNullable<SidecarOptions["upload"]>, signal: AbortSignal): Promise<void> {
    const flags = await this.#flags(signal);
    if (flags !== undefined) checkFlags(flags, upload, this.#logger);
    const shipper = upload.shipper(() => this.externalLabels);
    while (!signal.aborted) {
      try {
        await shipper.sync(signal);
      } catch (err) {
        if (signal.aborted) return;
        this.#logger.warn("cannot upload all blocks, trying again", {err: errorText(err)});
      }
      await sleep(SHIP_INTERVAL_MS, undefined, {signal}).catch(() => {});
    }
  }

  async #flags(signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    const deadline = Date.now() + this.#options.readyTimeoutMs;
    for (;;) {
      try {
        return await this.#api.flags(AbortSignal.any([signal, AbortSignal.timeout(this.#options.configTimeoutMs)]));
      } catch (err) {
        signal.throwIfAborted();
        if (Date.now() >= deadline) {
          throw new StrataError("unavailable", `cannot read the flags of Prometheus: ${errorText(err)}`, {cause: err});
        }
        this.#logger.warn("cannot read the flags of prometheus, trying again", {err: errorText(err)});
      }
      await sleep(FLAGS_RETRY_MS, undefined, {signal});
    }
  }
}
