import {address, bool, dur, type FlagTable, many, path, url} from "./spec.ts";

export const standaloneFlags = {
  "data-dir": path({default: "./data", help: "Where everything is kept: bucket, databases, caches."}),
  "http-address": address({default: "127.0.0.1:10902", help: "Listen here for the page and the query API."}),
  "remote-write.address": address({default: "127.0.0.1:19291", help: "Listen here for remote write and OTLP."}),
  "http-grace-period": dur({default: "2m", help: "How long running requests may take to finish at shutdown."}),
  demo: bool({default: "true", help: "Fill an empty data directory with two days of made-up history."}),
  prometheus: bool({default: "true", help: "Where a Prometheus is installed, start it with a sidecar beside it."}),
  "rule-file": many(path({help: "Rule files to evaluate; * is allowed in names."})),
  "alertmanagers.url": many(url({help: "Alertmanager that their alerts go to."})),
} satisfies FlagTable;
