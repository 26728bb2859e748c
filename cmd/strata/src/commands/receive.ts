import {relabelConfigs} from "@strata/model";
import {bucketFromConfig, metered} from "@strata/objstore";
import {
  addStatisticsRoute,
  Limiter,
  LocalWriter,
  Receiver,
  type StatisticsRouteOptions,
  serveWrites,
  WriteHandler,
  writeMetrics,
} from "@strata/receive";
import {matcherCache, serveInfo, serveReadApis, serveStore} from "@strata/storeapi";
import {Api, type HttpServer, httpMetrics, listen, parseRequestLogConfig, Router} from "@strata/web";
import {parse} from "yaml";
import {receiveFlags} from "../flags/receive.ts";
import {type Runtime, runComponent} from "../runtime.ts";
import {
  checkFlags,
  keepsStartTimes,
  newOtlp,
  newRouting,
  newSink,
  newTenants,
  type ReceiveFlags,
  tenantConfig,
  writeTls,
} from "./receive-parts.ts";
import {defineCommand} from "./tree.ts";

export const receive = defineCommand(receiveFlags, (context) =>
  runComponent({
    component: "receive",
    context,
    tenants: tenantConfig(context.flags),
    async setup(runtime) {
      const {log, registry, probes, grpc, api} = runtime;
      const {flags} = context;
      checkFlags(flags, context.given, log);
      api({cors: true});
      const startTimes = keepsStartTimes(flags, log);
      const objstore = flags["objstore.config"];
      const bucket = objstore.given ? metered(await objstore.parse(bucketFromConfig), registry) : undefined;
      const routing = newRouting(flags, log, registry);
      const {watcher, peers} = routing;
      const limiter = await newLimiter(flags, watcher !== undefined, runtime);
      const tenants = routing.stores
        ? newTenants({flags, bucket, limiter, watcher, startTimes, logger: log, registry})
        : undefined;
      const receiver = new Receiver({
        tenants,
        defaultTenant: flags["receive.default-tenant-id"],
        uploads: bucket !== undefined,
        blockMs: flags["tsdb.max-block-duration"],
        logger: log,
        registry,
      });
      const local = tenants && new LocalWriter(tenants);
      const sink = newSink(flags, routing, local, registry);
      let draining = false;
      const notReady = (): string | undefined => {
        if (draining) return "the receiver is stopping";
        return receiver.isOpen ? undefined : "the databases are being opened";
      };
      const handler = new WriteHandler({
        sink,
        notReady,
        tenants: tenantConfig(flags),
        replicaHeader: flags["receive.replica-header"],
        limiter,
        rewrite: {
          relabel: await flags["receive.relabel-config"].parse((text) => relabelConfigs(parse(text))),
          splitLabel: flags["receive.split-tenant-label-name"],
        },
        startTimes,
        metrics: writeMetrics(registry),
        logger: log,
      });
      if (grpc !== undefined) {
        const info = () => receiver.info(probes.ready);
        if (tenants === undefined) serveInfo(grpc, info);
        else {
          const limits = {
            series: flags["store.limits.request-series"],
            samples: flags["store.limits.request-samples"],
          };
          const makeMatcher = matcherCache(flags["matcher-cache-size"], registry);
          serveStore(grpc, {queryable: receiver.store, info, registry, limits, makeMatcher});
        }
        serveReadApis(grpc, receiver.apis);
        serveWrites(grpc, {
          sink,
          local,
          isIngestor: watcher === undefined,
          defaultTenant: flags["receive.default-tenant-id"],
          notReady,
          startTimes,
          pending: registry.gauge({
            name: "thanos_receive_pending_write_requests",
            help: "Write requests of other receivers that are being worked on.",
          }),
        });
      }
      await watcher?.load();
      const tenantsOpen = () => tenants?.all ?? [];
      const server = await listenForWrites(flags, handler, {tenants: tenantsOpen, notReady}, runtime);
      return {
        async run(signal) {
          const stop = new AbortController();
          const all = AbortSignal.any([signal, stop.signal]);
          const background = [limiter.run(all), watcher?.run(all)];
          try {
            await receiver.run(() => probes.setReady(), signal);
          } finally {
            stop.abort();
            await Promise.all(background);
          }
          draining = true;
          await server.close(flags["http-grace-period"]);
        },
        async close() {
          draining = true;
          await server.close(0);
          await receiver.stop(flags["http-grace-period"]);
          peers?.close();
          watcher?.close();
          await bucket?.close();
        },
      };
    },
  }),
);

async function newLimiter(flags: ReceiveFlags, countHeads: boolean, {log, registry}: Runtime): Promise<Limiter> {
  const content = flags["receive.limits-config"];
  const limiter = new Limiter({
    read: () => content.read(),
    path: content.path,
    settleMs: flags["receive.limits-config-reload-timer"],
    countHeads,
    logger: log,
    registry,
  });
  // Mistakes are told with the flag's name.
  await content.parse(() => limiter.load());
  return limiter;
}

/** The remote-write listener: beside the HTTP server that has probes and metrics. Compat: it has the heads' statistics. */
async function listenForWrites(
  flags: ReceiveFlags,
  handler: WriteHandler,
  heads: Omit<StatisticsRouteOptions, "tenancy">,
  {log, registry, tracer}: Runtime,
): Promise<HttpServer> {
  const router = new Router();
  router.add({methods: ["POST"], path: "/api/v1/receive", name: "receive", handle: (r) => handler.receive(r)});
  const otlp = newOtlp(flags, handler);
  router.add({methods: ["POST"], path: "/api/v1/otlp", name: "otlp", handle: (r) => otlp.export(r)});
  const api = new Api(router, {routePrefix: "", cors: false, preflight: false, log});
  addStatisticsRoute(api, {...heads, tenancy: tenantConfig(flags)});
  const requestLog = await flags["request.logging-config"].parse(parseRequestLogConfig);
  const server = await listen({
    address: flags["remote-write.address"],
    router,
    log,
    metrics: httpMetrics(registry, true),
    tracer,
    requestLog: requestLog.http,
    webConfig: writeTls(flags, log),
    tenants: tenantConfig(flags),
  });
  log.info("listening for remote write", {address: server.url});
  return server;
}
