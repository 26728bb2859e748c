import {runTogether} from "@strata/base";
import {SHIPPER_STATE_FILE, Shipper} from "@strata/block";
import {HttpClient, parseHttpClientConfig} from "@strata/http-client";
import {resolveTime} from "@strata/model";
import {type Bucket, bucketFromConfig, metered, traced} from "@strata/objstore";
import {ConfigReloader, httpReload, Sidecar, signalReload} from "@strata/sidecar";
import {serveReadApis, serveStore} from "@strata/storeapi";
import {expandEnv} from "../flags/content.ts";
import {sidecarFlags} from "../flags/sidecar.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

export const sidecar = defineCommand(sidecarFlags, (context) =>
  runComponent({
    component: "sidecar",
    context,
    async setup({log, registry, tracer, probes, grpc, api}) {
      const {flags} = context;
      api({cors: false});
      const objstore = flags["objstore.config"];
      const bucket: Bucket | undefined = objstore.given
        ? traced(metered(await objstore.parse(bucketFromConfig), registry), tracer)
        : undefined;
      const metaFileName = flags["shipper.meta-file-name"] || SHIPPER_STATE_FILE;
      const httpConfig = await flags["prometheus.http-client"].parse(parseHttpClientConfig);
      const reloadClient = new HttpClient(flags["prometheus.url"], httpConfig);
      const reloader = new ConfigReloader(
        {
          configFile: flags["reloader.config-file"],
          outputFile: flags["reloader.config-envsubst-file"],
          ruleDirs: flags["reloader.rule-dir"],
          watchIntervalMs: flags["reloader.watch-interval"],
          retryIntervalMs: flags["reloader.retry-interval"],
          trigger:
            flags["reloader.method"] === "signal"
              ? signalReload(flags["reloader.process-name"], reloadClient)
              : httpReload(reloadClient),
          expand: (text) => expandEnv(text, `--reloader.config-file=${flags["reloader.config-file"]}`),
        },
        log.with({component: "reloader"}),
        registry,
      );
      const component = new Sidecar(
        {
          prometheusUrl: flags["prometheus.url"],
          http: httpConfig,
          readyTimeoutMs: flags["prometheus.ready_timeout"],
          configIntervalMs: flags["prometheus.get_config_interval"],
          configTimeoutMs: flags["prometheus.get_config_timeout"],
          minTime: () => resolveTime(flags["min-time"], Date.now()),
          upload: bucket && {
            tsdbPath: flags["tsdb.path"],
            metaFileName,
            ignoreUnequalBlockSize: flags["shipper.ignore-unequal-block-size"],
            shipper: (labels) =>
              new Shipper({
                dir: flags["tsdb.path"],
                bucket,
                labels,
                source: "sidecar",
                uploadCompacted: flags["shipper.upload-compacted"],
                metaFileName,
                hashFunc: flags["hash-func"] === "" ? undefined : flags["hash-func"],
                uploadConcurrency: flags["shipper.upload-concurrency"],
                allowOutOfOrderUploads: flags["shipper.allow-out-of-order-uploads"],
                skipCorruptedBlocks: flags["shipper.skip-corrupted-blocks"],
                logger: log,
                registry,
              }),
          },
        },
        log,
        registry,
      );
      if (grpc !== undefined) {
        serveReadApis(grpc, component.apis);
        serveStore(grpc, {
          queryable: component.store,
          info: () => component.info(probes.ready),
          registry,
          limits: {series: flags["store.limits.request-series"], samples: flags["store.limits.request-samples"]},
        });
      }
      return {
        run: (signal) =>
          runTogether(
            [
              (s) => component.run({ready: () => probes.setReady(), notReady: (e) => probes.setNotReady(e.message)}, s),
              (s) => reloader.run(s),
            ],
            signal,
          ),
        async close() {
          reloadClient.close();
          await bucket?.close();
        },
      };
    },
  }),
);
