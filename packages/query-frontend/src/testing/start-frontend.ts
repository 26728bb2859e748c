import http from "node:http";
import type {AddressInfo} from "node:net";
import type {TestScope} from "@strata/base/testing";
import {type Cache, LruCache} from "@strata/cache";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {listen, Router} from "@strata/web";
import {Downstream} from "../downstream.ts";
import {parseDownstreamConfig} from "../downstream-config.ts";
import {FairQueue} from "../fair-queue.ts";
import {Frontend, type FrontendOptions} from "../frontend.ts";
import {ResultsCache} from "../results-cache.ts";
import type {Compression} from "../value-compression.ts";

/** A request as the downstream of a test gets it. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
};

export type Reply = {
  readonly status: number;
  readonly body: string | Uint8Array;
  readonly headers?: Record<string, string>;
};

/** A server that answers with what `reply` gives, and notes what it was asked. */
export async function startDownstream(t: TestScope, reply: (asked: Asked) => Reply | Promise<Reply>) {
  const asked: Asked[] = [];
  const server = http.createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const url = new URL(req.url ?? "/", "http://localhost");
    const params = new URLSearchParams([...new URLSearchParams(Buffer.concat(parts).toString()), ...url.searchParams]);
    const one = {method: req.method ?? "", path: url.pathname, params, headers: req.headers};
    asked.push(one);
    const {status, body, headers} = await reply(one);
    res.writeHead(status, {"content-type": "application/json", ...headers}).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked};
}

export type TestOptions = {
  readonly range?: Partial<FrontendOptions["range"]>;
  readonly labels?: Partial<FrontendOptions["labels"]>;
  readonly instantTries?: number;
  readonly compression?: Compression;
  readonly cacheRange?: boolean;
  readonly cacheLabels?: boolean;
  readonly cache?: Cache;
  readonly now?: () => number;
} & Partial<Pick<FrontendOptions, "shards" | "orgHeaders" | "forwardHeaders" | "forceStats" | "queue">>;

const HOUR_MS = 3_600_000;

/** A front end over `url` with the defaults of the flags, on a port of its own. */
export async function startFrontend(t: TestScope, url: string, options: TestOptions = {}): Promise<string> {
  const registry = newRegistry();
  const now = options.now ?? Date.now;
  const newCache = (name: string) =>
    new ResultsCache({
      cache: options.cache ?? new LruCache({name, maxBytes: 1 << 28, maxItemBytes: 1 << 27}),
      freshnessMs: 60_000,
      isInProcess: options.cache === undefined,
      ttlMs: 0,
      compression: options.compression ?? "none",
      now,
      logger: nullLogger(),
      registry,
      name,
    });
  const downstream = new Downstream(new URL(url), parseDownstreamConfig(""));
  const frontend = new Frontend({
    downstream,
    queue: options.queue ?? new FairQueue({concurrency: 100, perTenant: 1000}),
    range: {
      maxLengthMs: 0,
      alignWithStep: true,
      requestDownsampled: true,
      split: {intervalMs: 24 * HOUR_MS, minMs: 0, maxMs: 0, shards: 0},
      parallelism: 14,
      tries: 5,
      partialResponse: true,
      cache: options.cacheRange ? newCache("query_range") : undefined,
      ...options.range,
    },
    instant: {parallelism: 14, tries: options.instantTries ?? 5},
    labels: {
      intervalMs: 24 * HOUR_MS,
      parallelism: 14,
      tries: 5,
      partialResponse: true,
      timeRangeMs: 24 * HOUR_MS,
      cache: options.cacheLabels ? newCache("labels") : undefined,
      ...options.labels,
    },
    shards: options.shards ?? 0,
    language: {},
    forceStats: options.forceStats ?? false,
    orgHeaders: options.orgHeaders ?? [],
    forwardHeaders: options.forwardHeaders ?? [],
    tenantHeader: "THANOS-TENANT",
    defaultTenant: "default-tenant",
    certificateField: "",
    compress: false,
    cors: true,
    slowLog: {longerThanMs: 0, userHeader: ""},
    logger: nullLogger(),
    registry,
    now,
  });
  const router = new Router();
  router.any("/*", (request) => frontend.handle(request));
  const server = await listen({address: "127.0.0.1:0", router, log: nullLogger()});
  t.after(async () => {
    await server.close(0);
    downstream.close();
  });
  return server.url;
}
