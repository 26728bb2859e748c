import {errorText} from "@strata/base";
import {REPLICA_LABELS, Standalone} from "@strata/standalone";
import {addBlocksRoutes, DEFAULT_TENANT_CONFIG, prefixOptions} from "@strata/web";
import {standaloneFlags} from "../flags/standalone.ts";
import {blockMarker} from "../mark-blocks.ts";
import {mountQuerier} from "../mount-querier.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

export const standalone = defineCommand(standaloneFlags, (context) =>
  runComponent({
    component: "standalone",
    context,
    async setup(runtime) {
      const {flags} = context;
      const {http, log, registry, probes} = runtime;
      const all = await Standalone.create({
        dataDir: flags["data-dir"],
        demo: flags.demo,
        prometheus: flags.prometheus,
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
      const api = mountQuerier(runtime, all.querier, all.endpointApi, {
        prefixes: prefixOptions("", "", ""),
        cors: true,
        defaults: {
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
        },
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
        mark: blockMarker(runtime, all.bucket, true, () => void compactor.refreshView(runtime.signal)),
      });
      return {
        run: (signal) =>
          all.run(() => {
            probes.setReady();
            console.log(`Strata is ready: ${http.url}`);
          }, signal),
        close: () => all.close(),
      };
    },
  }),
);
