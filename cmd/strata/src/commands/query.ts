import {StrataError} from "@strata/base";
import {Labels, relabel} from "@strata/model";
import {
  type ClientSettings,
  type EndpointEntry,
  EndpointSource,
  endpointBackend,
  featuresFrom,
  federationOf,
  Querier,
  QueryRunner,
  queryInfo,
  queryService,
  storeStatuses,
  type Tenancy,
} from "@strata/query";
import {EndpointSet, endpointApis, ProxyStore, serveQuery, serveReadApis, serveStore} from "@strata/storeapi";
import {prefixOptions, type TenantConfig} from "@strata/web";
import {clientTls} from "../client-tls.ts";
import {queryFlags} from "../flags/query.ts";
import type {FlagValues} from "../flags/spec.ts";
import {mountQuerier} from "../mount-querier.ts";
import {type Runtime, runComponent, type Work} from "../runtime.ts";
import {selectorRules} from "../selector-rules.ts";
import {defineCommand} from "./tree.ts";

type Flags = FlagValues<typeof queryFlags>;

export const query = defineCommand(queryFlags, (context) => {
  const {flags} = context;
  const tenants = tenantConfig(flags);
  return runComponent({
    component: "query",
    context,
    tenants,
    setup: (runtime) => setup(flags, tenants, runtime),
  });
});

async function setup(flags: Flags, tenants: TenantConfig, runtime: Runtime): Promise<Work> {
  const {log, registry, probes, grpc} = runtime;
  const features = featuresFrom(flags["enable-feature"], log);
  const language = {...features.parse, xFunctions: flags["query.enable-x-functions"]};
  const rules = await selectorRules(flags["selector.relabel-config"]);
  const source = await EndpointSource.start(endpointOptions(flags, runtime));
  const endpoints = new EndpointSet({
    specs: () => source.specs(),
    infoTimeoutMs: flags["endpoint.info-timeout"],
    unhealthyTimeoutMs: flags["store.unhealthy-timeout"],
    lingerMs: Math.max(flags["query.timeout"], flags["endpoint.info-timeout"], flags["store.unhealthy-timeout"]),
    registry,
    logger: log,
    connectionLabels: flags["query.conn-metric.label"],
  });
  const selectorLabels = Labels.fromPairs(flags["selector-label"].map((l) => [l.name, l.value] as const));
  const proxy = new ProxyStore({
    stores: () => endpoints.stores(),
    selectorLabels,
    selector: rules.length === 0 ? undefined : (labels) => relabel(labels, rules) !== undefined,
    responseTimeoutMs: flags["store.response-timeout"],
    registry,
  });
  const apis = endpointApis({
    endpoints: (api) => endpoints.endpoints(api),
    selectorLabels,
    timeoutMs: flags["store.response-timeout"],
  });
  const tenancy: Tenancy | undefined = flags["query.enforce-tenancy"]
    ? {
        label: flags["query.tenant-label-name"],
        // A certificate names one tenant, whatever its name.
        federation: flags["query.tenant-federation"] && tenants.certificateField === "",
      }
    : undefined;
  const activePath = flags["query.active-query-path"];
  const runner = QueryRunner.open({
    maxConcurrent: flags["query.max-concurrent"],
    registry,
    logger: log,
    logSlowMs: flags["query.log-queries-longer-than"],
    logLargeBytes: flags["query.log-queries-larger-than"],
    activePath: activePath === "" ? undefined : activePath,
  });
  const querier = new Querier(proxy, runner, () => storeStatuses(endpoints), {
    timeoutMs: flags["query.timeout"],
    lookbackMs: flags["query.lookback-delta"],
    dynamicLookback: flags["query.dynamic-lookback-delta"],
    subqueryStepMs: flags["query.default-evaluation-interval"],
    dedupFunc: flags["deduplication.func"],
    parse: language,
    features: features.engine,
    perStepStats: features.perStepStats,
    maxQueryBytes: flags["query.max-memory"],
    tenancy,
    federation:
      flags["query.mode"] === "distributed" ? () => federationOf(endpoints, flags["query.partition-label"]) : undefined,
    maxSamples: flags["query.max-samples"],
  });
  mountQuerier(runtime, querier, endpointBackend(apis, tenancy), {
    prefixes: prefixOptions(flags["web.route-prefix"], flags["web.external-prefix"], flags["web.prefix-header"]),
    cors: !flags["web.disable-cors"],
    defaults: {
      replicaLabels: flags["query.replica-label"],
      partialResponse: flags["query.partial-response"],
      engine: flags["query.promql-engine"],
      autoDownsampling: flags["query.auto-downsampling"],
      instantResolution: flags["query.instant.default.max_source_resolution"],
      step: flags["query.default-step"],
      metadataRange: flags["query.metadata.default-time-range"],
      lookbackDelta: undefined,
      tenants,
      language,
      now: Date.now,
    },
    endpointDefaults: {
      partialResponse: {
        rules: flags["rule.partial-response"],
        targets: flags["target.partial-response"],
        metadata: flags["metric-metadata.partial-response"],
        exemplars: flags["exemplar.partial-response"],
        status: flags["status.partial-response"],
      },
    },
  });
  if (grpc !== undefined) {
    serveReadApis(grpc, apis);
    serveQuery(
      grpc,
      queryService(querier, {
        replicaLabels: flags["query.replica-label"],
        engine: flags["query.promql-engine"],
        maxResolution: flags["query.instant.default.max_source_resolution"],
        now: Date.now,
      }),
    );
    serveStore(grpc, {
      queryable: proxy,
      info: () => queryInfo(proxy, apis, probes.ready),
      registry,
      limits: {series: flags["store.limits.request-series"], samples: flags["store.limits.request-samples"]},
    });
  }
  return {
    async run(signal) {
      runner.warmUp();
      await endpoints.start();
      if (!signal.aborted) probes.setReady();
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), {once: true});
      });
    },
    async close() {
      await runner.close();
      await endpoints.close();
      source.close();
    },
  };
}

const tenantConfig = (flags: Flags): TenantConfig => ({
  header: flags["query.tenant-header"],
  defaultTenant: flags["query.default-tenant-id"],
  certificateField: flags["query.tenant-certificate-field"],
  federation: flags["query.tenant-federation"],
});

function endpointOptions(flags: Flags, {log, registry}: Runtime) {
  const client = clientSettings(flags);
  const entries = (addresses: readonly string[], strict: boolean, group: boolean): EndpointEntry[] =>
    addresses.map((address) => ({address, strict, group, client}));
  const dynamic = flags["endpoint-strict"].find((address) => /^dns(srv|srvnoa)?\+/.test(address));
  if (dynamic !== undefined) {
    throw new StrataError("bad_data", `--endpoint-strict=${dynamic} is a dynamic address and cannot be strict`);
  }
  const config = flags["endpoint.sd-config"];
  return {
    entries: [
      ...entries(flags["endpoint-strict"], true, false),
      ...entries(flags.endpoint, false, false),
      ...entries(flags["endpoint-group-strict"], true, true),
      ...entries(flags["endpoint-group"], false, true),
    ],
    config: config.given
      ? {
          read: () => config.read(),
          reloadMs: config.path === undefined ? undefined : flags["endpoint.sd-config-reload-interval"],
        }
      : undefined,
    files: {patterns: flags["store.sd-files"], intervalMs: flags["store.sd-interval"]},
    dnsIntervalMs: flags["store.sd-dns-interval"],
    client,
    logger: log,
    registry,
  };
}

const clientSettings = (flags: Flags): ClientSettings => ({
  tls: clientTls(flags),
  compression: flags["grpc-compression"],
});
