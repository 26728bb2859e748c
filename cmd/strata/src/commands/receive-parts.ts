import {StrataError} from "@strata/base";
import {Shipper} from "@strata/block";
import {Labels} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import {
  IngestorSink,
  type Limiter,
  type LocalWriter,
  OtlpHandler,
  Peers,
  RingWatcher,
  RouterSink,
  Tenants,
  type WriteHandler,
  type WriteSink,
} from "@strata/receive";
import {checkServiceConfig} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {type TenantConfig, tlsListener, type WebConfig} from "@strata/web";
import type {receiveFlags} from "../flags/receive.ts";
import type {FlagValues} from "../flags/spec.ts";

export type ReceiveFlags = FlagValues<typeof receiveFlags>;

/** Start times are kept only with it: they make chunks that Go's stores refuse. */
const START_TIMES = "st-storage";
/** Asks a receiver to tell queriers of the names of its metrics. */
const NAMES_FILTER = "metric-names-filter";

/** Accepted for the sake of the originals' command lines, and why they change nothing here. */
const WITHOUT_EFFECT: readonly (readonly [keyof ReceiveFlags, string])[] = [
  ["receive.capnproto-address", "receivers speak protobuf to one another"],
  ["receive.lazy-retrieval-max-buffered-responses", "the tenants' series are merged in this process, unbuffered"],
  ["tsdb.head.expanded-postings-cache-size", "postings of the head are lists in memory, nothing is expanded"],
  ["tsdb.block.expanded-postings-cache-size", "postings of blocks are read from the page cache"],
  ["tsdb.write-queue-size", "chunks are written when they are full, there is no queue"],
];

/** Whether start times are kept. Features that do nothing are logged. */
export function keepsStartTimes(flags: ReceiveFlags, log: Logger): boolean {
  const features = flags["enable-feature"].flatMap((value) => value.split(",")).filter((name) => name !== "");
  for (const name of features) {
    if (name === NAMES_FILTER) log.warn(`--enable-feature=${NAMES_FILTER} has no effect: queriers ask every receiver`);
    else if (name !== START_TIMES) log.warn("unknown feature, ignored", {feature: name});
  }
  return features.includes(START_TIMES);
}

/** Refuses what is not there, and what makes no sense. */
export function checkFlags(flags: ReceiveFlags, given: ReadonlySet<string>, log: Logger): void {
  if (flags["receive.replication-protocol"] === "capnproto") {
    throw new StrataError(
      "bad_data",
      "--receive.replication-protocol=capnproto is not supported: use protobuf, which every receiver speaks",
    );
  }
  for (const [flag, why] of WITHOUT_EFFECT) if (given.has(flag)) log.warn(`--${flag} has no effect: ${why}`);
  checkServiceConfig(flags["receive.grpc-service-config"]);
  if (flags.label.length === 0) {
    throw new StrataError(
      "bad_data",
      "no external labels configured for receive: give it at least one --label of its own, such as --label='receive_replica=\"0\"'",
    );
  }
}

export const tenantConfig = (flags: ReceiveFlags): TenantConfig => ({
  header: flags["receive.tenant-header"],
  defaultTenant: flags["receive.default-tenant-id"],
  certificateField: flags["receive.tenant-certificate-field"],
});

/** TLS of the remote-write listener; undefined for none. */
export function writeTls(flags: ReceiveFlags, log: Logger): WebConfig | undefined {
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
  const minVersion = flags["remote-write.server-tls-min-version"];
  const ciphers = flags["remote-write.server-tls-ciphers"];
  return tlsListener({cert, key, clientCa, minVersion, ciphers, curves: flags["remote-write.server-tls-curves"]}, log);
}

export type Routing = {
  /** Left out when everything is written here. */
  readonly watcher: RingWatcher | undefined;
  readonly peers: Peers | undefined;
  /** Whether series are stored here, too. */
  readonly stores: boolean;
};

/** By hashrings, if any: `--receive.local-endpoint` then says whether this receiver is in them. */
export function newRouting(flags: ReceiveFlags, log: Logger, registry: Registry): Routing {
  const path = flags["receive.hashrings-file"];
  const text = flags["receive.hashrings"];
  const hasFile = path !== undefined && path !== "";
  if (!hasFile && (text === undefined || text === "")) return {watcher: undefined, peers: undefined, stores: true};
  const peers = new Peers({
    tls: peerTls(flags),
    compression: flags["receive.grpc-compression"],
    serviceConfig: flags["receive.grpc-service-config"],
    workers: flags["receive.forward.async-workers"],
    timeoutMs: flags["receive-forward-timeout"],
    maxBackoffMs: flags["receive-forward-max-backoff"],
    artificialDelayMs: flags["receive.artificial-max-delay"],
    registry,
  });
  const watcher = new RingWatcher({
    source: hasFile ? {path} : {text: text ?? ""},
    algorithm: flags["receive.hashrings-algorithm"],
    replication: flags["receive.replication-factor"],
    refreshMs: flags["receive.hashrings-file-refresh-interval"],
    onChange: (rings) => peers.keep(rings.nodes),
    logger: log,
    registry,
  });
  return {watcher, peers, stores: flags["receive.local-endpoint"] !== ""};
}

function peerTls(flags: ReceiveFlags) {
  if (!flags["remote-write.client-tls-secure"]) return undefined;
  return {
    ca: flags["remote-write.client-tls-ca"],
    cert: flags["remote-write.client-tls-cert"],
    key: flags["remote-write.client-tls-key"],
    serverName: flags["remote-write.client-server-name"],
    skipVerify: flags["remote-write.client-tls-skip-verify"],
    minVersion: flags["remote-write.client-tls-min-version"],
  };
}

/** Where parsed requests go. */
export function newSink(
  flags: ReceiveFlags,
  routing: Routing,
  local: LocalWriter | undefined,
  registry: Registry,
): WriteSink {
  const {watcher, peers} = routing;
  const localEndpoint = flags["receive.local-endpoint"];
  if (watcher === undefined || peers === undefined) return new IngestorSink(local as LocalWriter, localEndpoint);
  return new RouterSink({
    rings: () => watcher.rings,
    peers,
    local,
    localEndpoint,
    replication: flags["receive.replication-factor"],
    timeoutMs: flags["receive-forward-timeout"],
    registry,
  });
}

/** The OTLP endpoint. */
export function newOtlp(flags: ReceiveFlags, writes: WriteHandler): OtlpHandler {
  const strategy = flags["receive.otlp-translation-strategy"];
  const deltaToCumulative = flags["receive.otlp-delta-to-cumulative"];
  const nhcb = flags["receive.otlp-convert-histograms-to-nhcb"];
  const keepIdentifying = flags["receive.otlp-keep-identifying-attributes"];
  const scopeMetadata = flags["receive.otlp-scope-metadata"];
  return new OtlpHandler({
    settings: {
      naming: {
        utf8: strategy === "NoUTF8EscapingWithSuffixes" || strategy === "NoTranslation",
        suffixes: strategy !== "UnderscoreEscapingWithoutSuffixes" && strategy !== "NoTranslation",
      },
      prometheus: strategy !== "" || deltaToCumulative || nhcb || keepIdentifying || scopeMetadata,
      targetInfo: flags["receive.otlp-enable-target-info"],
      promote: flags["receive.otlp-promote-resource-attributes"],
      keepIdentifying,
      nhcb,
      scopeMetadata,
    },
    deltaToCumulative,
    writes,
  });
}

export type TenantParts = {
  readonly flags: ReceiveFlags;
  readonly bucket: Bucket | undefined;
  readonly limiter: Limiter;
  readonly watcher: RingWatcher | undefined;
  readonly startTimes: boolean;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** The databases. */
export function newTenants({flags, bucket, limiter, watcher, startTimes, logger, registry}: TenantParts): Tenants {
  const capMax = flags["tsdb.out-of-order.cap-max"];
  return new Tenants({
    dir: flags["tsdb.path"],
    labels: Labels.fromPairs(flags.label.map(({name, value}) => [name, value])),
    tenantLabel: flags["receive.tenant-label-name"],
    ringLabels: (tenant) => watcher?.rings?.labelsOf(tenant) ?? Labels.EMPTY,
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
    limits: (tenant) => limiter.series(tenant),
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
          registry: registry.sub({tenant}),
        })),
    logger,
  });
}
