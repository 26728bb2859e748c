import {objstoreFlags} from "./shared.ts";
import {address, bool, dur, type FlagTable, many, path, url} from "./spec.ts";

export const standaloneFlags = {
  "data-dir": path({default: "./data", help: "Where everything is kept: bucket, databases, caches."}),
  "http-address": address({default: "127.0.0.1:10902", help: "Listen here for the page and the query API."}),
  "remote-write.address": address({default: "127.0.0.1:19291", help: "Listen here for remote write and OTLP."}),
  "http-grace-period": dur({default: "2m", help: "How long running requests may take to finish at shutdown."}),
  ...objstoreFlags,
  demo: bool({
    default: "true",
    help: "Fill an empty data directory with a year of made-up history, and let it go on; a bucket of your own only where this flag is given.",
  }),
  prometheus: bool({default: "true", help: "Where a Prometheus is installed, start it with a sidecar beside it."}),
  "prometheus.url": url({
    default: "http://localhost:9090",
    help: "When given: put the sidecar beside this running Prometheus, and start none.",
  }),
  "tsdb.path": path({help: "Data directory of that Prometheus, from which blocks are uploaded."}),
  "rule-file": many(path({help: "Rule files to evaluate; * is allowed in names."})),
  "alertmanagers.url": many(url({help: "Alertmanager that their alerts go to."})),
} satisfies FlagTable;
