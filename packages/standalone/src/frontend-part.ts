import {LruCache} from "@strata/cache";
import {Downstream, FairQueue, Frontend, parseDownstreamConfig, ResultsCache} from "@strata/query-frontend";
import type {Logger, Registry} from "@strata/telemetry";
import {DEFAULT_TENANT, DEFAULT_TENANT_HEADER, type Handler, type HttpServer, listen, Router} from "@strata/web";

export type FrontendPartOptions = {
  /** Puts the querier's API on a router. */
  readonly mount: (router: Router) => void;
  readonly logger: Logger;
  readonly registry: Registry;
};

const DAY_MS = 24 * 3_600_000;
/** Kept answers, all together; an idle process has none. */
const CACHE_BYTES = 64 << 20;
const CACHE_ITEM_BYTES = 16 << 20;
/** What is newer may still change. */
const FRESHNESS_MS = 60_000;
/** Parts of a query that are asked for at once: there are few cores. */
const PARALLELISM = 4;
const QUEUE = {concurrency: 20, perTenant: 1024};

/** A query-frontend in front of the querier of the same process, which it asks over loopback. */
export class FrontendPart {
  readonly #server: HttpServer;
  readonly #direct: Router;
  readonly #downstream: Downstream;
  readonly #frontend: Frontend;

  private constructor(server: HttpServer, direct: Router, {logger, registry}: FrontendPartOptions) {
    this.#server = server;
    this.#direct = direct;
    this.#downstream = new Downstream(new URL(server.url), parseDownstreamConfig(""));
    const cache = new LruCache({name: "query_range", maxBytes: CACHE_BYTES, maxItemBytes: CACHE_ITEM_BYTES});
    const kept = {
      cache,
      isInProcess: true,
      ttlMs: 0,
      freshnessMs: FRESHNESS_MS,
      compression: "none" as const,
      now: Date.now,
      name: "query_range",
    };
    this.#frontend = new Frontend({
      downstream: this.#downstream,
      queue: new FairQueue(QUEUE),
      range: {
        maxLengthMs: 0,
        alignWithStep: true,
        requestDownsampled: true,
        // A day at a time for what is refreshed; a year in few parts.
        split: {intervalMs: 0, minMs: DAY_MS, maxMs: 90 * DAY_MS, shards: PARALLELISM},
        parallelism: PARALLELISM,
        // Nothing is between here and the querier that a second try would mend.
        tries: 1,
        partialResponse: true,
        cache: new ResultsCache({...kept, logger, registry}),
      },
      instant: {parallelism: PARALLELISM, tries: 1},
      labels: {
        intervalMs: DAY_MS,
        parallelism: PARALLELISM,
        tries: 1,
        partialResponse: true,
        timeRangeMs: DAY_MS,
        cache: undefined,
      },
      shards: 0,
      language: {},
      forceStats: false,
      orgHeaders: [],
      forwardHeaders: [],
      tenantHeader: DEFAULT_TENANT_HEADER,
      defaultTenant: DEFAULT_TENANT,
      certificateField: "",
      compress: false,
      cors: true,
      slowLog: {longerThanMs: 0, userHeader: ""},
      logger,
      registry,
      now: Date.now,
    });
  }

  static async open(options: FrontendPartOptions): Promise<FrontendPart> {
    const router = new Router();
    options.mount(router);
    const server = await listen({address: "127.0.0.1:0", router, log: options.logger});
    return new FrontendPart(server, router, options);
  }

  /**
   * Answers range queries: through the front-end what it can split and keep. Straight to the querier goes what asks for
   * statistics or a plan, which kept answers do not have, and what leaves the step to the querier.
   */
  readonly queryRange: Handler = async (request) => {
    const form = await request.form();
    const isPlain = form.has("step") && !form.get("stats") && !form.get("analyze") && !form.has("explain");
    if (!isPlain) {
      const found = this.#direct.find(request.method, request.path);
      return "status" in found ? found : found.route.handle(request);
    }
    // The querier's own default, said aloud: only then the front-end looks for coarser data where finer is gone.
    if (!form.has("max_source_resolution")) form.set("max_source_resolution", "auto");
    return this.#frontend.handle(request);
  };

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#downstream.close();
    await this.#server.close(0);
  }
}
