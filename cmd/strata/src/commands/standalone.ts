import {errorText} from "@strata/base";
import {bucketFromConfig, traced} from "@strata/objstore";
import {FrontendPart, REPLICA_LABELS, Standalone} from "@strata/standalone";
import {Api, DEFAULT_TENANT_CONFIG, prefixOptions, type QueryDefaults} from "@strata/web";
import {addQueryRoutes} from "@strata/web/api";
import {addBlocksRoutes} from "@strata/web/blocks-api";
import {standaloneFlags} from "../flags/standalone.ts";
import {blockMarks} from "../mark-blocks.ts";
import {mountQuerier} from "../mount-querier.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

export const standalone = defineCommand(standaloneFlags, (context) =>
  runComponent({
    component: "standalone",
    context,
    async setup(runtime) {
      const {flags} = context;
      const {http, log, registry, probes, router, tracer} = runtime;
      const objstore = flags["objstore.config"];
      const all = await Standalone.create({
        dataDir: flags["data-dir"],
        bucket: objstore.given ? traced(await objstore.parse(bucketFromConfig), tracer) : undefined,
        // Nobody wants made-up data in a bucket of his own without having asked for it.
        demo: flags.demo && (!objstore.given || context.given.has("demo")),
        prometheus: flags.prometheus,
        prometheusUrl: context.given.has("prometheus.url") ? flags["prometheus.url"] : undefined,
        prometheusData: flags["tsdb.path"] || undefined,
        metricsAddress: new URL(http.url).host,
        ruleFiles: flags["rule-file"],
        alertmanagers: flags["alertmanagers.url"],
        writeAddress: flags["remote-write.address"],
        logger: log,
        registry,
      });
      runtime.onReload(() =>
        all.reload().catch((err: unknown) => log.error("cannot reload rules", {err: errorText(err)})),
      );
      const frontend = await FrontendPart.open({
        mount: (inner) => addQueryRoutes(new Api(inner, {routePrefix: "", cors: true, log}), all.querier, DEFAULTS),
        logger: log.with({component: "query-frontend"}),
        registry,
      });
      // Before the querier's own route, which it stands in front of.
      const name = "query_range";
      router.add({methods: ["GET", "POST"], path: `/api/v1/${name}`, name, handle: frontend.queryRange});
      const api = mountQuerier(runtime, all.querier, all.endpointApi, {
        prefixes: prefixOptions("", "", ""),
        cors: true,
        defaults: DEFAULTS,
        endpointDefaults: {
          partialResponse: {rules: true, targets: true, metadata: true, exemplars: true, status: true},
        },
      });
      const {compactor} = all;
      addBlocksRoutes(api, {
        label: "",
        loaded: () => compactor.view("loaded"),
        global: () => compactor.view("global"),
        plan: () => compactor.plan(),
        marks: blockMarks(runtime, all.bucket, true, () => void compactor.refreshView(runtime.signal)),
      });
      return {
        run: (signal) =>
          all.run(() => {
            probes.setReady();
            console.log(`Strata is ready: ${http.url}`);
          }, signal),
        async close() {
          await frontend.close();
          await all.close();
        },
      };
    },
  }),
);

const DEFAULTS: QueryDefaults = {
  replicaLabels: REPLICA_LABELS,
  partialResponse: true,
  engine: "prometheus",
  autoDownsampling: true,
  instantResolution: 0,
  step: 1000,
  metadataRange: 0,
  lookbackDelta: undefined,
  tenants: DEFAULT_TENANT_CONFIG,
  language: {},
  now: Date.now,
};
