import {parseByteSize} from "@strata/base";
import {resolveTime} from "@strata/model";
import {bucketFromConfig, metered, traced} from "@strata/objstore";
import {cachingBucketFromConfig, indexCacheFromConfig, Store} from "@strata/store";
import {matcherCache, serveStore} from "@strata/storeapi";
import {addBlocksRoutes} from "@strata/web/blocks-api";
import {cacheServers} from "../cache-servers.ts";
import {storeFlags} from "../flags/store.ts";
import {blockMarks} from "../mark-blocks.ts";
import {runComponent} from "../runtime.ts";
import {selectorRules} from "../selector-rules.ts";
import {defineCommand} from "./tree.ts";

/** The most samples a chunk has; the sample limit is counted in chunks. */
const SAMPLES_PER_CHUNK = 120;

/** Their defaults are those of Thanos, which reads with them; where nobody sets another one, blocks and bucket say more. */
type SizeFlag = "debug.estimated-max-series-size" | "debug.estimated-max-chunk-size" | "debug.series-batch-size";
const setByHand = (flags: Readonly<Record<SizeFlag, number>>, name: SizeFlag): number | undefined =>
  flags[name] === Number(storeFlags[name].default) ? undefined : flags[name];

/** Of a memory budget what the index cache takes at the most, unless it was given a size by hand. */
const CACHE_SHARE = 1 / 8;

function indexCacheBytes(size: number, budget: number): number {
  const untouched = size === parseByteSize(String(storeFlags["index-cache-size"].default));
  return budget > 0 && untouched ? Math.min(size, Math.floor(budget * CACHE_SHARE)) : size;
}

export const store = defineCommand(storeFlags, (context) =>
  runComponent({
    component: "store",
    context,
    async setup({log, registry, tracer, probes, grpc, signal, api}) {
      const {flags} = context;
      const v1 = api({cors: !flags["web.disable-cors"], pages: !flags["web.disable"]});
      const direct = traced(metered(await flags["objstore.config"].parse(bucketFromConfig), registry), tracer);
      const caches = {registry, logger: log, resolve: cacheServers(registry, log)};
      const cachingBucket = flags["store.caching-bucket.config"];
      const bucket = cachingBucket.given
        ? await cachingBucket.parse((text) => cachingBucketFromConfig(text, cachingBucket.path ?? "", direct, caches))
        : direct;
      const samples = flags["store.limits.request-samples"];
      const parquet = flags["objstore-parquet.config"];
      const parquetBucket = parquet.given
        ? traced(metered(await parquet.parse(bucketFromConfig), registry), tracer)
        : undefined;
      const gateway = new Store({
        bucket,
        dataDir: flags["data-dir"],
        logger: log,
        registry,
        syncIntervalMs: flags["sync-block-duration"],
        strategy: flags["block-discovery-strategy"],
        syncConcurrency: flags["block-sync-concurrency"],
        metaConcurrency: flags["block-meta-fetch-concurrency"],
        minTime: () => resolveTime(flags["min-time"], Date.now()),
        maxTime: () => resolveTime(flags["max-time"], Date.now()),
        relabel: await selectorRules(flags["selector.relabel-config"]),
        consistencyDelayMs: flags["consistency-delay"],
        ignoreDeletionMarksMs: flags["ignore-deletion-marks-delay"],
        eagerHeaders: !(
          flags["store.enable-index-header-lazy-reader"] &&
          flags["store.index-header-lazy-download-strategy"] === "lazy"
        ),
        headerIdleMs: flags["store.index-header-lazy-reader-idle-timeout"],
        limits: {
          series: flags["store.limits.request-series"],
          chunks: samples === 0 ? 0 : Math.max(1, Math.floor(samples / SAMPLES_PER_CHUNK)),
          downloadedBytes: flags["store.grpc.downloaded-bytes-limit"],
        },
        maxConcurrent: flags["store.grpc.series-max-concurrency"],
        memoryBudget: flags["store.memory-budget"] || flags["chunk-pool-size"],
        nothingOnDisk: !flags["cache-index-header"],
        lazyPostings: flags["store.enable-lazy-expanded-postings"]
          ? {maxKeySeriesRatio: flags["store.posting-group-max-key-series-ratio"]}
          : undefined,
        sizes: {
          seriesBytes: setByHand(flags, "debug.estimated-max-series-size"),
          chunkBytes: setByHand(flags, "debug.estimated-max-chunk-size"),
          blockRows: setByHand(flags, "debug.series-batch-size"),
        },
        parquetBucket,
        indexCache: await flags["index-cache.config"].parse((text) =>
          indexCacheFromConfig(text, indexCacheBytes(flags["index-cache-size"], flags["store.memory-budget"]), caches),
        ),
      });
      if (grpc !== undefined) {
        serveStore(grpc, {
          queryable: gateway.queryable,
          info: () => gateway.info(),
          newBudget: () => gateway.newBudget(),
          makeMatcher: matcherCache(flags["matcher-cache-size"], registry),
          registry,
          checkLabelName: false,
        });
      }
      if (!flags["web.disable"]) {
        addBlocksRoutes(v1, {
          label: flags["bucket-web-label"],
          loaded: () => gateway.queryable.view(),
          marks: blockMarks({log, signal}, bucket, !flags["disable-admin-operations"]),
        });
      }
      return {
        run: (signal) => gateway.run(signal, () => probes.setReady()),
        async close() {
          await gateway.close();
          if (bucket !== direct) await bucket.close();
          await direct.close();
          await parquetBucket?.close();
        },
      };
    },
  }),
);
