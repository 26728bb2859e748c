import {setTimeout as sleep} from "node:timers/promises";
import {errorText} from "@strata/base";
import {BaseFetcher, labelShardFilter, MetaFetcher, timePartitionFilter} from "@strata/block";
import {resolveTime} from "@strata/model";
import {bucketFromConfig, metered, traced} from "@strata/objstore";
import type {BlockMeta} from "@strata/tsdb";
import {prefixOptions} from "@strata/web";
import {addBlocksRoutes} from "@strata/web/blocks-api";
import {bucketWebFlags} from "../flags/tools.ts";
import {blockMarks} from "../mark-blocks.ts";
import {runComponent} from "../runtime.ts";
import {selectorRules} from "../selector-rules.ts";
import {defineCommand} from "./tree.ts";

/** Metas read at once. Compat: the original's number, which no flag changes. */
const CONCURRENCY = 32;

/** The blocks of a bucket over HTTP, looked at anew every so often. */
export const bucketWeb = defineCommand(bucketWebFlags, (context) =>
  runComponent({
    component: "bucket-web",
    context,
    async setup({log, registry, tracer, probes, signal, api}) {
      const {flags} = context;
      const bucket = traced(metered(await flags["objstore.config"].parse(bucketFromConfig), registry), tracer);
      const filters = [
        timePartitionFilter(
          () => resolveTime(flags["min-time"], Date.now()),
          () => resolveTime(flags["max-time"], Date.now()),
        ),
        labelShardFilter(await selectorRules(flags["selector.relabel-config"])),
      ];
      const fetcher = new MetaFetcher(
        new BaseFetcher({bucket, concurrency: CONCURRENCY, logger: log}),
        filters,
        registry,
      );
      let view: {blocks: BlockMeta[]; refreshedAt: number | undefined; error: string | undefined} = {
        blocks: [],
        refreshedAt: undefined,
        error: undefined,
      };
      const refresh = async (stop: AbortSignal): Promise<void> => {
        try {
          const {metas, incomplete} = await fetcher.fetch(AbortSignal.any([stop, AbortSignal.timeout(flags.timeout)]));
          view = {blocks: [...metas.values()], refreshedAt: Date.now(), error: incomplete && errorText(incomplete)};
        } catch (err) {
          if (stop.aborted) return;
          log.error("cannot look at the bucket, showing what was there before", {err: errorText(err)});
          view = {...view, error: errorText(err)};
        }
      };
      const prefixes = prefixOptions(
        flags["web.route-prefix"],
        flags["web.external-prefix"],
        flags["web.prefix-header"],
      );
      addBlocksRoutes(api({prefixes, cors: !flags["web.disable-cors"]}), {
        label: flags.label,
        loaded: () => view,
        global: () => view,
        marks: blockMarks({log, signal}, bucket, !flags["disable-admin-operations"], () => void refresh(signal)),
      });
      return {
        async run(stop) {
          while (!stop.aborted) {
            await refresh(stop);
            probes.setReady();
            await sleep(flags.refresh, undefined, {signal: stop}).catch(() => {});
          }
        },
        close: () => bucket.close(),
      };
    },
  }),
);
