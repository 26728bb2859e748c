import {StrataError} from "@strata/base";
import {Compactor} from "@strata/compact";
import {resolveTime} from "@strata/model";
import {bucketFromConfig, metered} from "@strata/objstore";
import {addBlocksRoutes} from "@strata/web/blocks-api";
import {compactFlags} from "../flags/compact.ts";
import {blockMarks} from "../mark-blocks.ts";
import {runComponent} from "../runtime.ts";
import {selectorRules} from "../selector-rules.ts";
import {defineCommand} from "./tree.ts";

export const compact = defineCommand(compactFlags, (context) =>
  runComponent({
    component: "compact",
    context,
    async setup({log, registry, probes, signal, api}) {
      const {flags} = context;
      const v1 = api({cors: !flags["web.disable-cors"], pages: !flags["web.disable"]});
      if (!flags["objstore.config"].given) {
        throw new StrataError("bad_data", "no bucket: give --objstore.config or --objstore.config-file");
      }
      const bucket = metered(await flags["objstore.config"].parse(bucketFromConfig), registry);
      const compactor = new Compactor({
        bucket,
        dataDir: flags["data-dir"],
        logger: log,
        registry,
        minTime: () => resolveTime(flags["min-time"], Date.now()),
        maxTime: () => resolveTime(flags["max-time"], Date.now()),
        relabel: await selectorRules(flags["selector.relabel-config"]),
        strategy: flags["block-discovery-strategy"],
        metaConcurrency: flags["block-meta-fetch-concurrency"],
        filesConcurrency: flags["block-files-concurrency"],
        fetchConcurrency: flags["compact.blocks-fetch-concurrency"],
        concurrency: flags["compact.concurrency"],
        downsampleConcurrency: flags["downsample.concurrency"],
        consistencyDelayMs: flags["consistency-delay"],
        deleteDelayMs: flags["delete-delay"],
        retention: {
          raw: flags["retention.resolution-raw"],
          fiveMinutes: flags["retention.resolution-5m"],
          oneHour: flags["retention.resolution-1h"],
        },
        downsampling: !flags["downsampling.disable"],
        vertical: flags["compact.enable-vertical-compaction"],
        dedup: flags["deduplication.func"],
        replicaLabels: flags["deduplication.replica-label"],
        hashFunc: flags["hash-func"],
        maxIndexBytes: flags["compact.block-max-index-size"],
        maxLevel: flags["debug.max-compaction-level"],
        skipOutOfOrder: flags["compact.skip-block-with-out-of-order-chunks"],
        acceptMalformed: flags["debug.accept-malformed-index"],
        haltOnError: flags["debug.halt-on-error"],
        inline: !flags.wait && flags["compact.concurrency"] <= 1 && flags["downsample.concurrency"] <= 1,
        waitIntervalMs: flags["wait-interval"],
        cleanupIntervalMs: flags["compact.cleanup-interval"],
        progressIntervalMs: flags["compact.progress-interval"],
      });
      const serving = flags.wait && !flags["web.disable"];
      if (serving) {
        addBlocksRoutes(v1, {
          label: flags["bucket-web-label"],
          loaded: () => compactor.view("loaded"),
          global: () => compactor.view("global"),
          plan: () => compactor.plan(),
          marks: blockMarks({log, signal}, bucket, !flags["disable-admin-operations"], () => {
            void compactor.refreshView(signal);
          }),
        });
      }
      return {
        async run(stop) {
          probes.setReady();
          if (!flags.wait) return compactor.runOnce(stop);
          const views = serving
            ? compactor.keepView(flags["block-viewer.global.sync-block-interval"], stop)
            : Promise.resolve();
          await Promise.all([compactor.runForever(stop), views]);
        },
        async close() {
          await compactor.close();
          await bucket.close();
        },
      };
    },
  }),
);
