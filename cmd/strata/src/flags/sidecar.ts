import {
  BEGIN_OF_TIME,
  grpcServerFlags,
  hashFlags,
  httpFlags,
  objstoreFlags,
  requestLogFlags,
  shipperFlags,
  storeLimitFlags,
} from "./shared.ts";
import {bool, content, type FlagTable, godur, many, oneOf, path, text, time, uint, url} from "./spec.ts";

export const sidecarFlags = {
  ...httpFlags,
  ...grpcServerFlags,
  "prometheus.url": url({default: "http://localhost:9090", help: "The Prometheus this sidecar stands beside."}),
  "prometheus.ready_timeout": godur({default: "10m", help: "How long to wait for Prometheus to become ready."}),
  "prometheus.get_config_interval": godur({default: "30s", help: "How often its external labels are read."}),
  "prometheus.get_config_timeout": godur({default: "30s", help: "How long reading them may take."}),
  "prometheus.http-client": content({
    expandEnv: false,
    fileFlag: "prometheus.http-client-file",
    help: "HTTP client for Prometheus: authentication, TLS, proxy, connections.",
  }),
  "tsdb.path": path({default: "./data", help: "Data directory of Prometheus, from which blocks are uploaded."}),
  "reloader.config-file": path({default: "", help: "Configuration file to watch."}),
  "reloader.config-envsubst-file": path({default: "", help: "Where to write it with $(NAME) put in."}),
  "reloader.rule-dir": many(path({help: "Directory of rules to watch, without its subdirectories."})),
  "reloader.watch-interval": godur({default: "3m", help: "How often files are looked at again; 0 looks once."}),
  "reloader.retry-interval": godur({default: "5s", help: "Pause before a failed reload is tried again."}),
  "reloader.method": oneOf(["http", "signal"], {default: "http", help: "How Prometheus is told to reload."}),
  "reloader.process-name": text({default: "prometheus", help: "Process to signal, for the method `signal`."}),
  ...requestLogFlags,
  ...objstoreFlags,
  "shipper.upload-compacted": bool({help: "Upload blocks that Prometheus has compacted, too (for migration)."}),
  "shipper.meta-file-name": text({
    default: "thanos.shipper.json",
    help: "Name of the file that notes what is uploaded.",
  }),
  "shipper.upload-concurrency": uint({
    default: "0",
    help: "Files of a block uploaded at once; 0 is one after another.",
  }),
  ...shipperFlags,
  ...hashFlags,
  "min-time": time({default: BEGIN_OF_TIME, help: "Serve only samples from this time on."}),
  ...storeLimitFlags,
} satisfies FlagTable;
