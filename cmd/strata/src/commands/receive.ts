import {StrataError} from "@strata/base";
import {Shipper} from "@strata/block";
import {Labels, relabelConfigs} from "@strata/model";
import {type Bucket, bucketFromConfig, metered} from "@strata/objstore";
import {
  IngestorSink,
  LocalWriter,
  NO_LIMITER,
  NO_SERIES_LIMITS,
  Receiver,
  serveWrites,
  Tenants,
  WriteHandler,
  writeMetrics,
} from "@strata/receive";
import {serveStore} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {type HttpServer, httpMetrics, listen, parseRequestLogConfig, Router, tlsListener} from "@strata/web";
import {parse} from "yaml";
import {receiveFlags} from "../flags/receive.ts";
import type {FlagValues} from "../flags/spec.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

type Flags = FlagValues<typeof receiveFlags>;

/** Start times are kept only with it: they make chunks that Go's stores refuse. */
const START_TIMES = "st-storage";

export const receive = defineCommand(receiveFlags, (context) =>
  runComponent({
    component: "receive",
    context,
    tenants: tenantConfig(context.flags),
    async setup({log, registry, probes, grpc, tracer, api}) {
      const {flags} = context;
      if (flags["receive.replication-protocol"] === "capnproto") {
        throw new StrataError("bad_data", "--receive.replication-protocol=capnproto is not supported; use protobuf");
      }
      if (context.given.has("receive.capnproto-address")) {
        log.warn("--receive.capnproto-address has no effect: receivers speak protobuf to one another");
      }
      if (flags.label.length === 0) {
        throw new StrataError(
          "bad_data",
          "no external labels configured for receive, uniquely identifying external labels must be configured (ideally with `receive_` prefix); see --label",
        );
      }
      api({routePrefix: "", cors: true});
      const bucket = flags["objstore.config"].given
        ? metered(await flags["objstore.config"].parse(bucketFromConfig), registry)
        : undefined;
      const startTimes = flags["enable-feature"].flatMap((f) => f.split(",")).includes(START_TIMES);
      const tenants = newTenants(flags, bucket, startTimes, log, registry);
      const receiver = new Receiver({
        tenants,
        defaultTenant: flags["receive.default-tenant-id"],
        uploads: bucket !== undefined,
        blockMs: flags["tsdb.max-block-duration"],
        logger: log,
        registry,
      });
      const local = new LocalWriter(tenants);
      const sink = new IngestorSink(local, flags["receive.local-endpoint"]);
      const notReady = (): string | undefined => (receiver.isOpen ? undefined : "the databases are being opened");
      const handler = new WriteHandler({
        sink,
        notReady,
        tenants: tenantConfig(flags),
        replicaHeader: flags["receive.replica-header"],
        limiter: NO_LIMITER,
        rewrite: {
          relabel: await flags["receive.relabel-config"].parse((text) => relabelConfigs(parse(text))),
          splitLabel: flags["receive.split-tenant-label-name"],
        },
        startTimes,
        metrics: writeMetrics(registry),
        logger: log,
      });
      if (grpc !== undefined) {
        serveStore(grpc, {
          queryable: receiver.store,
          info: () => receiver.info(probes.ready),
          registry,
          limits: {series: flags["store.limits.request-series"], samples: flags["store.limits.request-samples"]},
        });
        serveWrites(grpc, {
          sink,
          local,
          defaultTenant: flags["receive.default-tenant-id"],
          notReady,
          startTimes,
          pending: registry.gauge({
            name: "thanos_receive_pending_write_requests",
            help: "Write requests of other receivers that are being worked on.",
          }),
        });
      }
      const router = new Router();
      router.add({
        methods: ["POST"],
        path: "/api/v1/receive",
        name: "receive",
        handle: (request) => handler.receive(request),
      });
      const requestLog = await flags["request.logging-config"].parse(parseRequestLogConfig);
      const server: HttpServer = await listen({
        address: flags["remote-write.address"],
        router,
        log,
        metrics: httpMetrics(registry, true),
        tracer,
        requestLog: requestLog.http,
        webConfig: serverTls(flags, log),
        tenants: tenantConfig(flags),
      });
      log.info("listening for remote write", {address: server.url});
      return {
        async run(signal) {
          await receiver.run(() => probes.setReady(), signal);
          await server.close(flags["http-grace-period"]);
        },
        async close() {
          await server.close(0);
          await receiver.stop(flags["http-grace-period"]);
          await bucket?.close();
        },
      };
    },
  }),
);

function tenantConfig(flags: Flags) {
  return {
    header: flags["receive.tenant-header"],
    defaultTenant: flags["receive.default-tenant-id"],
    certificateField: flags["receive.tenant-certificate-field"],
  };
}

function serverTls(flags: Flags, log: Logger) {
  const [cert, key, clientCa] = [
    flags["remote-write.server-tls-cert"],
    flags["remote-write.server-tls-key"],
    flags["remote-write.server-tls-client-ca"],
  ];
  if (cert === "" && key === "") {
    if (clientCa === "") return undefined;
    throw new StrataError(
      "bad_data",
      "--remote-write.server-tls-client-ca needs --remote-write.server-tls-cert and --remote-write.server-tls-key",
    );
  }
  return tlsListener(
    {
      cert,
      key,
      clientCa,
      minVersion: flags["remote-write.server-tls-min-version"],
      ciphers: flags["remote-write.server-tls-ciphers"],
      curves: flags["remote-write.server-tls-curves"],
    },
    log,
  );
}

function newTenants(
  flags: Flags,
  bucket: Bucket | undefined,
  startTimes: boolean,
  logger: Logger,
  registry: Registry,
): Tenants {
  const capMax = flags["tsdb.out-of-order.cap-max"];
  return new Tenants({
    dir: flags["tsdb.path"],
    labels: Labels.fromPairs(flags.label.map(({name, value}) => [name, value])),
    tenantLabel: flags["receive.tenant-label-name"],
    db: {
      chunkRange: flags["tsdb.max-block-duration"],
      retentionMs: flags["tsdb.retention"],
      retentionBytes: flags["tsdb.max-retention-bytes"],
      outOfOrderWindow: flags["tsdb.out-of-order.time-window"],
      outOfOrderCap: capMax > 0 ? capMax : undefined,
      maxExemplars: Math.max(0, flags["tsdb.max-exemplars"]),
      wal: {compression: flags["tsdb.wal-compression"] ? "snappy" : "none"},
      lockFile: !flags["tsdb.no-lockfile"],
      snapshotOnClose: flags["tsdb.memory-snapshot-on-shutdown"],
    },
    registry,
    limits: () => NO_SERIES_LIMITS,
    tooFarInFutureMs: flags["tsdb.too-far-in-future.time-window"],
    startTimes,
    retentionMs: flags["tsdb.retention"],
    shipper:
      bucket &&
      ((dir, tenant, labels) =>
        new Shipper({
          dir,
          bucket,
          labels: () => labels,
          source: "receive",
          uploadCompacted: false,
          hashFunc: flags["hash-func"] === "" ? undefined : flags["hash-func"],
          uploadConcurrency: flags["shipper.upload-concurrency"],
          allowOutOfOrderUploads: flags["shipper.allow-out-of-order-uploads"],
          skipCorruptedBlocks: flags["shipper.skip-corrupted-blocks"],
          logger: logger.with({tenant}),
          registry,
        })),
    logger,
  });
}
