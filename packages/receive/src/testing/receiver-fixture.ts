import {request as httpRequest, type OutgoingHttpHeaders} from "node:http";
import {unlimited} from "@strata/base";
import {type TestScope, tempDir} from "@strata/base/testing";
import {Labels, matcher} from "@strata/model";
import type {Queryable, Select} from "@strata/series";
import {newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import {goldenSamples} from "@strata/tsdb";
import {DEFAULT_TENANT_CONFIG, type HttpServer, httpMetrics, listen, Router} from "@strata/web";
import {IngestorSink} from "../ingestor-sink.ts";
import {LocalWriter} from "../local-writer.ts";
import {NO_LIMITER} from "../request-limits.ts";
import {NO_SERIES_LIMITS} from "../tenant-writer.ts";
import {Tenants, type TenantsOptions} from "../tenants.ts";
import {WriteHandler, type WriteHandlerOptions} from "../write-handler.ts";
import {writeMetrics} from "../write-metrics.ts";

/** A receiver without a hashring, in this process. */
export type ReceiverFixture = {
  readonly tenants: Tenants;
  readonly server: HttpServer;
  readonly registry: Registry;
  readonly handler: WriteHandler;
};

export type FixtureOptions = {
  readonly tenants?: Partial<TenantsOptions> | undefined;
  readonly handler?: Partial<WriteHandlerOptions> | undefined;
  /** How errors name it. */
  readonly address?: string | undefined;
  readonly addRoutes?: ((router: Router, handler: WriteHandler) => void) | undefined;
};

/** Starts one over an empty directory. */
export async function startReceiver(t: TestScope, options: FixtureOptions = {}): Promise<ReceiverFixture> {
  const registry = newRegistry();
  const startTimes = options.handler?.startTimes ?? false;
  const tenants = new Tenants({
    dir: tempDir(t),
    labels: Labels.fromObject({replica: "r0"}),
    tenantLabel: "tenant_id",
    db: {maxExemplars: 1000},
    limits: () => NO_SERIES_LIMITS,
    tooFarInFutureMs: 0,
    startTimes,
    retentionMs: 0,
    logger: nullLogger(),
    ...options.tenants,
  });
  const handler = new WriteHandler({
    sink: new IngestorSink(new LocalWriter(tenants), options.address ?? ""),
    notReady: () => undefined,
    tenants: DEFAULT_TENANT_CONFIG,
    replicaHeader: "THANOS-REPLICA",
    limiter: NO_LIMITER,
    rewrite: {relabel: [], splitLabel: ""},
    startTimes,
    metrics: writeMetrics(registry),
    logger: nullLogger(),
    ...options.handler,
  });
  const router = new Router();
  router.add({methods: ["POST"], path: "/api/v1/receive", name: "receive", handle: (r) => handler.receive(r)});
  options.addRoutes?.(router, handler);
  const metrics = httpMetrics(registry, true);
  const server = await listen({address: "127.0.0.1:0", router, log: nullLogger(), metrics});
  t.after(async () => {
    await server.close(0);
    await tenants.close();
  });
  return {tenants, server, registry, handler};
}

export type Answer = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
};

/** Sends a body with exactly these headers. */
export function send(url: string, body: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = httpRequest(url, {method: "POST", headers: {"content-length": body.length, ...headers}}, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (piece: string) => (text += piece));
      res.on("end", () => resolve({status: res.statusCode ?? 0, body: text, headers: res.headers}));
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body);
  });
}

/** Everything that a store holds in the form of the reference data: samples by the text of the labels. */
export async function storedSamples(store: Queryable, matchers = [matcher("__name__", "=~", ".*")]) {
  const q: Select = {
    matchers,
    mint: Number.MIN_SAFE_INTEGER,
    maxt: Number.MAX_SAFE_INTEGER,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [],
    withoutReplicaLabels: [],
    shard: undefined,
    skipChunks: false,
    limit: 0,
    partialResponse: false,
    budget: unlimited(),
  };
  const series = new Map<string, {labels: Labels; samples: unknown[][]}>();
  for await (const batch of store.select(q, new AbortController().signal)) {
    batch.labels.forEach((labels, row) => {
      const samples = series.get(labels.toString())?.samples ?? [];
      for (let i = batch.firstChunk[row] as number; i < (batch.firstChunk[row + 1] as number); i++) {
        const {bytes, encoding, offset, length} = batch;
        const [code, at, size] = [encoding[i] as number, offset[i] as number, length[i] as number];
        samples.push(...(goldenSamples(code, bytes, at, size) as unknown[][]));
      }
      series.set(labels.toString(), {labels, samples});
    });
  }
  return series;
}
