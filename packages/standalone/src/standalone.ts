import {mkdir} from "node:fs/promises";
import {join, resolve} from "node:path";
import {setTimeout as sleep} from "node:timers/promises";
import {Compactor} from "@strata/compact";
import {Labels} from "@strata/model";
import {type Bucket, FilesystemBucket, metered} from "@strata/objstore";
import {endpointBackend, Querier, QueryRunner, storeStatuses} from "@strata/query";
import {Store} from "@strata/store";
import {EndpointSet, endpointApis, GrpcServer, ProxyStore, serveReadApis, serveStore} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import type {EndpointBackend} from "@strata/web";
import {feedDemo} from "./demo-feed.ts";
import {writeDemoRules} from "./demo-rules.ts";
import {DEMO_TENANT} from "./demo-series.ts";
import {ensureDemoHistory} from "./demo-upload.ts";
import {findPrometheus, LocalPrometheus} from "./local-prometheus.ts";
import {LocalReceiver} from "./local-receiver.ts";
import {RulerPart} from "./ruler-part.ts";
import {SidecarPart} from "./sidecar-part.ts";

export type StandaloneOptions = {
  readonly dataDir: string;
  /** Object storage, which this closes; a directory below the data directory by default. */
  readonly bucket?: Bucket | undefined;
  /** Fill an empty bucket with made-up history, let it go on, and evaluate rules over it. */
  readonly demo: boolean;
  /** Start a Prometheus, where one is installed, with a sidecar beside it. */
  readonly prometheus: boolean;
  /** A running Prometheus to put the sidecar beside; then none is started. */
  readonly prometheusUrl?: URL | undefined;
  /** Data directory of that one, from which blocks are uploaded; undefined uploads none. */
  readonly prometheusData?: string | undefined;
  /** `host:port` of this process's metrics, for that Prometheus. */
  readonly metricsAddress: string;
  /** Rule files to evaluate; with none, those of the demo, and without a demo no ruler. */
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
/** How often the bucket is looked at: a local directory costs little. */
const SYNC_INTERVAL_MS = {local: 30_000, remote: 180_000};
/** How old a block must be to be merged: a local directory is never behind itself, others upload to a remote one. */
const CONSISTENCY_DELAY_MS = {local: 0, remote: 1_800_000};
/** Two-hour blocks come every two hours. */
const COMPACT_INTERVAL_MS = 600_000;
/** The first minutes belong to whoever looks at the pages. */
const FIRST_COMPACTION_MS = 180_000;
const INFO_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 120_000;
const MAX_CONCURRENT = 20;
/** Of queries, however many cores there are: each thread keeps some 60 MB, and this process is to stay small. */
const QUERY_THREADS = 2;
const LOG_SLOW_MS = 10_000;
const MAX_QUERY_BYTES = 2 ** 31;

/**
 * Store gateway, receiver, compactor, querier and, beside a Prometheus, sidecar, with rule files a ruler, in one process
 * over a bucket. The parts are those of the commands and speak gRPC to one another over loopback.
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
  readonly #syncIntervalMs: number;
  readonly #store: Store;
  readonly #prometheus: LocalPrometheus | undefined;
  readonly #sidecar: SidecarPart | undefined;
  readonly #receiver: LocalReceiver;
  readonly #servers: GrpcServer[] = [];
  readonly #addresses: string[] = [];
  readonly #endpoints: EndpointSet;
  readonly #runner: QueryRunner;
  #ruler: RulerPart | undefined;

  private constructor(options: StandaloneOptions, dataDir: string, prometheus: LocalPrometheus | undefined) {
    const {logger, registry} = options;
    this.#o = options;
    this.#dataDir = dataDir;
    this.bucket = metered(options.bucket ?? new FilesystemBucket(join(dataDir, "bucket")), registry);
    const place = options.bucket === undefined ? "local" : "remote";
    this.#syncIntervalMs = SYNC_INTERVAL_MS[place];
    this.#store = new Store({
      bucket: this.bucket,
      dataDir: join(dataDir, "store"),
      logger: logger.with({component: "store"}),
      registry,
      syncIntervalMs: this.#syncIntervalMs,
    });
    this.compactor = new Compactor({
      bucket: this.bucket,
      dataDir: join(dataDir, "compact"),
      logger: logger.with({component: "compact"}),
      // Names of looks at the bucket are the store's.
      registry: registry.sub({component: "compact"}),
      consistencyDelayMs: CONSISTENCY_DELAY_MS[place],
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
    const prometheusUrl = options.prometheusUrl ?? prometheus?.url;
    if (prometheusUrl !== undefined) {
      this.#sidecar = new SidecarPart({
        prometheusUrl,
        tsdbPath: options.prometheusData ?? prometheus?.dataDir,
        bucket: this.bucket,
        logger: logger.with({component: "sidecar"}),
        registry,
      });
    }
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
      threads: QUERY_THREADS,
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
    await mkdir(options.bucket === undefined ? join(dataDir, "bucket") : dataDir, {recursive: true});
    const program = options.prometheus && options.prometheusUrl === undefined ? findPrometheus() : undefined;
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
      const receiverOpen = Promise.withResolvers<void>();
      start(this.#receiver.run(receiverOpen.resolve, all).finally(receiverOpen.resolve));
      if (this.#sidecar !== undefined) start(this.#sidecar.run(all));
      const series = demo ? await ensureDemoHistory(this.#dataDir, this.bucket, logger, registry, all) : [];
      const storeReady = Promise.withResolvers<void>();
      start(this.#store.run(all, storeReady.resolve).finally(storeReady.resolve));
      await Promise.all([storeReady.promise, receiverOpen.promise]);
      await this.#serve(await this.#ruleFiles(series.length > 0));
      await this.#endpoints.start();
      if (series.length > 0) {
        const send = (body: Uint8Array) => this.#receiver.write(DEMO_TENANT, body);
        start(feedDemo(series, send, logger.with({component: "demo"}), all));
      }
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
    const view = this.compactor.keepView(this.#syncIntervalMs, signal);
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

  async #ruleFiles(hasDemo: boolean): Promise<readonly string[]> {
    const {ruleFiles} = this.#o;
    return hasDemo && ruleFiles.length === 0 ? [await writeDemoRules(this.#dataDir)] : ruleFiles;
  }

  /** A gRPC server for each part that has a StoreAPI, on ports that the system chooses. */
  async #serve(ruleFiles: readonly string[]): Promise<void> {
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
    if (ruleFiles.length > 0) await this.#serveRuler(ruleFiles);
    if (this.#sidecar === undefined) return;
    const sidecar = this.#newServer("sidecar");
    this.#sidecar.serve(sidecar);
    const address = await this.#open(sidecar);
    // Its Prometheus may take long to start: it is missed from the first time that it was there.
    this.#sidecar.whenReady(() => {
      if (!this.#addresses.includes(address)) this.#addresses.push(address);
      void this.#endpoints.update();
    });
  }

  async #serveRuler(ruleFiles: readonly string[]): Promise<void> {
    const {alertmanagers, metricsAddress, logger, registry} = this.#o;
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
    this.#addresses.push(await this.#open(server));
  }

  /** Where the server listens. */
  async #open(server: GrpcServer): Promise<string> {
    const port = await server.listen();
    server.setServing(true);
    return `127.0.0.1:${port}`;
  }
}
