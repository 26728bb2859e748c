import {setTimeout as sleep} from "node:timers/promises";
import {errorText} from "@strata/base";
import {Compactor} from "@strata/compact";
import {bucketFromConfig, metered, traced} from "@strata/objstore";
import {bucketDownsampleFlags} from "../flags/tools.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

export const bucketDownsample = defineCommand(bucketDownsampleFlags, (context) =>
  runComponent({
    component: "downsample",
    context,
    async setup({log, registry, tracer, probes}) {
      const {flags} = context;
      const bucket = traced(metered(await flags["objstore.config"].parse(bucketFromConfig), registry), tracer);
      const compactor = new Compactor({
        bucket,
        dataDir: flags["data-dir"],
        logger: log,
        registry,
        consistencyDelayMs: 0,
        filesConcurrency: flags["block-files-concurrency"],
        downsampleConcurrency: flags["downsample.concurrency"],
        hashFunc: flags["hash-func"],
      });
      return {
        async run(signal) {
          probes.setReady();
          while (!signal.aborted) {
            await compactor.downsampleOnce(signal).catch((err) => {
              if (!signal.aborted) log.error("cannot downsample all blocks, trying again", {err: errorText(err)});
            });
            await sleep(flags["wait-interval"], undefined, {signal}).catch(() => {});
          }
        },
        async close() {
          await compactor.close();
          await bucket.close();
        },
      };
    },
  }),
);
