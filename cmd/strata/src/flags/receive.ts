import {
  grpcServerFlags,
  hashFlags,
  httpFlags,
  objstoreFlags,
  requestLogFlags,
  shipperRetryFlags,
  storeLimitFlags,
  tlsVersion,
} from "./shared.ts";
import {
  address,
  bool,
  bytes,
  content,
  dur,
  type FlagTable,
  godur,
  int,
  label,
  many,
  oneOf,
  path,
  text,
  uint,
} from "./spec.ts";

const writeFlags = {
  "remote-write.address": address({default: "0.0.0.0:19291", help: "Listen here for remote write."}),
  "remote-write.server-tls-cert": path({default: "", help: "Certificate of that server."}),
  "remote-write.server-tls-key": path({default: "", help: "Private key of that certificate."}),
  "remote-write.server-tls-client-ca": path({default: "", help: "Ask clients for a certificate signed by this CA."}),
  "remote-write.server-tls-min-version": tlsVersion("Lowest TLS version that server accepts."),
  "remote-write.server-tls-ciphers": many(text({help: "Cipher suites of TLS 1.2 and below, by their Go names."})),
  "remote-write.server-tls-curves": many(text({help: "Elliptic curves: CurveP256, CurveP384, CurveP521, X25519."})),
  "remote-write.client-tls-cert": path({default: "", help: "Own certificate to show to other receivers."}),
  "remote-write.client-tls-key": path({default: "", help: "Private key of that certificate."}),
  "remote-write.client-tls-ca": path({default: "", help: "CA that signed the other receivers' certificates."}),
  "remote-write.client-tls-secure": bool({help: "Speak TLS to other receivers."}),
  "remote-write.client-tls-skip-verify": bool({help: "Do not check their certificates."}),
  "remote-write.client-server-name": text({default: "", help: "Name that their certificates must carry."}),
  "remote-write.client-tls-min-version": tlsVersion("Lowest TLS version to accept from them."),
} satisfies FlagTable;

const tsdbFlags = {
  "tsdb.path": path({default: "./data", help: "Directory of the tenants' databases."}),
  "tsdb.retention": dur({default: "15d", help: "How long blocks and idle tenants stay here; 0d is for ever."}),
  "tsdb.min-block-duration": dur({default: "2h", hidden: true, help: "Shortest block."}),
  "tsdb.max-block-duration": dur({default: "2h", hidden: true, help: "Longest block."}),
  "tsdb.too-far-in-future.time-window": dur({
    default: "0s",
    help: "Refuse samples further ahead than this; 0s refuses none.",
  }),
  "tsdb.out-of-order.time-window": dur({
    default: "0s",
    experimental: true,
    help: "Accept samples that are this much older than the newest of their series.",
  }),
  "tsdb.out-of-order.cap-max": int({
    default: "0",
    experimental: true,
    help: "Samples of an out-of-order chunk; 0 is 32.",
  }),
  "tsdb.allow-overlapping-blocks": bool({deprecated: "overlap is always allowed", help: "Accepted for compatibility."}),
  "tsdb.max-retention-bytes": bytes({default: "0", help: "Most bytes of blocks for each tenant; 0 is no limit."}),
  "tsdb.wal-compression": bool({default: "true", help: "Compress the write-ahead log."}),
  "tsdb.no-lockfile": bool({help: "Do not write a lock file into the data directory."}),
  "tsdb.head.expanded-postings-cache-size": uint({
    default: "0",
    experimental: true,
    help: "Bytes for cached postings of the head; 0 is no cache.",
  }),
  "tsdb.block.expanded-postings-cache-size": uint({
    default: "0",
    experimental: true,
    help: "Bytes for cached postings of blocks; 0 is no cache.",
  }),
  "tsdb.max-exemplars": int({default: "0", help: "Exemplars kept for each tenant; 0 keeps none."}),
  "tsdb.write-queue-size": int({default: "0", hidden: true, help: "Accepted for compatibility; without effect."}),
  "tsdb.memory-snapshot-on-shutdown": bool({
    hidden: true,
    help: "Write the head to disk at shutdown for a quick start.",
  }),
  "tsdb.enable-native-histograms": bool({
    default: "true",
    deprecated: "native histograms are always on",
    help: "Accepted for compatibility; always on.",
  }),
} satisfies FlagTable;

const ringFlags = {
  "receive.hashrings-file": path({help: "JSON file with the hashrings; watched."}),
  "receive.hashrings": text({help: "The hashrings as JSON, where no file is given."}),
  "receive.hashrings-algorithm": oneOf(["hashmod", "ketama"], {
    default: "hashmod",
    help: "How a ring that names no algorithm spreads series.",
  }),
  "receive.hashrings-file-refresh-interval": dur({
    default: "5m",
    help: "How often the file is read without being told.",
  }),
  "receive.local-endpoint": address({default: "", help: "Own address as the hashrings name it."}),
  "receive.replica-header": text({default: "THANOS-REPLICA", help: "Request header with the number of the replica."}),
  "receive.forward.async-workers": uint({default: "5", help: "Calls to one peer at once."}),
  "receive.grpc-compression": oneOf(["snappy", "none"], {default: "snappy", help: "Compression of calls to peers."}),
  "receive.replication-factor": uint({default: "1", help: "Copies of each series."}),
  "receive.replication-protocol": oneOf(["protobuf", "capnproto"], {
    default: "protobuf",
    help: "How peers are spoken to.",
  }),
  "receive.capnproto-address": address({default: "0.0.0.0:19391", help: "Listen here for Cap'n Proto."}),
  "receive.grpc-service-config": text({default: "", help: "gRPC service configuration for peers, as JSON."}),
  "receive-forward-timeout": dur({default: "5s", hidden: true, help: "How long a call to a peer may take."}),
  "receive-forward-max-backoff": dur({
    default: "5s",
    hidden: true,
    help: "Longest pause before a peer is tried again.",
  }),
  "receive.artificial-max-delay": dur({default: "0s", hidden: true, help: "Random delay, for tests."}),
} satisfies FlagTable;

const tenantFlags = {
  "receive.tenant-header": text({default: "THANOS-TENANT", help: "Request header that names the tenant."}),
  "receive.tenant-certificate-field": oneOf(["", "organization", "organizationalUnit", "commonName"], {
    default: "",
    help: "Take the tenant from this field of the client's certificate.",
  }),
  "receive.default-tenant-id": text({default: "default-tenant", help: "Tenant of requests that name none."}),
  "receive.split-tenant-label-name": text({default: "", help: "Label of a series that names its tenant."}),
  "receive.tenant-label-name": text({default: "tenant_id", help: "External label that names the tenant."}),
} satisfies FlagTable;

/** Translation of OTLP as Prometheus does it; any of them switches from Thanos' way to that of Prometheus. */
const otlpFlags = {
  "receive.otlp-translation-strategy": oneOf(
    [
      "",
      "UnderscoreEscapingWithSuffixes",
      "UnderscoreEscapingWithoutSuffixes",
      "NoUTF8EscapingWithSuffixes",
      "NoTranslation",
    ],
    {default: "", help: "How OTLP names become names of Prometheus; empty is Thanos' way."},
  ),
  "receive.otlp-delta-to-cumulative": bool({help: "Add up OTLP deltas instead of refusing them."}),
  "receive.otlp-convert-histograms-to-nhcb": bool({
    help: "Store OTLP histograms as native ones with their own bounds.",
  }),
  "receive.otlp-keep-identifying-attributes": bool({
    help: "Keep service.name, service.namespace and service.instance.id in target_info.",
  }),
  "receive.otlp-scope-metadata": bool({help: "Make name, version and attributes of OTLP scopes labels."}),
} satisfies FlagTable;

export const receiveFlags = {
  ...httpFlags,
  ...grpcServerFlags,
  ...writeFlags,
  label: many(label({help: "External label of every tenant; at least one is needed."})),
  ...tsdbFlags,
  ...ringFlags,
  ...tenantFlags,
  "receive.relabel-config": content({help: "Relabelling of what is written."}),
  "receive.limits-config": content({hidden: true, help: "Limits of requests and series."}),
  "receive.limits-config-reload-timer": godur({
    default: "1s",
    hidden: true,
    help: "Pause between a change of that file and its use.",
  }),
  "receive.otlp-enable-target-info": bool({default: "true", help: "Write target_info for OTLP resources."}),
  "receive.otlp-promote-resource-attributes": many(text({help: "Resource attribute that becomes a label."})),
  ...otlpFlags,
  "receive.lazy-retrieval-max-buffered-responses": int({default: "20", help: "Frames buffered for each tenant."}),
  ...objstoreFlags,
  ...shipperRetryFlags,
  "shipper.upload-concurrency": uint({
    default: "0",
    help: "Files of a block uploaded at once; 0 is one after another.",
  }),
  ...hashFlags,
  "matcher-cache-size": int({default: "0", help: "Regular expressions of requests to keep compiled; 0 keeps none."}),
  "enable-feature": many(text({help: "Features to switch on: metric-names-filter."})),
  ...requestLogFlags,
  ...storeLimitFlags,
} satisfies FlagTable;
