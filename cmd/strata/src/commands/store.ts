import {type MarkKind, writeMark} from "@strata/block";
import {resolveTime} from "@strata/model";
import {bucketFromConfig, metered, traced} from "@strata/objstore";
import {indexCacheFromConfig, Store} from "@strata/store";
import {serveStore} from "@strata/storeapi";
import {addBlocksRoutes} from "@strata/web";
import {storeFlags} from "../flags/store.ts";
import {runComponent} from "../runtime.ts";
import {selectorRules} from "../selector-rules.ts";
import {defineCommand} from "./tree.ts";

/** The most samples a chunk has; the sample limit is counted in chunks. */
const SAMPLES_PER_CHUNK = 120;

export const store = defineCommand(storeFlags, (context) =>
  runComponent({
    component: "store",
    context,
    async setup({log, registry, tracer, probes, grpc, signal, api}) {
      const {flags} = context;
      const v1 = api({routePrefix: "", cors: !flags["web.disable-cors"]});
      const bucket = traced(metered(await flags["objstore.config"].parse(bucketFromConfig), registry), tracer);
      const samples = flags["store.limits.request-samples"];
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
        indexCache: await flags["index-cache.config"].parse((text) =>
          indexCacheFromConfig(text, flags["index-cache-size"], registry),
        ),
      });
      if (grpc !== undefined) {
        serveStore(grpc, {
          queryable: gateway.queryable,
          info: () => gateway.info(),
          registry,
          checkLabelName: false,
        });
      }
      if (!flags["web.disable"]) {
        const mark = async (ulid: string, kind: MarkKind, details: string) => {
          const mark = {
            ulid,
            time: Math.floor(Date.now() / 1000),
            details,
            reason: kind === "deletion" ? "" : "manual",
          };
          await writeMark(bucket, kind, mark, log, signal);
        };
        addBlocksRoutes(v1, {
          label: flags["bucket-web-label"],
          loaded: () => gateway.queryable.view(),
          mark: flags["disable-admin-operations"] ? undefined : mark,
        });
      }
      return {
        run: (signal) => gateway.run(signal, () => probes.setReady()),
        async close() {
          await gateway.close();
          await bucket.close();
        },
      };
    },
  }),
);
