import {readFile} from "node:fs/promises";
import {errorText, StrataError} from "@strata/base";
import type {Logger, Registry} from "@strata/telemetry";
import {followFile} from "./follow-file.ts";
import {Hashrings} from "./hashrings.ts";
import {type Algorithm, parseRings} from "./ring-config.ts";
import {type ShuffleMetrics, shuffleMetrics} from "./shuffle-ring.ts";

export type RingWatcherOptions = {
  /** The file, or the text itself. */
  readonly source: {readonly path: string} | {readonly text: string};
  readonly algorithm: Algorithm;
  readonly replication: number;
  /** How often the file is read without being told, ms. */
  readonly refreshMs: number;
  /** Told of the rings as they come into use. */
  readonly onChange: (rings: Hashrings) => void;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** A change comes as several events. */
const SETTLE_MS = 200;

/** The hashrings of a file as it changes. A new version that cannot be used is logged, and the old one stays. */
export class RingWatcher {
  readonly #o: RingWatcherOptions;
  readonly #metrics: RingMetrics;
  readonly #shuffle: ShuffleMetrics;
  #rings: Hashrings | undefined;
  #text: string | undefined;

  constructor(options: RingWatcherOptions) {
    this.#o = options;
    this.#metrics = ringMetrics(options.registry);
    this.#shuffle = shuffleMetrics(options.registry);
  }

  get rings(): Hashrings | undefined {
    return this.#rings;
  }

  /** Reads the configuration for the first time. Throws `bad_data` when it cannot be used. */
  async load(): Promise<void> {
    const text = await this.#read();
    this.#use(text);
  }

  /** Follows the file until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const {source, refreshMs, logger} = this.#o;
    if (!("path" in source)) return;
    const look = (): Promise<void> => this.refresh();
    await followFile({path: source.path, refreshMs, settleMs: SETTLE_MS, look, logger}, signal);
  }

  /** Reads the file again. */
  async refresh(): Promise<void> {
    this.#metrics.refreshes.inc();
    try {
      const text = await this.#read();
      if (text === this.#text) {
        // Also when a change that could not be used was taken back.
        this.#metrics.successful.set(1);
        return;
      }
      this.#metrics.changes.inc();
      this.#use(text);
    } catch (err) {
      this.#metrics.errors.inc();
      this.#metrics.successful.set(0);
      this.#o.logger.error("hashrings not taken over, the old ones stay", {err: errorText(err)});
    }
  }

  async #read(): Promise<string> {
    const {source} = this.#o;
    if ("text" in source) return source.text;
    try {
      return await readFile(source.path, "utf8");
    } catch (err) {
      throw new StrataError("bad_data", `cannot read the hashrings file: ${errorText(err)}`, {cause: err});
    }
  }

  #use(text: string): void {
    const {algorithm, replication, onChange, logger} = this.#o;
    const config = parseRings(text, algorithm);
    const rings = Hashrings.create(config.rings, replication, this.#shuffle);
    this.#text = text;
    const old = this.#rings;
    this.#rings = rings;
    // Requests place their series in one step, so that nobody uses the old ones now.
    old?.close();
    this.#metrics.hash.set(config.hash);
    this.#metrics.successful.set(1);
    this.#metrics.successTime.set(Date.now() / 1000);
    for (const {name, nodes, tenants} of rings.sizes) {
      this.#metrics.nodes.with({name}).set(nodes);
      this.#metrics.tenants.with({name}).set(tenants);
    }
    logger.info("hashrings in use", {rings: rings.sizes.length, nodes: rings.nodes.length});
    onChange(rings);
  }

  close(): void {
    this.#rings?.close();
    this.#rings = undefined;
  }
}

type RingMetrics = ReturnType<typeof ringMetrics>;
const ringMetrics = (r: Registry) => ({
  hash: r.gauge({name: "thanos_receive_config_hash", help: "Hash of the hashrings in use."}),
  successful: r.gauge({
    name: "thanos_receive_config_last_reload_successful",
    help: "Whether the hashrings that were read last could be used.",
  }),
  successTime: r.gauge({
    name: "thanos_receive_config_last_reload_success_timestamp_seconds",
    help: "When hashrings were last taken over.",
  }),
  changes: r.counter({name: "thanos_receive_hashrings_file_changes_total", help: "Changes of the hashrings file."}),
  errors: r.counter({name: "thanos_receive_hashrings_file_errors_total", help: "Readings of it that failed."}),
  refreshes: r.counter({name: "thanos_receive_hashrings_file_refreshes_total", help: "Readings of it."}),
  nodes: r.gauge({name: "thanos_receive_hashring_nodes", help: "Endpoints of a hashring.", labels: ["name"]}),
  tenants: r.gauge({name: "thanos_receive_hashring_tenants", help: "Tenants of a hashring.", labels: ["name"]}),
});
