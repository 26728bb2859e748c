import {hostname} from "node:os";
import {setTimeout as delay} from "node:timers/promises";
import {setFlagsFromString} from "node:v8";
import {errorText, holdYoungGeneration, StrataError} from "@strata/base";
import {SHIPPER_STATE_FILE, Shipper} from "@strata/block";
import {Labels, relabelConfigs} from "@strata/model";
import {type Bucket, bucketFromConfig, metered, traced} from "@strata/objstore";
import type {ParseOptions} from "@strata/promql";
import {
  AlertSender,
  alertmanagerOfUrl,
  checkQueryTemplate,
  DbStorage,
  GrpcQueriers,
  parseAlertmanagersConfig,
  parseQueryConfig,
  parseRemoteWriteConfig,
  Queriers,
  type QueryConfig,
  queryGroupsOfFlags,
  RemoteStorage,
  Ruler,
  ruleMetrics,
  rulesBackend,
  ServerSet,
} from "@strata/rule";
import type {ForStateSource, RuleStorage} from "@strata/rules";
import {
  announce,
  headStatus,
  type ReadApis,
  serveInfo,
  serveReadApis,
  serveStore,
  type TsdbStore,
  tsdbInfo,
} from "@strata/storeapi";
import {Db, headStatistics} from "@strata/tsdb";
import {DEFAULT_TENANT_CONFIG, prefixOptions, textError} from "@strata/web";
import {addRulesRoutes} from "@strata/web/api";
import {parse} from "yaml";
import {clientTls} from "../client-tls.ts";
import {ruleFlags} from "../flags/rule.ts";
import type {FlagValues} from "../flags/spec.ts";
import {type Runtime, runComponent, type Work} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

type Flags = FlagValues<typeof ruleFlags>;

export const rule = defineCommand(ruleFlags, (context) =>
  runComponent({component: "rule", context, setup: (runtime) => setup(context.flags, context.given, runtime)}),
);

/** How often the database looks whether a block is due. */
const MAINTAIN_MS = 60_000;
const SHIP_MS = 30_000;
/**
 * Rules evaluated at once where the flag is not given: only ones that do not depend on one another are, so that results are
 * those of one after the other. Strata's querier takes as many in one request; of any other so few are asked at once that
 * it notices little.
 */
const CONCURRENT_EVALUATION = 127;
const CONCURRENT_QUERIES = 4;

/**
 * V8 collects when the heap has grown by so much over what lives in it. Nearly all that a pass of rules gives is garbage by its
 * end, and waits for several passes to be collected: with this and a young generation that stays small the ruler of a
 * thousand rules takes 155 instead of 263 MB, for a tenth more of its CPU time.
 */
const HEAP_GROWTH_PERCENT = 40;

async function setup(flags: Flags, given: ReadonlySet<string>, runtime: Runtime): Promise<Work> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  holdYoungGeneration();
  const {log, registry, probes, grpc} = runtime;
  const fault = checkQueryTemplate(flags["alert.query-template"]);
  if (fault !== undefined) throw new StrataError("bad_data", fault);
  const externalLabels = Labels.fromPairs(flags.label.map((l) => [l.name, l.value] as const));
  const metrics = ruleMetrics(registry);
  const queryConfig = await readQueryConfig(flags);
  const userAgent = "thanos-rule";
  const httpQueriers = await ServerSet.start({
    groups: queryConfig.http,
    metricPrefix: "thanos_rule_query_apis",
    dnsIntervalMs: flags["query.sd-dns-interval"],
    userAgent,
    client: "query",
    registry,
    logger: log,
    onDuplicates: (count) => metrics.duplicates.inc(count),
  });
  const grpcQueriers = await GrpcQueriers.start({
    addresses: queryConfig.grpc,
    dnsIntervalMs: flags["query.sd-dns-interval"],
    tls: clientTls(flags),
    registry,
    logger: log,
  });
  const queriers = new Queriers({
    http: httpQueriers,
    grpc: () => grpcQueriers.clients,
    method: flags["query.http-method"],
    onlyPrometheusParams: flags["query.only-prometheus-params"],
    defaultStepMs: flags["query.default-step"],
    concurrency: given.has("rule-concurrent-evaluation") ? undefined : CONCURRENT_QUERIES,
    logger: log,
    onWarnings: (strategy) => metrics.withWarnings.with({strategy}).inc(),
  });
  const alertmanagers = await readAlertmanagers(flags);
  if (alertmanagers.length === 0) log.warn("no Alertmanager is configured, alerts will be dropped");
  const alertServers = await ServerSet.start({
    groups: alertmanagers,
    metricPrefix: "thanos_rule_alertmanagers",
    dnsIntervalMs: flags["alertmanagers.sd-dns-interval"],
    userAgent: `Thanos/${runtime.build.version}`,
    client: "alertmanager",
    registry,
    logger: log,
  });
  const sender = new AlertSender({servers: alertServers, groups: alertmanagers.length, registry, logger: log});
  const results = await openResults(flags, runtime, queriers, externalLabels);
  const ruler = new Ruler({
    ruleFiles: flags["rule-file"],
    externalLabels,
    query: (query, signal) => queriers.query(query, signal),
    storage: results.storage,
    forState: results.forState,
    send: (alerts) => sender.push(alerts),
    alerts: {
      dropLabels: flags["alert.label-drop"],
      relabel: await flags["alert.relabel-config"].parse((text) => relabelConfigs(parse(text))),
      queryUrl: flags["alert.query-url"] || `http://${hostname()}:${new URL(runtime.http.url).port}`,
      queryTemplate: flags["alert.query-template"],
    },
    parse: parseOptions(flags),
    evalIntervalMs: flags["eval-interval"],
    queryOffsetMs: flags["rule-query-offset"],
    resendDelayMs: flags["resend-delay"],
    outageToleranceMs: flags["for-outage-tolerance"],
    graceMs: flags["for-grace-period"],
    concurrentEvaluation: given.has("rule-concurrent-evaluation")
      ? flags["rule-concurrent-evaluation"]
      : CONCURRENT_EVALUATION,
    registry,
    logger: log,
    metrics,
  });
  const {db} = results;
  const apis: ReadApis = {
    rules: ruler.source,
    // Compat: numbers of a database that is nobody's in particular are under "".
    status:
      db === undefined
        ? undefined
        : headStatus(() => [{name: "", labels: externalLabels, numbers: (limit) => headStatistics(db.head, limit)}]),
  };
  if (grpc !== undefined) {
    serveReadApis(grpc, apis);
    const nothing = {componentType: "rule"};
    if (db === undefined) serveInfo(grpc, () => (probes.ready ? {...nothing, ...announce(apis)} : nothing));
    else {
      const store = (): TsdbStore => ({queryable: db, labels: externalLabels, minTime: db.minTime});
      serveStore(grpc, {
        queryable: db,
        info: () => (probes.ready ? tsdbInfo("rule", [store()], announce(apis)) : nothing),
        registry,
        limits: {series: flags["store.limits.request-series"], samples: flags["store.limits.request-samples"]},
      });
    }
  }
  addRoutes(flags, runtime, ruler);
  runtime.onReload(() =>
    ruler.reload().catch((err: unknown) => log.error("cannot reload rules", {err: errorText(err)})),
  );
  return {
    async run(signal) {
      await ruler.start();
      if (!signal.aborted) probes.setReady();
      await Promise.all([ruler.run(signal), sender.run(signal), results.run(signal)]);
      await ruler.close();
    },
    async close() {
      await ruler.close();
      await results.close();
      httpQueriers.close();
      grpcQueriers.close();
      alertServers.close();
    },
  };
}

/** Where results go. */
type Results = {
  readonly storage: RuleStorage;
  readonly forState: ForStateSource;
  /** What the StoreAPI serves, if anything. */
  readonly db: Db | undefined;
  run(signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
};

/** With receivers to send to, a log; else a database, and uploads where there is a bucket. */
async function openResults(
  flags: Flags,
  runtime: Runtime,
  queriers: Queriers,
  externalLabels: Labels,
): Promise<Results> {
  const {log, registry, build} = runtime;
  const compression = flags["tsdb.wal-compression"] ? "snappy" : "none";
  const remote = flags["remote-write.config"];
  if ((await remote.read()).trim() !== "") {
    const storage = RemoteStorage.open({
      dataDir: flags["data-dir"],
      remotes: await remote.parse(parseRemoteWriteConfig),
      externalLabels,
      compression,
      userAgent: `Prometheus/${build.version}`,
      registry,
      logger: log,
    });
    const ignored = flags["restore-ignored-label"];
    return {
      storage,
      forState: (labels, mint, maxt, signal) => queriers.forState(labels, mint, maxt, ignored, signal),
      db: undefined,
      run: (signal) => storage.run(signal),
      close: () => storage.close(),
    };
  }
  const db = await Db.open(flags["data-dir"], {
    externalLabels,
    chunkRange: flags["tsdb.block-duration"],
    retentionMs: flags["tsdb.retention"],
    wal: {compression},
    lockFile: !flags["tsdb.no-lockfile"],
    registry,
  });
  const storage = new DbStorage(db);
  const shipping = await newShipping(flags, runtime, externalLabels);
  return {
    storage,
    forState: (labels, mint, maxt, signal) => storage.forState(labels, mint, maxt, signal),
    db,
    run: (signal) =>
      Promise.all([
        every(MAINTAIN_MS, signal, "cannot maintain the database", log, () => db.maintain()),
        shipping?.run(signal),
      ]),
    async close() {
      await shipping?.close();
      await db.close();
    },
  };
}

/** Where to evaluate. Flags and configuration exclude one another. */
async function readQueryConfig(flags: Flags): Promise<QueryConfig> {
  const http = queryGroupsOfFlags(flags.query, flags["query.sd-files"], flags["query.sd-interval"]);
  const grpc = flags["grpc-query-endpoint"];
  const byFlags = http.length + grpc.length > 0;
  const config = flags["query.config"];
  if (!byFlags && !config.given) throw new StrataError("bad_data", "no query configuration parameter was given");
  if (!config.given) return {http, grpc};
  if (byFlags) {
    throw new StrataError(
      "bad_data",
      "--query/--query.sd-files/--grpc-query-endpoint and --query.config* parameters cannot be defined at the same time",
    );
  }
  return config.parse(parseQueryConfig);
}

async function readAlertmanagers(flags: Flags) {
  const urls = flags["alertmanagers.url"];
  const config = flags["alertmanagers.config"];
  if (urls.length > 0 && config.given) {
    throw new StrataError(
      "bad_data",
      "--alertmanagers.url and --alertmanagers.config* parameters cannot be defined at the same time",
    );
  }
  if (!config.given) return urls.map((url) => alertmanagerOfUrl(url, flags["alertmanagers.send-timeout"]));
  return config.parse(parseAlertmanagersConfig);
}

function parseOptions(flags: Flags): ParseOptions {
  const features = flags["enable-feature"].flatMap((list) => list.split(","));
  return {
    experimentalFunctions: features.includes("promql-experimental-functions"),
    extendedRangeSelectors: features.includes("promql-extended-range-selectors"),
    binopFillModifiers: features.includes("promql-binop-fill-modifiers"),
    xFunctions: flags["query.enable-x-functions"],
  };
}

/** Uploads of finished blocks, where there is a bucket. */
async function newShipping(flags: Flags, {log, registry, tracer}: Runtime, labels: Labels) {
  const objstore = flags["objstore.config"];
  if (!objstore.given) {
    log.info("no supported bucket was configured, uploads will be disabled");
    return undefined;
  }
  const bucket: Bucket = traced(metered(await objstore.parse(bucketFromConfig), registry), tracer);
  const shipper = new Shipper({
    dir: flags["data-dir"],
    bucket,
    labels: () => labels,
    source: "ruler",
    uploadCompacted: flags["shipper.upload-compacted"],
    metaFileName: flags["shipper.meta-file-name"] || SHIPPER_STATE_FILE,
    hashFunc: flags["hash-func"] === "" ? undefined : flags["hash-func"],
    uploadConcurrency: flags["shipper.upload-concurrency"],
    allowOutOfOrderUploads: flags["shipper.allow-out-of-order-uploads"],
    skipCorruptedBlocks: flags["shipper.skip-corrupted-blocks"],
    logger: log,
    registry,
  });
  return {
    run: (signal: AbortSignal) => every(SHIP_MS, signal, "cannot upload blocks", log, () => shipper.sync(signal)),
    close: () => bucket.close(),
  };
}

function addRoutes(flags: Flags, runtime: Runtime, ruler: Ruler): void {
  const prefixes = prefixOptions(flags["web.route-prefix"], flags["web.external-prefix"], flags["web.prefix-header"]);
  const api = runtime.api({prefixes, cors: !flags["web.disable-cors"]});
  const defaults = {replicaLabels: [], partialResponse: false, tenants: DEFAULT_TENANT_CONFIG};
  addRulesRoutes(api, rulesBackend(ruler.source), defaults, "Alerts");
  runtime.router.add({
    methods: ["POST"],
    path: `${prefixes.route}/-/reload`,
    async handle() {
      try {
        await ruler.reload();
        return {status: 200, headers: {}, body: ""};
      } catch (err) {
        return textError(500, errorText(err));
      }
    },
  });
}

/** Does something at once and then again and again until the process ends; what fails is logged. */
async function every(
  intervalMs: number,
  signal: AbortSignal,
  failure: string,
  log: Runtime["log"],
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (err) {
      if (!signal.aborted) log.error(failure, {err});
    }
    await delay(intervalMs, undefined, {signal}).catch(() => undefined);
  }
}
