import {errorText, StrataError} from "@strata/base";
import {relabelConfigs, resolveTime} from "@strata/model";
import {bucketFromConfig, metered} from "@strata/objstore";
import {Store} from "@strata/store";
import {serveStore} from "@strata/storeapi";
import {parse} from "yaml";
import type {Content} from "../flags/content.ts";
import {storeFlags} from "../flags/store.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

/** The most samples a chunk has; the sample limit is counted in chunks. */
const SAMPLES_PER_CHUNK = 120;

/** Actions that make sense where only whole blocks can be kept or dropped. */
const SELECTOR_ACTIONS = ["keep", "drop", "hashmod"];

export const store = defineCommand(storeFlags, (context) =>
  runComponent({
    component: "store",
    context,
    async setup({log, registry, probes, grpc, api}) {
      const {flags} = context;
      api({routePrefix: "", cors: !flags["web.disable-cors"]});
      const bucket = metered(await bucketFromConfig(await flags["objstore.config"].read()), registry);
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
      });
      if (grpc !== undefined) {
        serveStore(grpc, {
          queryable: gateway.queryable,
          info: () => gateway.info(),
          registry,
          checkLabelName: false,
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

/** `--selector.relabel-config`. Throws `bad_data` for actions that change labels: a block has them or has not. */
async function selectorRules(content: Content) {
  let document: unknown;
  try {
    document = parse(await content.read());
  } catch (err) {
    if (err instanceof StrataError) throw err;
    throw new StrataError("bad_data", `cannot read --${content.flag}: ${errorText(err).split("\n")[0]}`, {cause: err});
  }
  const rules = relabelConfigs(document);
  const other = rules.find((rule) => !SELECTOR_ACTIONS.includes(rule.action));
  if (other === undefined) return rules;
  throw new StrataError(
    "bad_data",
    `cannot use action ${other.action} in --${content.flag}: supported are ${SELECTOR_ACTIONS.join(", ")}`,
  );
}
