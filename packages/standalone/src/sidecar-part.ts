import {SHIPPER_STATE_FILE, Shipper} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import {Sidecar} from "@strata/sidecar";
import {type GrpcServer, serveReadApis, serveStore} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";

export type SidecarPartOptions = {
  readonly prometheusUrl: URL;
  /** Prometheus' data directory, whose blocks are uploaded; undefined uploads none. */
  readonly tsdbPath: string | undefined;
  readonly bucket: Bucket;
  readonly logger: Logger;
  readonly registry: Registry;
};

const READY_TIMEOUT_MS = 600_000;
const CONFIG_INTERVAL_MS = 30_000;
const CONFIG_TIMEOUT_MS = 10_000;

/** A sidecar beside a Prometheus, with its readiness. */
export class SidecarPart {
  readonly #sidecar: Sidecar;
  readonly #registry: Registry;
  #ready = false;
  #onReady = (): void => {};

  constructor({prometheusUrl, tsdbPath, bucket, logger, registry}: SidecarPartOptions) {
    this.#registry = registry;
    this.#sidecar = new Sidecar(
      {
        prometheusUrl,
        http: {},
        readyTimeoutMs: READY_TIMEOUT_MS,
        configIntervalMs: CONFIG_INTERVAL_MS,
        configTimeoutMs: CONFIG_TIMEOUT_MS,
        minTime: () => Number.NEGATIVE_INFINITY,
        upload:
          tsdbPath === undefined
            ? undefined
            : {
                tsdbPath,
                metaFileName: SHIPPER_STATE_FILE,
                ignoreUnequalBlockSize: false,
                shipper: (labels) =>
                  new Shipper({
                    dir: tsdbPath,
                    bucket,
                    labels,
                    source: "sidecar",
                    uploadCompacted: false,
                    logger,
                    registry,
                  }),
              },
      },
      logger,
      registry,
    );
  }

  /** Registers what the sidecar serves. */
  serve(server: GrpcServer): void {
    const sidecar = this.#sidecar;
    serveStore(server, {queryable: sidecar.store, info: () => sidecar.info(this.#ready), registry: this.#registry});
    serveReadApis(server, sidecar.apis);
  }

  /** Calls `f` each time that it has become ready, and now if it is. */
  whenReady(f: () => void): void {
    this.#onReady = f;
    if (this.#ready) f();
  }

  /** Follows its Prometheus until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const ready = (): void => {
      this.#ready = true;
      this.#onReady();
    };
    const notReady = (): void => {
      this.#ready = false;
    };
    await this.#sidecar.run({ready, notReady}, signal);
  }
}
