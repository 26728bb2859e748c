import {address, bool, content, dur, type FlagTable, float, godur, many, oneOf, path, text, uint} from "./spec.ts";

/** Flags of every command. */
export const globalFlags = {
  "log.level": oneOf(["error", "warn", "info", "debug"], {
    default: "info",
    help: "Write log lines of this level and above.",
  }),
  "log.format": oneOf(["logfmt", "json", "journald"], {default: "logfmt", help: "How log lines are written."}),
  "tracing.config": content({help: "Where spans are sent: YAML with `type` (OTLP or JAEGER) and `config`."}),
  "enable-auto-gomemlimit": bool({help: "Accepted for compatibility; Node sizes its heap itself."}),
  "auto-gomemlimit.ratio": float({default: "0.9", help: "Accepted for compatibility; without effect."}),
  "debug.name": text({hidden: true, help: "Put into each log line as `name`."}),
} satisfies FlagTable;

/** The TLS versions in which flags and configuration files name a minimum. */
const TLS_VERSIONS = ["1.0", "1.1", "1.2", "1.3"] as const;
export const tlsVersion = (help: string, deprecated?: string) =>
  oneOf(TLS_VERSIONS, {default: "1.3", help, deprecated});

export const httpFlags = {
  "http-address": address({default: "0.0.0.0:10902", help: "Listen here for HTTP."}),
  "http-grace-period": dur({default: "2m", help: "How long running HTTP requests may take to finish at shutdown."}),
  "http.config": path({experimental: true, help: "File with TLS and basic authentication for the HTTP server."}),
} satisfies FlagTable;

export const grpcServerFlags = {
  "grpc-address": address({
    default: "0.0.0.0:10901",
    help: "Listen here for gRPC. The address must be reachable by queriers.",
  }),
  "grpc-server-tls-cert": path({help: "Certificate of the gRPC server; without it connections are not encrypted."}),
  "grpc-server-tls-key": path({help: "Private key of that certificate."}),
  "grpc-server-tls-client-ca": path({help: "Ask clients for a certificate signed by this CA."}),
  "grpc-server-tls-min-version": tlsVersion("Lowest TLS version the gRPC server accepts."),
  "grpc-server-tls-ciphers": many(text({help: "Cipher suites of TLS 1.2 and below, by their Go names."})),
  "grpc-server-tls-curves": many(text({help: "Elliptic curves: CurveP256, CurveP384, CurveP521, X25519."})),
  "grpc-server-max-connection-age": godur({
    default: "60m",
    help: "Ask clients to connect anew after this time, so that load spreads.",
  }),
  "grpc-grace-period": godur({default: "2m", help: "How long running gRPC calls may take to finish at shutdown."}),
} satisfies FlagTable;

/** Flags of a client that speaks to `peers` over gRPC. `deprecated` says what to use instead. */
export const grpcClientTlsFlags = (peers: string, deprecated?: string) =>
  ({
    "grpc-client-tls-secure": bool({deprecated, help: `Speak TLS to ${peers}.`}),
    "grpc-client-tls-skip-verify": bool({deprecated, help: `Do not check the certificates of ${peers}.`}),
    "grpc-client-tls-cert": path({deprecated, help: `Own certificate to show to ${peers}.`}),
    "grpc-client-tls-key": path({deprecated, help: "Private key of that certificate."}),
    "grpc-client-tls-ca": path({deprecated, help: `CA that signed the certificates of ${peers}.`}),
    "grpc-client-server-name": text({deprecated, help: `Name that the certificates of ${peers} must carry.`}),
    "grpc-client-tls-min-version": tlsVersion(`Lowest TLS version to accept from ${peers}.`, deprecated),
  }) satisfies FlagTable;

const OBJSTORE_HELP = "Object storage: YAML with `type` (FILESYSTEM, S3, GCS), `config` and `prefix`.";

export const objstoreFlags = {
  "objstore.config": content({help: OBJSTORE_HELP}),
} satisfies FlagTable;

export const requiredObjstoreFlags = {
  "objstore.config": content({required: true, help: OBJSTORE_HELP}),
} satisfies FlagTable;

export const selectorFlags = {
  "selector.relabel-config": content({
    help: "Relabelling (keep, drop, hashmod) over the external labels of blocks: which blocks this process is about.",
  }),
} satisfies FlagTable;

export const requestLogFlags = {
  "request.logging-config": content({help: "Which HTTP and gRPC requests are logged, and when."}),
} satisfies FlagTable;

export const storeLimitFlags = {
  "store.limits.request-series": uint({
    default: "0",
    help: "Most series one Series call may return; beyond it the call fails. 0 means no limit.",
  }),
  "store.limits.request-samples": uint({
    default: "0",
    help: "Most samples one Series call may return, counted as 120 a chunk. 0 means no limit.",
  }),
} satisfies FlagTable;

export const corsFlags = {
  "web.disable-cors": bool({help: "Leave out the headers that let pages of other origins call the API."}),
} satisfies FlagTable;

export const hashFlags = {
  "hash-func": oneOf(["", "SHA256"], {
    default: "",
    help: "Hash the files of a block into its meta.json, so that unchanged ones are not copied again.",
  }),
} satisfies FlagTable;

export const shipperRetryFlags = {
  "shipper.allow-out-of-order-uploads": bool({
    hidden: true,
    help: "Go on with the next block when one cannot be uploaded.",
  }),
  "shipper.skip-corrupted-blocks": bool({hidden: true, help: "Go on with the next block when one is damaged."}),
} satisfies FlagTable;

export const shipperFlags = {
  "shipper.ignore-unequal-block-size": bool({
    hidden: true,
    help: "Accept a Prometheus that compacts its blocks locally.",
  }),
  ...shipperRetryFlags,
} satisfies FlagTable;

export const prefixFlags = {
  "web.external-prefix": text({default: "", help: "Path that a proxy puts before links and redirects."}),
  "web.prefix-header": text({
    default: "",
    help: "Request header with that path, for proxies that strip it; used when no external prefix is set.",
  }),
} satisfies FlagTable;

export const routePrefixFlags = {
  "web.route-prefix": text({default: "", help: "Path under which pages and API are served."}),
  ...prefixFlags,
} satisfies FlagTable;

export const BEGIN_OF_TIME = "0000-01-01T00:00:00Z";
export const END_OF_TIME = "9999-12-31T23:59:59Z";
