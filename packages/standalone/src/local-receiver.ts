import {join} from "node:path";
import {errorText, StrataError} from "@strata/base";
import {Shipper} from "@strata/block";
import {Labels} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import {
  HARD_LIMITS,
  IngestorSink,
  LocalWriter,
  NO_LIMITER,
  NO_SERIES_LIMITS,
  OtlpHandler,
  Receiver,
  Tenants,
  WriteHandler,
  writeMetrics,
} from "@strata/receive";
import type {Logger, Registry} from "@strata/telemetry";
import {DEFAULT_TENANT, DEFAULT_TENANT_CONFIG, type HttpServer, listen, Router} from "@strata/web";

export type LocalReceiverOptions = {
  readonly dir: string;
  readonly bucket: Bucket;
  /** `host:port` for remote write and OTLP. */
  readonly address: string;
  readonly logger: Logger;
  readonly registry: Registry;
};

const BLOCK_MS = 2 * 60 * 60 * 1000;
/** Blocks stay here for so long beside the bucket. */
const RETENTION_MS = 24 * 60 * 60 * 1000;
const GRACE_MS = 10_000;

/** A receiver without a hashring, for what others send to this process. */
export class LocalReceiver {
  readonly receiver: Receiver;
  readonly #o: LocalReceiverOptions;
  readonly #handler: WriteHandler;
  readonly #otlp: OtlpHandler;
  #server: HttpServer | undefined;

  constructor(options: LocalReceiverOptions) {
    const {logger, registry, bucket, dir} = options;
    this.#o = options;
    const tenants = new Tenants({
      dir: join(dir, "tenants"),
      labels: Labels.fromObject({receive: "standalone"}),
      tenantLabel: "tenant_id",
      db: {retentionMs: RETENTION_MS, maxExemplars: 10_000},
      registry,
      limits: () => NO_SERIES_LIMITS,
      tooFarInFutureMs: 0,
      startTimes: false,
      // A tenant that is idle costs little here.
      retentionMs: 0,
      shipper: (path, tenant, labels) =>
        new Shipper({
          dir: path,
          bucket,
          labels: () => labels,
          source: "receive",
          uploadCompacted: false,
          logger: logger.with({tenant}),
          registry: registry.sub({tenant}),
        }),
      logger,
    });
    this.receiver = new Receiver({
      tenants,
      defaultTenant: DEFAULT_TENANT,
      uploads: true,
      blockMs: BLOCK_MS,
      logger,
      registry,
    });
    this.#handler = new WriteHandler({
      sink: new IngestorSink(new LocalWriter(tenants), ""),
      notReady: () => (this.receiver.isOpen ? undefined : "the databases are being opened"),
      tenants: DEFAULT_TENANT_CONFIG,
      replicaHeader: "THANOS-REPLICA",
      limiter: NO_LIMITER,
      rewrite: {relabel: [], splitLabel: ""},
      startTimes: false,
      metrics: writeMetrics(registry),
      logger,
    });
    this.#otlp = new OtlpHandler({
      settings: {
        naming: {utf8: false, suffixes: true},
        prometheus: false,
        targetInfo: true,
        promote: [],
        keepIdentifying: false,
        nhcb: false,
        scopeMetadata: false,
      },
      deltaToCumulative: false,
      writes: this.#handler,
    });
  }

  /**
   * Keeps the databases and takes writes until `signal` aborts; `onOpen` is called once it does. An address that is taken is
   * no reason to stop.
   */
  async run(onOpen: () => void, signal: AbortSignal): Promise<void> {
    const {address, logger} = this.#o;
    const router = new Router();
    const [receive, otlp] = ["/api/v1/receive", "/api/v1/otlp"];
    router.add({methods: ["POST"], path: receive, name: "receive", handle: (r) => this.#handler.receive(r)});
    router.add({methods: ["POST"], path: otlp, name: "otlp", handle: (r) => this.#otlp.export(r)});
    try {
      this.#server = await listen({address, router, log: logger});
      logger.info("listening for remote write", {url: `${this.#server.url}${receive}`});
    } catch (err) {
      logger.warn("going on without remote write", {err: errorText(err)});
    }
    try {
      await this.receiver.run(onOpen, signal);
    } finally {
      await this.#server?.close(GRACE_MS);
    }
  }

  /** Writes a remote-write body of this process's own. */
  async write(tenant: string, body: Uint8Array): Promise<void> {
    if (!this.receiver.isOpen) throw new StrataError("unavailable", "the databases are being opened");
    await this.#handler.write(tenant, body, (window, bytes) => {
      window.loadSnappy(bytes, HARD_LIMITS);
      window.walk(HARD_LIMITS, false);
      return 0;
    });
  }

  async close(): Promise<void> {
    await this.#server?.close(0);
    await this.receiver.stop(GRACE_MS);
  }
}
