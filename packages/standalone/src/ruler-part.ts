import {join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import {Shipper} from "@strata/block";
import {Labels} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import {AlertSender, alertmanagerOfUrl, DbStorage, Queriers, queryGroupsOfFlags, Ruler, ServerSet} from "@strata/rule";
import {announce, type GrpcServer, serveReadApis, serveStore, tsdbInfo} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {Db} from "@strata/tsdb";

export type RulerPartOptions = {
  readonly dataDir: string;
  readonly ruleFiles: readonly string[];
  readonly alertmanagers: readonly URL[];
  /** `host:port` of the querier's API, which this process serves, too. */
  readonly queryAddress: string;
  readonly bucket: Bucket;
  readonly logger: Logger;
  readonly registry: Registry;
};

const LABELS = Labels.fromObject({ruler: "standalone"});
const DNS_INTERVAL_MS = 30_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RETENTION_MS = 48 * HOUR_MS;

/** A ruler over the querier of the same process. */
export class RulerPart {
  readonly #options: RulerPartOptions;
  readonly #ruler: Ruler;
  readonly #db: Db;
  readonly #sender: AlertSender;
  readonly #shipper: Shipper;
  readonly #close: () => void;

  private constructor(
    options: RulerPartOptions,
    parts: {ruler: Ruler; db: Db; sender: AlertSender; close: () => void},
  ) {
    this.#options = options;
    this.#ruler = parts.ruler;
    this.#db = parts.db;
    this.#sender = parts.sender;
    this.#close = parts.close;
    const {bucket, logger, registry} = options;
    const dir = join(options.dataDir, "rule");
    this.#shipper = new Shipper({
      dir,
      bucket,
      labels: () => LABELS,
      source: "ruler",
      uploadCompacted: false,
      logger,
      registry,
    });
  }

  /** Opens the database; evaluates nothing yet. */
  static async open(options: RulerPartOptions): Promise<RulerPart> {
    const {logger, registry} = options;
    const servers = {dnsIntervalMs: DNS_INTERVAL_MS, userAgent: "strata-rule", registry, logger};
    const http = await ServerSet.start({
      ...servers,
      groups: queryGroupsOfFlags([options.queryAddress], [], MINUTE_MS),
      metricPrefix: "thanos_rule_query_apis",
      client: "query",
    });
    const groups = options.alertmanagers.map((url) => alertmanagerOfUrl(url, 10_000));
    const alertServers = await ServerSet.start({
      ...servers,
      groups,
      metricPrefix: "thanos_rule_alertmanagers",
      client: "alertmanager",
    });
    const sender = new AlertSender({servers: alertServers, groups: groups.length, registry, logger});
    const queriers = new Queriers({
      http,
      grpc: () => [],
      method: "POST",
      onlyPrometheusParams: false,
      defaultStepMs: 1000,
      logger,
      onWarnings: () => undefined,
    });
    const db = await Db.open(join(options.dataDir, "rule"), {externalLabels: LABELS, retentionMs: RETENTION_MS});
    const storage = new DbStorage(db);
    const ruler = new Ruler({
      ruleFiles: options.ruleFiles,
      externalLabels: LABELS,
      query: (query, signal) => queriers.query(query, signal),
      storage,
      forState: (labels, mint, maxt, signal) => storage.forState(labels, mint, maxt, signal),
      send: (alerts) => sender.push(alerts),
      alerts: {
        dropLabels: [],
        relabel: [],
        queryUrl: `http://${options.queryAddress}`,
        queryTemplate: "/graph?g0.expr={{.Expr}}&g0.tab=1",
      },
      parse: {},
      evalIntervalMs: MINUTE_MS,
      queryOffsetMs: 0,
      resendDelayMs: MINUTE_MS,
      outageToleranceMs: HOUR_MS,
      graceMs: 10 * MINUTE_MS,
      concurrentEvaluation: 1,
      registry,
      logger,
    });
    const close = (): void => {
      http.close();
      alertServers.close();
    };
    return new RulerPart(options, {ruler, db, sender, close});
  }

  /** Registers what the ruler serves. */
  serve(server: GrpcServer): void {
    const apis = {rules: this.#ruler.source};
    const store = () => ({queryable: this.#db, labels: LABELS, minTime: this.#db.minTime});
    serveReadApis(server, apis);
    serveStore(server, {
      queryable: this.#db,
      info: () => tsdbInfo("rule", [store()], announce(apis)),
      registry: this.#options.registry,
    });
  }

  /** Evaluates until `signal` aborts. Throws where a rule file has an error at the start. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#ruler.start();
    await Promise.all([this.#ruler.run(signal), this.#sender.run(signal), this.#maintain(signal)]);
    await this.#ruler.close();
  }

  async #maintain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#db.maintain();
        await this.#shipper.sync(signal);
      } catch (err) {
        if (!signal.aborted) this.#options.logger.error("cannot maintain the database", {err});
      }
      await delay(MINUTE_MS, undefined, {signal}).catch(() => undefined);
    }
  }

  /** Reads the rule files again. Throws with all that is wrong. */
  reload(): Promise<void> {
    return this.#ruler.reload();
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await this.#ruler.close();
    this.#close();
    await this.#db.close();
  }
}
