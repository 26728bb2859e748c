import {setTimeout as sleep} from "node:timers/promises";
import {errorText, StrataError} from "@strata/base";
import {BaseFetcher, DeletionMarkFilter, MetaFetcher, timePartitionFilter} from "@strata/block";
import {resolveTime} from "@strata/model";
import {bucketFromConfig, metered, traced} from "@strata/objstore";
import {parseSelector} from "@strata/promql";
import {Replicator} from "@strata/tools";
import {bucketReplicateFlags} from "../flags/tools.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

/** Metas read at once, and the pause between rounds. Compat: the original's numbers, which no flag changes. */
const CONCURRENCY = 32;
const PAUSE_MS = 60_000;

export const bucketReplicate = defineCommand(bucketReplicateFlags, (context) =>
  runComponent({
    component: "replicate",
    context,
    async setup({log, registry, tracer, probes}) {
      const {flags} = context;
      if (!flags["objstore-to.config"].given) {
        throw new StrataError(
          "bad_data",
          "no bucket to copy to: give --objstore-to.config or --objstore-to.config-file",
        );
      }
      const open = async (content: (typeof flags)["objstore.config"], replicate: string) =>
        traced(metered(await content.parse(bucketFromConfig), registry.sub({replicate})), tracer);
      const from = await open(flags["objstore.config"], "from");
      const to = await open(flags["objstore-to.config"], "to");
      const now = Date.now;
      const filters = [
        timePartitionFilter(
          () => resolveTime(flags["min-time"], now()),
          () => resolveTime(flags["max-time"], now()),
        ),
        ...(flags["ignore-marked-for-deletion"] ? [new DeletionMarkFilter(from, 0, log)] : []),
      ];
      const replicator = new Replicator({
        from,
        to,
        fetcher: new MetaFetcher(
          new BaseFetcher({bucket: from, concurrency: CONCURRENCY, logger: log}),
          filters,
          registry,
        ),
        filter: {
          matchers: flags.matcher === "" ? [] : parseSelector(flags.matcher),
          resolutions: flags.resolution,
          levels: levelsOf(flags.compaction, flags["compaction-min"], flags["compaction-max"]),
          ulids: flags.id,
        },
        logger: log,
        registry,
      });
      const once = flags["single-run"] || flags.id.length > 0;
      return {
        async run(signal) {
          probes.setReady();
          if (once) return replicator.run(signal);
          while (!signal.aborted) {
            await replicator.run(signal).catch((err) => {
              if (!signal.aborted) log.error("cannot replicate all blocks, trying again", {err: errorText(err)});
            });
            await sleep(PAUSE_MS, undefined, {signal}).catch(() => {});
          }
        },
        async close() {
          await from.close();
          await to.close();
        },
      };
    },
  }),
);

/** `--compaction` as it stands, else all levels between the two bounds. */
function levelsOf(given: readonly number[], min: number, max: number): readonly number[] {
  if (given.length > 0) return given;
  if (min > max) {
    throw new StrataError("bad_data", `--compaction-min is ${min}, which is above --compaction-max, ${max}`);
  }
  return Array.from({length: max - min + 1}, (_, i) => min + i);
}
