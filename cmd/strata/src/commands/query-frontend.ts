import {setTimeout as sleep} from "node:timers/promises";
import {errorText, StrataError} from "@strata/base";
import {featuresFrom} from "@strata/query";
import {
  type Compression,
  Downstream,
  FairQueue,
  Frontend,
  parseDownstreamConfig,
  ResultsCache,
  resultsCacheFromConfig,
} from "@strata/query-frontend";
import {cacheServers} from "../cache-servers.ts";
import type {Content} from "../flags/content.ts";
import {queryFrontendFlags} from "../flags/query-frontend.ts";
import type {FlagValues} from "../flags/spec.ts";
import {type Runtime, runComponent, type Work} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

type Flags = FlagValues<typeof queryFrontendFlags>;

/** How often the querier is asked whether it is ready, and how long it may take. Compat: the original's number. */
const READY_MS = 10_000;
const DEFAULT_TENANT_HEADER = "THANOS-TENANT";

export const queryFrontend = defineCommand(queryFrontendFlags, (context) => {
  const {flags} = context;
  return runComponent({
    component: "query-frontend",
    context,
    tenants: {
      header: flags["query-frontend.tenant-header"],
      defaultTenant: flags["query-frontend.default-tenant-id"],
      certificateField: flags["query-frontend.tenant-certificate-field"],
    },
    setup: (runtime) => setup(flags, runtime),
  });
});

async function setup(flags: Flags, runtime: Runtime): Promise<Work> {
  check(flags);
  const {log, registry, router, probes} = runtime;
  const url = parsedUrl(flags["query-frontend.downstream-url"]);
  const downstream = new Downstream(
    url,
    await flags["query-frontend.downstream-tripper-config"].parse(parseDownstreamConfig),
  );
  const compression = flags["cache-compression-type"];
  const rangeCache = await newCache(
    flags["query-range.response-cache-config"],
    "query_range",
    flags["query-range.response-cache-max-freshness"],
    compression,
    runtime,
  );
  const labelsCache = await newCache(
    flags["labels.response-cache-config"],
    "labels",
    flags["labels.response-cache-max-freshness"],
    compression,
    runtime,
  );
  const {parse} = featuresFrom(flags["enable-feature"], log);
  const frontend = new Frontend({
    downstream,
    queue: new FairQueue({
      concurrency: flags["query-frontend.max-concurrent-downstream"],
      perTenant: flags["query-frontend.max-outstanding-per-tenant"],
    }),
    range: {
      maxLengthMs: flags["query-range.max-query-length"],
      alignWithStep: flags["query-range.align-range-with-step"],
      requestDownsampled: flags["query-range.request-downsampled"],
      split: {
        intervalMs: flags["query-range.split-interval"],
        minMs: flags["query-range.min-split-interval"],
        maxMs: flags["query-range.max-split-interval"],
        shards: flags["query-range.horizontal-shards"],
      },
      parallelism: flags["query-range.max-query-parallelism"],
      tries: flags["query-range.max-retries-per-request"],
      partialResponse: flags["query-range.partial-response"],
      cache: rangeCache,
    },
    instant: {
      parallelism: flags["query-range.max-query-parallelism"],
      tries: flags["query.max-retries-per-request"],
    },
    labels: {
      intervalMs: flags["labels.split-interval"],
      parallelism: flags["labels.max-query-parallelism"],
      tries: flags["labels.max-retries-per-request"],
      partialResponse: flags["labels.partial-response"],
      timeRangeMs: flags["labels.default-time-range"],
      cache: labelsCache,
    },
    shards: flags["query-frontend.vertical-shards"],
    language: {...parse, xFunctions: flags["query-frontend.enable-x-functions"]},
    forceStats: flags["query-frontend.force-query-stats"],
    orgHeaders: flags["query-frontend.org-id-header"],
    forwardHeaders: flags["query-frontend.forward-header"],
    tenantHeader: flags["query-frontend.tenant-header"],
    defaultTenant: flags["query-frontend.default-tenant-id"],
    certificateField: flags["query-frontend.tenant-certificate-field"],
    compress: flags["query-frontend.compress-responses"],
    cors: !flags["web.disable-cors"],
    slowLog: {
      longerThanMs: flags["query-frontend.log-queries-longer-than"],
      userHeader: flags["query-frontend.slow-query-logs-user-header"],
    },
    logger: log,
    registry,
    now: Date.now,
  });
  router.add({methods: METHODS, path: "/*", name: "query-frontend", handle: (request) => frontend.handle(request)});
  return {
    run: (signal) => watchDownstream(downstream, url, probes, log, signal),
    async close() {
      downstream.close();
      await rangeCache?.close();
      await labelsCache?.close();
    },
  };
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/** Ready while the querier is. */
async function watchDownstream(
  downstream: Downstream,
  url: URL,
  probes: Runtime["probes"],
  log: Runtime["log"],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let problem = "it says that it is not ready";
    const ready = await downstream
      .ready(AbortSignal.any([signal, AbortSignal.timeout(READY_MS)]))
      .catch((err: unknown) => {
        problem = errorText(err);
        return false;
      });
    if (signal.aborted) return;
    if (ready) probes.setReady();
    else {
      log.warn("querier is not ready", {url: url.href, err: problem});
      probes.setNotReady(`querier ${url.href} is not ready: ${problem}`);
    }
    await sleep(READY_MS, undefined, {signal}).catch(() => {});
  }
}

async function newCache(
  content: Content,
  name: string,
  freshnessMs: number,
  asked: Compression | "",
  {registry, log}: Runtime,
): Promise<ResultsCache | undefined> {
  if (!content.given) return undefined;
  const context = {name, registry, logger: log, resolve: cacheServers(registry, log)};
  const settings = await content.parse((text) => resultsCacheFromConfig(text, context));
  if (settings === undefined) return undefined;
  // On the way to another program bytes cost more than time; in this one's memory they are read too often.
  const compression = asked === "" ? (settings.isInProcess ? "none" : "lz4") : asked;
  return new ResultsCache({...settings, freshnessMs, compression, now: Date.now, logger: log, registry, name});
}

function parsedUrl(text: string): URL {
  if (text === "") throw bad("downstream URL should be configured");
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw bad(`cannot use --query-frontend.downstream-url=${text}: want http://HOST:PORT or https://HOST:PORT`);
  }
  return new URL(text);
}

/** Which flags do not go together. Compat: texts are the original's. */
function check(flags: Flags): void {
  const split = flags["query-range.split-interval"];
  const [min, max] = [flags["query-range.min-split-interval"], flags["query-range.max-split-interval"]];
  const shards = flags["query-range.horizontal-shards"];
  if (min > 0 || max > 0 || shards > 0) {
    if (split > 0) {
      throw bad(
        "split queries interval and dynamic query split interval cannot be set at the same time; give --query-range.split-interval=0",
      );
    }
    if (shards <= 0) throw bad("min horizontal shards should be greater than 0 when query split threshold is enabled");
    if (max <= 0) throw bad("max query split interval should be greater than 0 when query split threshold is enabled");
    if (min <= 0) throw bad("min query split interval should be greater than 0 when query split threshold is enabled");
  }
  if (flags["query-range.response-cache-config"].given && split <= 0 && min <= 0) {
    throw bad("split queries or split threshold interval should be greater than 0 when caching is enabled");
  }
  if (flags["labels.response-cache-config"].given && flags["labels.split-interval"] <= 0) {
    throw bad("split queries interval should be greater than 0 when caching is enabled");
  }
  if (flags["labels.default-time-range"] === 0) throw bad("labels.default-time-range cannot be set to 0");
  if (
    flags["query-frontend.org-id-header"].length > 0 &&
    flags["query-frontend.tenant-header"] !== DEFAULT_TENANT_HEADER
  ) {
    throw bad("query-frontend.org-id-header and query-frontend.tenant-header cannot be used together");
  }
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
