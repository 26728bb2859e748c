import {StrataError} from "@strata/base";
import {SHIPPER_STATE_FILE, Shipper} from "@strata/block";
import {parseHttpClientConfig} from "@strata/http-client";
import {resolveTime} from "@strata/model";
import {type Bucket, bucketFromConfig, metered, traced} from "@strata/objstore";
import {Sidecar} from "@strata/sidecar";
import {serveReadApis, serveStore} from "@strata/storeapi";
import {sidecarFlags} from "../flags/sidecar.ts";
import {runComponent} from "../runtime.ts";
import {defineCommand} from "./tree.ts";

export const sidecar = defineCommand(sidecarFlags, (context) =>
  runComponent({
    component: "sidecar",
    context,
    async setup({log, registry, tracer, probes, grpc}) {
      const {flags} = context;
      if (flags["reloader.config-file"] !== "" || flags["reloader.rule-dir"].length > 0) {
        throw new StrataError("bad_data", "--reloader.config-file and --reloader.rule-dir are not built yet");
      }
      const objstore = flags["objstore.config"];
      const bucket: Bucket | undefined = objstore.given
        ? traced(metered(await objstore.parse(bucketFromConfig), registry), tracer)
        : undefined;
      const metaFileName = flags["shipper.meta-file-name"] || SHIPPER_STATE_FILE;
      const component = new Sidecar(
        {
          prometheusUrl: flags["prometheus.url"],
          http: await flags["prometheus.http-client"].parse(parseHttpClientConfig),
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
          component.run({ready: () => probes.setReady(), notReady: (err) => probes.setNotReady(err.message)}, signal),
        close: () => bucket?.close(),
      };
    },
  }),
);
