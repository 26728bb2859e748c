import {mkdir} from "node:fs/promises";
import {join, resolve} from "node:path";
import {setTimeout as sleep} from "node:timers/promises";
import {SHIPPER_STATE_FILE, Shipper} from "@strata/block";
import {Compactor} from "@strata/compact";
import {Labels} from "@strata/model";
import {type Bucket, FilesystemBucket, metered} from "@strata/objstore";
import {endpointBackend, Querier, QueryRunner, storeStatuses} from "@strata/query";
import {Sidecar} from "@strata/sidecar";
import {Store} from "@strata/store";
import {EndpointSet, endpointApis, GrpcServer, ProxyStore, serveReadApis, serveStore} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import type {EndpointBackend} from "@strata/web";
import {ensureDemoHistory} from "./demo-upload.ts";
import {findPrometheus, LocalPrometheus} from "./local-prometheus.ts";
import {LocalReceiver} from "./local-receiver.ts";
import {RulerPart} from "./ruler-part.ts";

export type StandaloneOptions = {
  readonly dataDir: string;
  /** Fill an empty data directory with made-up history. */
  readonly demo: boolean;
  /** Start a Prometheus, where one is installed, with a sidecar beside it. */
  readonly prometheus: boolean;
  /** `host:port` of this process's metrics, for that Prometheus. */
  readonly metricsAddress: string;
  /** Rule files to evaluate; none starts no ruler. */
  readonly ruleFiles: readonly string[];
  /** Where their alerts go. */
  readonly alertmanagers: readonly URL[];
  /** `host:port` for remote write and OTLP. */
  readonly writeAddress: string;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** Labels that only tell replicas apart. */
export const REPLICA_LABELS = ["replica"];
/** The bucket is a local directory: looking at it costs little. */
const SYNC_INTERVAL_MS = 30_000;
/** Two-hour blocks come every two hours. */
const COMPACT_INTERVAL_MS = 600_000;
/** The first minutes belong to whoever looks at the pages. */
const FIRST_COMPACTION_MS = 180_000;
const INFO_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 120_000;
const READY_TIMEOUT_MS = 600_000;
const MAX_CONCURRENT = 20;
const LOG_SLOW_MS = 10_000;
const MAX_QUERY_BYTES = 2 ** 31;

/**
 * Store gateway, receiver, compactor, querier and, beside a Prometheus, sidecar, with rule files a ruler, in one process
 * over a filesystem bucket. The parts are those of the commands and speak gRPC to one another over loopback.
 */
export class Standalone {
  readonly querier: Querier;
  /** What the endpoints know beside series. */
  readonly endpointApi: EndpointBackend;
  readonly bucket: Bucket;
  /** For the page of blocks. */
  readonly compactor: Compactor;
  readonly #o: StandaloneOptions;
  readonly #dataDir: string;
  readonly #store: Store;
  readonly #prometheus: LocalPrometheus | undefined;
  readonly #sidecar: Sidecar | undefined;
  readonly #receiver: LocalReceiver;
  readonly #servers: GrpcServer[] = [];
  readonly #addresses: string[] = [];
  readonly #endpoints: EndpointSet;
  readonly #runner: QueryRunner;
  #ruler: RulerPart | undefined;
  #sidecarReady = false;

  private constructor(options: StandaloneOptions, dataDir: string, prometheus: LocalPrometheus | undefined) {
    const {logger, registry} = options;
    this.#o = options;
    this.#dataDir = dataDir;
    this.bucket = metered(new FilesystemBucket(join(dataDir, "bucket")), registry);
    this.#store = new Store({
      bucket: this.bucket,
      dataDir: join(dataDir, "store"),
      logger: logger.with({component: "store"}),
      registry,
      syncIntervalMs: SYNC_INTERVAL_MS,
    });
    this.compactor = new Compactor({
      bucket: this.bucket,
      dataDir: join(dataDir, "compact"),
      logger: logger.with({component: "compact"}),
      // Names of looks at the bucket are the store's.
      registry: registry.sub({component: "compact"}),
      // A local directory is never behind itself.
      consistencyDelayMs: 0,
      waitIntervalMs: COMPACT_INTERVAL_MS,
    });
    this.#prometheus = prometheus;
    this.#receiver = new LocalReceiver({
      dir: join(dataDir, "receive"),
      bucket: this.bucket,
      address: options.writeAddress,
      logger: logger.with({component: "receive"}),
      registry,
    });
    this.#sidecar = prometheus === undefined ? undefined : this.#newSidecar(prometheus);
    this.#endpoints = new EndpointSet({
      specs: () => this.#addresses.map((address) => ({address, strict: false})),
      infoTimeoutMs: INFO_TIMEOUT_MS,
      unhealthyTimeoutMs: QUERY_TIMEOUT_MS,
      lingerMs: QUERY_TIMEOUT_MS,
      registry,
      logger: logger.with({component: "query"}),
    });
    const proxy = new ProxyStore({stores: () => this.#endpoints.stores(), responseTimeoutMs: 0, registry});
    const apis = endpointApis({
      endpoints: (api) => this.#endpoints.endpoints(api),
      selectorLabels: Labels.EMPTY,
      timeoutMs: 0,
    });
    this.endpointApi = endpointBackend(apis, undefined);
    this.#runner = QueryRunner.open({
      maxConcurrent: MAX_CONCURRENT,
      registry,
      logger: logger.with({component: "query"}),
      logSlowMs: LOG_SLOW_MS,
    });
    this.querier = new Querier(proxy, this.#runner, () => storeStatuses(this.#endpoints), {
      timeoutMs: QUERY_TIMEOUT_MS,
      lookbackMs: undefined,
      dynamicLookback: true,
      subqueryStepMs: 60_000,
      dedupFunc: "penalty",
      parse: {},
      features: {},
      maxQueryBytes: MAX_QUERY_BYTES,
      maxSamples: 0,
      tenancy: undefined,
    });
  }

  /** Prepares the data directory. Nothing runs before `run`. */
  static async create(options: StandaloneOptions): Promise<Standalone> {
    const dataDir = resolve(options.dataDir);
    await mkdir(join(dataDir, "bucket"), {recursive: true});
    const program = options.prometheus ? findPrometheus() : undefined;
    const prometheus =
      program === undefined
        ? undefined
        : await LocalPrometheus.prepare({
            program,
            dir: join(dataDir, "prometheus"),
            target: options.metricsAddress,
            logger: options.logger.with({component: "prometheus"}),
          });
    return new Standalone(options, dataDir, prometheus);
  }

  /** Runs all parts until `signal` aborts; `onReady` is called once queries can be answered. */
  async run(onReady: () => void, signal: AbortSignal): Promise<void> {
    const {demo, logger, registry} = this.#o;
    const failure = new AbortController();
    const all = AbortSignal.any([signal, failure.signal]);
    const parts: Promise<void>[] = [];
    const start = (part: Promise<void>): void => {
      parts.push(
        part.catch((err) => {
          failure.abort(err);
          throw err;
        }),
      );
    };
    try {
      this.#runner.warmUp();
      if (this.#prometheus !== undefined) start(this.#prometheus.run(all));
      start(this.#receiver.run(all));
      if (this.#sidecar !== undefined) start(this.#runSidecar(this.#sidecar, all));
      if (demo) await ensureDemoHistory(this.#dataDir, this.bucket, logger, registry, all);
      const storeReady = Promise.withResolvers<void>();
      start(this.#store.run(all, storeReady.resolve).finally(storeReady.resolve));
      await storeReady.promise;
      await this.#serve();
      await this.#endpoints.start();
      if (this.#ruler !== undefined) start(this.#ruler.run(all));
      if (!all.aborted) onReady();
      start(this.#compactLater(all));
    } catch (err) {
      failure.abort(err);
      if (!signal.aborted) throw err;
    } finally {
      await Promise.all(parts).catch((err) => {
        if (!signal.aborted) throw err;
      });
    }
  }

  /** Reads the rule files again, if there are any. Throws with all that is wrong. */
  async reload(): Promise<void> {
    await this.#ruler?.reload();
  }

  async #compactLater(signal: AbortSignal): Promise<void> {
    const view = this.compactor.keepView(SYNC_INTERVAL_MS, signal);
    await sleep(FIRST_COMPACTION_MS, undefined, {signal}).catch(() => {});
    if (!signal.aborted) await this.compactor.runForever(signal);
    await view;
  }

  async close(): Promise<void> {
    await this.#ruler?.close();
    await this.#runner.close();
    await this.#endpoints.close();
    await Promise.all(this.#servers.map((server) => server.stop(0)));
    await this.compactor.close();
    await this.#receiver.close();
    await this.#store.close();
    await this.bucket.close();
  }

  /** A gRPC server for each part that has a StoreAPI, on ports that the system chooses. */
  async #serve(): Promise<void> {
    const store = this.#newServer("store");
    serveStore(store, {
      queryable: this.#store.queryable,
      info: () => this.#store.info(),
      registry: this.#o.registry,
      checkLabelName: false,
    });
    await this.#listen(store);
    const {receiver} = this.#receiver;
    const receive = this.#newServer("receive");
    serveStore(receive, {
      queryable: receiver.store,
      info: () => receiver.info(receiver.isOpen),
      registry: this.#o.registry,
    });
    serveReadApis(receive, receiver.apis);
    await this.#listen(receive);
    await this.#serveRuler();
    const sidecar = this.#sidecar;
    if (sidecar === undefined) return;
    const server = this.#newServer("sidecar");
    serveStore(server, {
      queryable: sidecar.store,
      info: () => sidecar.info(this.#sidecarReady),
      registry: this.#o.registry,
    });
    serveReadApis(server, sidecar.apis);
    await this.#listen(server);
  }

  async #serveRuler(): Promise<void> {
    const {ruleFiles, alertmanagers, metricsAddress, logger, registry} = this.#o;
    if (ruleFiles.length === 0) return;
    this.#ruler = await RulerPart.open({
      dataDir: this.#dataDir,
      ruleFiles,
      alertmanagers,
      queryAddress: metricsAddress,
      bucket: this.bucket,
      logger: logger.with({component: "rule"}),
      registry,
    });
    const server = this.#newServer("rule");
    this.#ruler.serve(server);
    await this.#listen(server);
  }

  #newServer(component: string): GrpcServer {
    const {registry, logger} = this.#o;
    const server = new GrpcServer({address: "127.0.0.1:0", registry, logger: logger.with({component})});
    this.#servers.push(server);
    return server;
  }

  async #listen(server: GrpcServer): Promise<void> {
    this.#addresses.push(`127.0.0.1:${await server.listen()}`);
    server.setServing(true);
  }

  #newSidecar(prometheus: LocalPrometheus): Sidecar {
    const {registry} = this.#o;
    const logger = this.#o.logger.with({component: "sidecar"});
    return new Sidecar(
      {
        prometheusUrl: prometheus.url,
        http: {},
        readyTimeoutMs: READY_TIMEOUT_MS,
        configIntervalMs: 30_000,
        configTimeoutMs: 10_000,
        minTime: () => Number.NEGATIVE_INFINITY,
        upload: {
          tsdbPath: prometheus.dataDir,
          metaFileName: SHIPPER_STATE_FILE,
          ignoreUnequalBlockSize: false,
          shipper: (labels) =>
            new Shipper({
              dir: prometheus.dataDir,
              bucket: this.bucket,
              labels,
              source: "sidecar",
              uploadCompacted: false,
              logger,
              registry,
            }),
        },
      },
      logger,
      registry,
    );
  }

  async #runSidecar(sidecar: Sidecar, signal: AbortSignal): Promise<void> {
    const readiness = {
      ready: () => {
        this.#sidecarReady = true;
      },
      notReady: () => {
        this.#sidecarReady = false;
      },
    };
    await sidecar.run(readiness, signal);
  }
}
