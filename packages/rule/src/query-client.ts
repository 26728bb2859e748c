import {errorText, Gate, StrataError} from "@strata/base";
import {formatRfc3339, type Labels, matcher, matcherText} from "@strata/model";
import type {ForState, RuleQuery, RuleVector, Strategy} from "@strata/rules";
import type {QueryClient} from "@strata/storeapi";
import type {Logger} from "@strata/telemetry";
import {QueryBatcher} from "./query-batcher.ts";
import {askGrpc} from "./query-grpc.ts";
import {LabelCache, type QueryAnswer, readLast, readVector} from "./query-json.ts";
import type {ServerGroup} from "./server-config.ts";
import type {Server, ServerSet} from "./server-set.ts";

export type QueriersOptions = {
  readonly http: ServerSet<ServerGroup>;
  readonly grpc: () => readonly QueryClient[];
  readonly method: "GET" | "POST";
  /** Leave out what only Thanos knows. */
  readonly onlyPrometheusParams: boolean;
  readonly defaultStepMs: number;
  readonly logger: Logger;
  /** How long one querier may take, ms. */
  readonly timeoutMs?: number | undefined;
  /** Queries at once that are asked for by themselves; left out, as many as there are. */
  readonly concurrency?: number | undefined;
  /** Told of answers that are not whole. */
  readonly onWarnings: (strategy: Strategy) => void;
};

/** No answer of a rule may be longer. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;
/** A querier that hangs must not stop a group for ever; by itself it gives up after two minutes. */
const TIMEOUT_MS = 150_000;
/** What is told of an answer that is no success. */
const QUOTED_BODY = 1024;
/** Label sets kept by text: about that of a few thousand rules. */
const CACHED_LABELS = 200_000;

/**
 * The queriers that rules ask: HTTP ones group by group and server by server, then those over gRPC, until one answers.
 * Where to begin moves on with each query, so that all get their share.
 */
export class Queriers {
  readonly #options: QueriersOptions;
  readonly #labels = new LabelCache(CACHED_LABELS);
  readonly #gate: Gate;
  /** undefined where a querier is to be asked in Prometheus' own words, or by GET. */
  readonly #batcher: QueryBatcher | undefined;
  #turn = 0;

  constructor(options: QueriersOptions) {
    const {http, method, onlyPrometheusParams, concurrency, timeoutMs = TIMEOUT_MS, logger} = options;
    this.#options = options;
    this.#gate = new Gate(concurrency ?? Number.POSITIVE_INFINITY);
    if (method === "GET" || onlyPrometheusParams) return;
    this.#batcher = new QueryBatcher({
      server: () => rotated(http.servers, this.#turn).flatMap((group) => rotated(group, this.#turn++))[0],
      single: (query, signal) => this.#single(query, signal),
      labels: this.#labels,
      timeoutMs,
      now: () => performance.now(),
      logger,
    });
  }

  /** The answer to an instant query. Throws `unavailable` when no querier answers. */
  async query(query: RuleQuery, signal: AbortSignal): Promise<RuleVector> {
    const {result, warnings} = await (this.#batcher?.query(query, signal) ?? this.#single(query, signal));
    this.#tell(warnings, query);
    return result;
  }

  async #single(query: RuleQuery, signal: AbortSignal): Promise<QueryAnswer<RuleVector>> {
    await this.#gate.enter(signal);
    try {
      return await this.#first(
        signal,
        (server, limit) => this.#askHttp(server, query, limit),
        (client, limit) => askGrpc(client, query, limit),
      );
    } finally {
      this.#gate.leave();
    }
  }

  /** The last stored samples of series with all these labels, over HTTP; nothing when no querier answers. */
  async forState(
    labels: Labels,
    mint: number,
    maxt: number,
    ignored: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly ForState[]> {
    const selector = `{${[...labels].map(([name, value]) => matcherText(matcher(name, "=", value))).join(", ")}}`;
    const params = new URLSearchParams({
      query: selector,
      start: String(mint / 1000),
      end: String(maxt / 1000),
      step: String(this.#options.defaultStepMs / 1000),
      ...(this.#options.onlyPrometheusParams ? {} : {dedup: "true"}),
    });
    const ask = async (server: Server<ServerGroup>, limit: AbortSignal): Promise<QueryAnswer<readonly ForState[]>> =>
      readLast(await this.#send(server, "/api/v1/query_range", params, limit));
    const {result} = await this.#first(signal, ask, undefined);
    return ignored.length === 0 ? result : result.map((state) => ({...state, labels: state.labels.without(ignored)}));
  }

  async #first<T>(
    signal: AbortSignal,
    http: (server: Server<ServerGroup>, limit: AbortSignal) => Promise<T>,
    grpc: ((client: QueryClient, limit: AbortSignal) => Promise<T>) | undefined,
  ): Promise<T> {
    const {timeoutMs = TIMEOUT_MS} = this.#options;
    const turn = this.#turn++;
    const servers = rotated(this.#options.http.servers, turn).flatMap((group) => rotated(group, turn));
    const attempts: {readonly address: string; readonly run: (limit: AbortSignal) => Promise<T>}[] = servers.map(
      (server) => ({
        address: server.url.href,
        run: (limit) => http(server, limit),
      }),
    );
    if (grpc !== undefined) {
      for (const client of rotated(this.#options.grpc(), turn)) {
        attempts.push({address: client.address, run: (limit) => grpc(client, limit)});
      }
    }
    let fault: unknown;
    let last = "";
    for (const {address, run} of attempts) {
      try {
        return await run(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      } catch (err) {
        signal.throwIfAborted();
        // Whoever asked tells of the failure of the last.
        const level = attempts.length > 1 ? "error" : "debug";
        this.#options.logger[level]("cannot evaluate query", {querier: address, err: errorText(err)});
        if (isQueryFault(err)) fault ??= err;
        last = `: ${errorText(err)}`;
      }
    }
    if (fault !== undefined) throw fault;
    throw new StrataError("unavailable", `no query API server reachable${last}`);
  }

  async #askHttp(server: Server<ServerGroup>, query: RuleQuery, signal: AbortSignal): Promise<QueryAnswer<RuleVector>> {
    const params = new URLSearchParams(
      this.#options.onlyPrometheusParams
        ? {}
        : {
            analyze: "false",
            dedup: "true",
            engine: "",
            explain: "false",
            partial_response: String(query.strategy === "warn"),
          },
    );
    params.set("query", query.query);
    params.set("time", formatRfc3339(query.t));
    return readVector(await this.#send(server, "/api/v1/query", params, signal), this.#labels);
  }

  async #send(
    {client}: Server<ServerGroup>,
    path: string,
    params: URLSearchParams,
    signal: AbortSignal,
  ): Promise<string> {
    const request =
      this.#options.method === "GET"
        ? {method: "GET" as const, path, params}
        : {
            method: "POST" as const,
            path,
            headers: {"content-type": "application/x-www-form-urlencoded"},
            body: Buffer.from(params.toString()),
          };
    const {status, body} = await client.answer(request, MAX_ANSWER_BYTES, signal);
    const text = body.toString("utf8");
    if (status >= 200 && status < 300) return text;
    const fault = status === 400 || status === 422 ? queryFault(text) : undefined;
    if (fault !== undefined) throw new StrataError("execution", fault);
    throw new StrataError("unavailable", `expected 2xx response, got ${status}. Body: ${text.slice(0, QUOTED_BODY)}`);
  }

  #tell(warnings: readonly string[], {query, strategy}: RuleQuery): void {
    if (warnings.length === 0) return;
    this.#options.logger.warn("query has warnings", {query, warnings: warnings.join(", ")});
    if (warnings.some((text) => !/^PromQL (info|warning)/.test(text))) this.#options.onWarnings(strategy);
  }
}

/** What a query API says is wrong with a query. */
function queryFault(body: string): string | undefined {
  try {
    const {error} = JSON.parse(body) as {error?: unknown};
    return typeof error === "string" && error !== "" ? error : undefined;
  } catch {
    return undefined;
  }
}

/** Errors that come from the query and not from the querier. */
const isQueryFault = (err: unknown): boolean =>
  err instanceof StrataError && (err.code === "bad_data" || err.code === "execution");

const rotated = <T>(items: readonly T[], by: number): readonly T[] => {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
};
