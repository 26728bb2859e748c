import {errorCode, errorText, StrataError} from "@strata/base";
import type {ParseOptions} from "@strata/promql";
import type {Logger, Registry} from "@strata/telemetry";
import type {CertificateField, HttpRequest, HttpResponse} from "@strata/web";
import {CORS_HEADERS, DEFAULT_TENANT_HEADER, resolveTenant} from "@strata/web";
import type {Downstream, DownstreamAnswer} from "./downstream.ts";
import type {DownstreamRequest} from "./downstream-request.ts";
import type {FairQueue} from "./fair-queue.ts";
import {writeInstant} from "./instant-answer.ts";
import {InstantPipeline, type InstantPipelineOptions} from "./instant-pipeline.ts";
import {writeLabels} from "./labels-answer.ts";
import {LabelsPipeline, type LabelsPipelineOptions} from "./labels-pipeline.ts";
import {type FrontendMetrics, frontendMetrics, type Tripperware} from "./metrics.ts";
import {type QueryStats, writeRange} from "./range-answer.ts";
import {RangePipeline, type RangePipelineOptions} from "./range-pipeline.ts";
import {type Common, instantRequest, labelsRequest, rangeRequest} from "./request.ts";
import {withRetries} from "./retry.ts";
import {ShardAnalyzer} from "./shard-analysis.ts";
import {SingleFlight} from "./single-flight.ts";
import {type SlowLogOptions, SlowQueryLog} from "./slow-query-log.ts";

/** What a pipeline asks downstream with. */
export type AskContext = {
  readonly org: string;
  readonly tries: number;
  readonly tripperware: Tripperware;
  readonly signal: AbortSignal;
};
/** The querier's answer below 300; any other is thrown as a `PassedOn`. */
export type AskDownstream = (request: DownstreamRequest, context: AskContext) => Promise<DownstreamAnswer>;

type Shared = "ask" | "metrics" | "analyzer" | "language" | "shards" | "forceStats";

export type FrontendOptions = {
  readonly downstream: Downstream;
  readonly queue: FairQueue;
  readonly range: Omit<RangePipelineOptions, Shared> & {readonly partialResponse: boolean};
  readonly instant: Omit<InstantPipelineOptions, Shared>;
  readonly labels: Omit<LabelsPipelineOptions, Shared> & {
    readonly partialResponse: boolean;
    readonly timeRangeMs: number;
  };
  readonly shards: number;
  readonly language: ParseOptions;
  readonly forceStats: boolean;
  /** `--query-frontend.org-id-header`. */
  readonly orgHeaders: readonly string[];
  readonly forwardHeaders: readonly string[];
  readonly tenantHeader: string;
  readonly defaultTenant: string;
  readonly certificateField: CertificateField;
  readonly compress: boolean;
  /** Whether answers may be read by pages from elsewhere. */
  readonly cors: boolean;
  readonly slowLog: SlowLogOptions;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now: () => number;
};

/** An answer of the querier that goes to the client as it is. */
class PassedOn extends Error {
  readonly answer: DownstreamAnswer;

  constructor(answer: DownstreamAnswer) {
    super(`the querier answered with status ${answer.status}`);
    this.answer = answer;
  }
}

const NO_ORG = "anonymous";
/** Longest body of a request. */
const BODY_LIMIT = 10 << 20;

/** Stands before queriers: splits, shards, caches and retries what Grafana asks, and passes everything else through. */
export class Frontend {
  readonly #o: FrontendOptions;
  readonly #metrics: FrontendMetrics;
  readonly #range: RangePipeline;
  readonly #instant: InstantPipeline;
  readonly #labels: LabelsPipeline;
  readonly #flights = new SingleFlight<DownstreamAnswer>();
  readonly #slow: SlowQueryLog;

  constructor(options: FrontendOptions) {
    this.#o = options;
    this.#metrics = frontendMetrics(options.registry);
    this.#slow = new SlowQueryLog(options.slowLog, options.logger);
    const {language, shards, forceStats} = options;
    const shared = {
      ask: (request: DownstreamRequest, context: AskContext) => this.#ask(request, context),
      metrics: this.#metrics,
      analyzer: new ShardAnalyzer(language),
      language,
      shards,
      forceStats,
    };
    this.#range = new RangePipeline({...options.range, ...shared});
    this.#instant = new InstantPipeline({...options.instant, ...shared});
    this.#labels = new LabelsPipeline({...options.labels, ...shared});
  }

  /** Answers any request. */
  async handle(request: HttpRequest): Promise<HttpResponse> {
    const began = performance.now();
    const stats: {given?: QueryStats | undefined} = {};
    let answer: HttpResponse;
    try {
      answer = await this.#route(request, stats);
    } catch (err) {
      answer = this.#failure(err);
    }
    await this.#slow.request(request, answer, performance.now() - began, stats.given);
    const headers = this.#o.cors ? {...answer.headers, ...CORS_HEADERS} : answer.headers;
    return {...answer, headers, compress: this.#o.compress};
  }

  async #route(request: HttpRequest, stats: {given?: QueryStats | undefined}): Promise<HttpResponse> {
    const {path, method} = request;
    if (method === "OPTIONS" && this.#o.cors) return {status: 204};
    if (method === "GET" || method === "POST") {
      if (path.endsWith("/api/v1/query_range")) return this.#queryRange(request, stats);
      if (path.endsWith("/api/v1/query")) return this.#query(request, stats);
      if (path.endsWith("/api/v1/labels")) return this.#labelCall(request, "label_names", "");
      if (path.endsWith("/api/v1/series")) return this.#labelCall(request, "series", "");
      const values = /\/api\/v1\/label\/([^/]+)\/values$/.exec(path);
      if (values !== null) return this.#labelCall(request, "label_values", values[1] as string);
    }
    return this.#pass(request);
  }

  async #queryRange(request: HttpRequest, stats: {given?: QueryStats | undefined}): Promise<HttpResponse> {
    this.#metrics.queries.with({op: "query_range"}).inc();
    const form = await request.form();
    const {partialResponse} = this.#o.range;
    const defaults = {partialResponse, timeRangeMs: 0, now: this.#o.now()};
    const parsed = rangeRequest(form, this.#common(request, partialResponse), defaults);
    const answer = await this.#range.run(parsed, request.signal);
    stats.given = answer.stats;
    return {...json(writeRange(answer)), headers: {...JSON_HEADERS, ...noStoreHeader(answer.noStore)}};
  }

  async #query(request: HttpRequest, stats: {given?: QueryStats | undefined}): Promise<HttpResponse> {
    this.#metrics.queries.with({op: "query"}).inc();
    const form = await request.form();
    const {partialResponse} = this.#o.range;
    const defaults = {partialResponse, timeRangeMs: 0, now: this.#o.now()};
    const parsed = instantRequest(form, this.#common(request, partialResponse), defaults);
    const answer = await this.#instant.run(parsed, request.signal);
    stats.given = answer.stats;
    return json(writeInstant(answer));
  }

  async #labelCall(
    request: HttpRequest,
    op: "label_names" | "label_values" | "series",
    label: string,
  ): Promise<HttpResponse> {
    this.#metrics.queries.with({op}).inc();
    const form = await request.form();
    const {partialResponse, timeRangeMs} = this.#o.labels;
    const common = this.#common(request, partialResponse);
    const parsed = labelsRequest(form, common, op, label, {partialResponse, timeRangeMs, now: this.#o.now()});
    return json(writeLabels(await this.#labels.run(parsed, request.signal)));
  }

  async #pass(request: HttpRequest): Promise<HttpResponse> {
    const body = await request.body(BODY_LIMIT);
    const headers = {
      ...request.headers,
      [DEFAULT_TENANT_HEADER.toLowerCase()]: this.#tenant(request),
      "x-request-id": request.id,
    };
    const custom = this.#o.tenantHeader.toLowerCase();
    if (custom !== DEFAULT_TENANT_HEADER.toLowerCase()) delete (headers as Record<string, unknown>)[custom];
    const target = request.raw.url ?? request.path;
    const answer = await this.#o.downstream.pass(request.method, target, headers, body, request.signal);
    const back: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) back[name] = String(value);
    return {status: answer.status, headers: back, body: answer.body};
  }

  #common(request: HttpRequest, partialResponse: boolean): Common {
    const forwarded: Record<string, string> = {};
    for (const name of this.#o.forwardHeaders) {
      const value = request.headers[name.toLowerCase()];
      if (value !== undefined) forwarded[name.toLowerCase()] = String(value);
    }
    const identity = this.#identity(request);
    return {
      path: request.raw.url?.split("?", 1)[0] ?? request.path,
      partialResponse,
      storeMatch: [],
      noStore: /\bno-store\b/.test(request.headers["cache-control"] ?? ""),
      headers: {...forwarded, ...identity},
      org: identity["x-scope-orgid"] as string,
    };
  }

  #tenant(request: HttpRequest): string {
    const {tenantHeader, defaultTenant, certificateField} = this.#o;
    return resolveTenant(request.raw, {header: tenantHeader, defaultTenant, certificateField});
  }

  /** Who asks, as the querier is told. */
  #identity(request: HttpRequest): Record<string, string> {
    const {tenantHeader, certificateField, orgHeaders} = this.#o;
    const tenant = this.#tenant(request);
    const names = orgHeaders.length > 0 ? orgHeaders : [tenantHeader];
    const org = [...names, DEFAULT_TENANT_HEADER]
      .map((name) => request.headers[name.toLowerCase()])
      .find((value) => value !== undefined && value !== "");
    const own = certificateField === "" ? String(org ?? NO_ORG) : tenant;
    return {[DEFAULT_TENANT_HEADER.toLowerCase()]: tenant, "x-scope-orgid": own};
  }

  /** Equal requests of one caller run once; each waits for its tenant's turn, and is retried as configured. */
  async #ask(request: DownstreamRequest, {org, tries, tripperware, signal}: AskContext): Promise<DownstreamAnswer> {
    const key = JSON.stringify([request.method, request.target, request.body, Object.entries(request.headers).sort()]);
    let own = false;
    const work = (flight: AbortSignal): Promise<DownstreamAnswer> => {
      own = true;
      const send = () => this.#o.queue.run(org, () => this.#o.downstream.fetch(request, flight), flight);
      const retried = (times: number) => this.#metrics.retries.with({tripperware}).observe(times);
      return withRetries(tries, send, retried, flight);
    };
    const answer = await this.#flights.run(key, work, signal);
    if (!own) this.#metrics.shared.inc();
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new PassedOn(answer);
  }

  /** Compat: errors are plain text, those of the querier its own body. */
  #failure(err: unknown): HttpResponse {
    if (err instanceof PassedOn) return plain(err.answer.status, Buffer.from(err.answer.body));
    const code = errorCode(err);
    const fields = err instanceof StrataError ? err.fields : {};
    if (fields.parse === true) {
      return plain(400, `{"status": "error", "error": ${JSON.stringify(errorText(err))}}`);
    }
    if (fields.tooMany === true) return plain(429, errorText(err));
    if (code === "limit") return plain(413, "http: request body too large");
    if (code === "bad_data") return plain(400, errorText(err));
    if (code === "canceled") return plain(499, "context canceled");
    if (code === "timeout") return plain(504, "context deadline exceeded");
    this.#o.logger.error("cannot answer request", {err});
    return plain(500, errorText(err));
  }
}

const JSON_HEADERS = {"content-type": "application/json"};

const json = (body: string | Iterable<Uint8Array>): HttpResponse => ({
  status: 200,
  headers: JSON_HEADERS,
  body: typeof body === "string" ? body : pieces(body),
});

/** A gap is told to caches further out, too. */
const noStoreHeader = (noStore: boolean): Record<string, string> => (noStore ? {"cache-control": "no-store"} : {});

const plain = (status: number, body: string | Uint8Array): HttpResponse => ({
  status,
  headers: {"content-type": "text/plain; charset=utf-8"},
  body,
});

/** Small pieces are gathered: a write each would cost more than the copy. Larger ones go as they are. */
const GATHER_BYTES = 64 * 1024;
const SMALL_BYTES = 8 * 1024;

async function* pieces(source: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  const gathered = (): Uint8Array => {
    const all = held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held, bytes);
    held = [];
    bytes = 0;
    return all;
  };
  for (const piece of source) {
    const isLarge = piece.length >= SMALL_BYTES;
    if (bytes > 0 && (isLarge || bytes >= GATHER_BYTES)) yield gathered();
    if (isLarge) {
      yield piece;
      continue;
    }
    held.push(piece);
    bytes += piece.length;
  }
  if (bytes > 0) yield gathered();
}
