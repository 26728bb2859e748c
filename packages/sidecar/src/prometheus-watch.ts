import {setTimeout as sleep} from "node:timers/promises";
import {errorText, StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import type {Logger, Registry} from "@strata/telemetry";
import type {PrometheusApi} from "./prometheus-api.ts";
import type {PrometheusState} from "./sidecar-store.ts";

export type PrometheusWatchOptions = {
  /** `--prometheus.ready_timeout`, `--prometheus.get_config_interval`, `--prometheus.get_config_timeout`; ms. */
  readonly readyTimeoutMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** `--min-time` as it stands now, ms. */
  readonly minTime: () => number;
};

/** How long to wait before Prometheus is asked again while it is not there yet. */
const RETRY_MS = 2000;
/** Oldest time of all that an int64 of ms can say; what a Prometheus without data starts at. */
const MIN_TIME = -(2 ** 63);

/**
 * Keeps what the sidecar must know of its Prometheus: external labels, oldest sample, the label names in use. Ready once
 * external labels were read; not ready while Prometheus cannot be reached.
 */
export class PrometheusWatch {
  readonly #api: PrometheusApi;
  readonly #options: PrometheusWatchOptions;
  readonly #logger: Logger;
  readonly #up;
  #state: PrometheusState;

  constructor(api: PrometheusApi, options: PrometheusWatchOptions, logger: Logger, registry: Registry) {
    this.#api = api;
    this.#options = options;
    this.#logger = logger;
    this.#up = registry.gauge({
      name: "thanos_sidecar_prometheus_up",
      help: "1 while the last contact with Prometheus succeeded, else 0.",
    });
    this.#state = {externalLabels: Labels.EMPTY, mint: options.minTime(), ownLabelNames: undefined};
  }

  get state(): PrometheusState {
    return this.#state;
  }

  /** Waits for Prometheus and its external labels; `unavailable` when the ready timeout passes first. */
  async waitUntilReady(signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + this.#options.readyTimeoutMs;
    for (;;) {
      try {
        await this.#refresh(signal);
        if (this.#state.externalLabels.size > 0) return;
        throw new StrataError(
          "unavailable",
          "no external labels configured on Prometheus; uniquely identifying external labels must be set in global.external_labels",
        );
      } catch (err) {
        this.#up.set(0);
        signal.throwIfAborted();
        if (Date.now() >= deadline) throw err;
        this.#logger.warn("prometheus is not ready yet, trying again", {err: errorText(err)});
      }
      await sleep(RETRY_MS, undefined, {signal});
    }
  }

  /** Refreshes for ever; tells `onChange` whether Prometheus answers. */
  async run(onChange: (err: Error | undefined) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.intervalMs, undefined, {signal}).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#refresh(signal);
        onChange(undefined);
      } catch (err) {
        if (signal.aborted) return;
        this.#up.set(0);
        this.#logger.warn("prometheus does not answer", {err: errorText(err)});
        onChange(err instanceof Error ? err : new Error(String(err)));
      }
    }
  }

  async #refresh(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(this.#options.timeoutMs)]);
    const externalLabels = await this.#api.externalLabels(signal);
    const lowest = await this.#api.lowestTimestamp(signal);
    const names = await this.#api.labelNames([], MIN_TIME, -MIN_TIME, 0, signal);
    this.#state = {
      externalLabels,
      mint: Math.max(this.#options.minTime(), lowest ?? MIN_TIME),
      ownLabelNames: new Set(names.values),
    };
    this.#up.set(1);
  }
}
