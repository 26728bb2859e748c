import {ByteBudget, StrataError} from "@strata/base";
import {explain, type Features} from "@strata/engine";
import {compareLabels, compareUtf8, type Labels, type Matcher, matcherText} from "@strata/model";
import {documentedType, type Expr, type ParseOptions, parseExpr, valueType} from "@strata/promql";
import {AGGREGATE, type Caller, type LabelQuery, type Select} from "@strata/series";
import type {ProxyStore} from "@strata/storeapi";
import type {
  ActiveQuery,
  FederateParams,
  InstantParams,
  JsonPieces,
  MetadataParams,
  PlanTree,
  QueryAnswer,
  QueryBackend,
  QueryParams,
  RangeParams,
  SeriesAnswer,
  SeriesParams,
  StoreStatus,
  ValuesAnswer,
} from "@strata/web";
import {planTree} from "./analysis.ts";
import type {Federation} from "./distributed/engines.ts";
import type {RemoteJob} from "./distributed/remote-queryable.ts";
import {enforceOn, enforceOnExpr, type Tenancy, type TenantLabel, tenantLabel} from "./enforce-tenancy.ts";
import {lookbackFor} from "./lookback.ts";
import type {Job, JobOutput} from "./messages.ts";
import {proxyError} from "./proxy-error.ts";
import type {SelectPlanner} from "./query-run.ts";
import type {QueryRunner} from "./query-runner.ts";

export type QuerierOptions = {
  /** `--query.timeout`, ms. */
  readonly timeoutMs: number;
  /** `--query.lookback-delta`, ms; undefined is the engine's 5 m. */
  readonly lookbackMs: number | undefined;
  /** `--query.dynamic-lookback-delta`. */
  readonly dynamicLookback: boolean;
  /** `--query.default-evaluation-interval`, ms. */
  readonly subqueryStepMs: number;
  readonly dedupFunc: "penalty" | "chain";
  readonly parse: ParseOptions;
  readonly features: Partial<Features>;
  /** `stats=all` counts the samples of each step. */
  readonly perStepStats?: boolean | undefined;
  /** Most bytes that one query may hold; 0 is no limit. */
  readonly maxQueryBytes: number;
  /** `--query.max-samples`: most points that one query may hold; 0 is no limit. */
  readonly maxSamples: number;
  /** In distributed mode: the queriers to leave parts of queries to. */
  readonly federation?: (() => Federation) | undefined;
  /** Where `--query.enforce-tenancy` is on. */
  readonly tenancy: Tenancy | undefined;
};

/** What a request that leaves everything open asks for. */
const EVERYTHING = {
  timeoutMs: undefined,
  storeMatch: [],
  maxSourceResolution: 0,
  engine: "prometheus",
  shard: undefined,
  stats: "",
  analyze: false,
};

/** The querier's API over a proxy: queries run on worker threads, label and series calls here. */
export class Querier implements QueryBackend {
  readonly #proxy: ProxyStore;
  readonly #runner: QueryRunner;
  readonly #options: QuerierOptions;
  readonly #stores: () => readonly StoreStatus[];

  constructor(proxy: ProxyStore, runner: QueryRunner, stores: () => readonly StoreStatus[], options: QuerierOptions) {
    this.#proxy = proxy;
    this.#runner = runner;
    this.#stores = stores;
    this.#options = options;
  }

  instant(params: InstantParams, signal: AbortSignal): Promise<QueryAnswer> {
    return this.#query(params, {start: params.t, end: params.t, step: 0}, signal);
  }

  range(params: RangeParams, signal: AbortSignal): Promise<QueryAnswer> {
    return this.#query(params, {start: params.start, end: params.end, step: params.step}, signal);
  }

  async series(params: SeriesParams, signal: AbortSignal): Promise<SeriesAnswer> {
    const found: Labels[] = [];
    const warnings = new Set<string>();
    const without = params.dedup ? params.replicaLabels : [];
    const most = params.limit > 0 ? params.limit + 1 : 0;
    const budget = new ByteBudget("series call", this.#options.maxQueryBytes);
    const sets = this.#matcherSets(params);
    for (const matchers of sets) {
      const q = this.#metadataSelect(params, matchers, without, most, budget);
      try {
        for await (const batch of this.#proxy.select(q, signal)) {
          for (const text of batch.warnings) warnings.add(text);
          for (const labels of batch.labels) found.push(labels);
        }
      } catch (err) {
        throw proxyError(err, "Series");
      }
    }
    // Each set's series come in order.
    if (sets.length > 1) found.sort(compareLabels);
    const series = found.filter((labels, i) => i === 0 || compareLabels(found[i - 1] as Labels, labels) !== 0);
    return {series: most > 0 ? series.slice(0, most) : series, warnings: [...warnings]};
  }

  labelNames(params: MetadataParams, signal: AbortSignal): Promise<ValuesAnswer> {
    return this.#values(params, "LabelNames", (q) => this.#proxy.labelNames(q, signal));
  }

  labelValues(name: string, params: MetadataParams, signal: AbortSignal): Promise<ValuesAnswer> {
    return this.#values(params, "LabelValues", (q) => this.#proxy.labelValues(name, q, signal));
  }

  stores(): readonly StoreStatus[] {
    return this.#stores();
  }

  activeQueries(): readonly ActiveQuery[] {
    return this.#runner.active();
  }

  killQuery(id: string): boolean {
    return this.#runner.kill(id);
  }

  /**
   * The answer as messages of thanos.Query (see Job), of `batchSize` series each. Compat: tenancy is enforced on HTTP
   * alone; callers of gRPC see all, as they do through the StoreAPI.
   */
  messages(params: QueryParams, times: Job["params"], batchSize: number, signal: AbortSignal): Promise<QueryAnswer> {
    return this.#run(params, times, undefined, signal, {kind: "messages", series: batchSize});
  }

  async federate(
    params: FederateParams,
    signal: AbortSignal,
  ): Promise<{text: JsonPieces; warnings: readonly string[]}> {
    const selectors = params.selectors.map((set) => set.map(({name, op, value}) => ({name, op, value})));
    const names = params.selectors.map((set) => `{${set.map(matcherText).join(", ")}}`);
    const whole: QueryParams = {...EVERYTHING, ...params, query: `federate ${names.join(" or ")}`};
    const times = {start: params.t, end: params.t, step: 0};
    const output = {kind: "federate", selectors, escaping: params.escaping} as const;
    const {result, warnings} = await this.#query(whole, times, signal, output);
    return {text: result, warnings};
  }

  /** Undefined in distributed mode, where parts of queries are left to others one by one. */
  get batch(): QueryBackend["batch"] {
    if (this.#options.federation !== undefined) return undefined;
    return async (params, queries, signal) => {
      const times = {start: params.t, end: params.t, step: 0};
      const query = `${queries.length} queries, the first: ${params.query}`;
      return (await this.#query({...params, query}, times, signal, {kind: "batch", queries})).result;
    };
  }

  explainInstant(params: InstantParams): PlanTree {
    return planTree(explain(this.#parse(params)));
  }

  explainRange(params: RangeParams): PlanTree {
    const expr = this.#parse(params);
    const type = valueType(expr);
    if (type === "scalar" || type === "vector") return planTree(explain(expr));
    const text = `invalid expression type "${documentedType(type)}" for range query, must be Scalar or instant Vector`;
    throw new StrataError("bad_data", text);
  }

  /** The query as it would be evaluated. */
  #parse(params: QueryParams): Expr {
    const expr = parseExpr(params.query, this.#options.parse);
    const tenant = this.#tenantOf(params);
    return enforceOnExpr(expr, tenant);
  }

  #query(params: QueryParams, times: Job["params"], signal: AbortSignal, output?: JobOutput): Promise<QueryAnswer> {
    return this.#run(params, times, this.#tenantOf(params), signal, output);
  }

  async #run(
    params: QueryParams,
    times: Job["params"],
    tenant: TenantLabel | undefined,
    signal: AbortSignal,
    output: JobOutput | undefined,
  ): Promise<QueryAnswer> {
    const o = this.#options;
    const timeoutMs = Math.min(params.timeoutMs ?? o.timeoutMs, o.timeoutMs);
    if (timeoutMs <= 0) throw new StrataError("timeout", "query timed out in query execution");
    const job: Job = {
      query: params.query,
      params: times,
      parse: o.parse,
      options: {
        // Compat: without the query's text, for Thanos gives warnings and infos without positions.
        query: undefined,
        lookbackMs: params.lookbackDelta ?? lookbackFor(o.lookbackMs, o.dynamicLookback, params.maxSourceResolution),
        maxSamples: o.maxSamples > 0 ? o.maxSamples : Number.POSITIVE_INFINITY,
        timeoutMs,
        defaultSubqueryStepMs: o.subqueryStepMs,
        dedup: {enabled: params.dedup, replicaLabels: params.dedup ? params.replicaLabels : [], func: o.dedupFunc},
        maxResolution: params.maxSourceResolution,
        partialResponse: params.partialResponse,
        features: {delayedNameRemoval: false, startTimestamps: false, ...o.features},
        maxBytes: o.maxQueryBytes,
        perStepStats: o.perStepStats === true && params.stats === "all",
        analyze: params.analyze && params.engine === "thanos",
      },
      shard: params.shard,
      tenant,
      output,
    };
    const caller = callerOf(params);
    const distributed = {...job, remote: output?.kind === "federate" ? undefined : this.#remote(params, job, caller)};
    const budget = new ByteBudget("plan of a query", 0);
    const planner: SelectPlanner = {
      // Once more here, where every selection passes: some are of the engine's own making.
      plan: (q) => {
        const matchers = enforceOn(q.matchers, tenant);
        return this.#proxy.plan({...q, matchers, caller, budget});
      },
      outline: () => {
        const proxy = this.#proxy.outline();
        const {storeMatch = [], ...rest} = caller;
        const wired = storeMatch.map((set) => set.map(({name, op, value}) => ({name, op, value})));
        return proxy && {proxy, caller: rest, storeMatch: wired};
      },
      noteEmpty: () => this.#proxy.noteEmpty(),
    };
    return this.#runner.run(distributed, {tenant: params.tenant, timeoutMs, planner, signal});
  }

  /** What leaving parts of the query to other queriers takes; undefined where it cannot be told them exactly. */
  #remote(params: QueryParams, {options, params: times}: Job, caller: Caller): RemoteJob | undefined {
    const {federation, subqueryStepMs} = this.#options;
    const {lookbackMs = 0, timeoutMs = 0, maxResolution = 0} = options;
    const told = times.step === 0 ? [lookbackMs] : [lookbackMs, times.start, times.end, times.step];
    if (federation === undefined || !params.dedup || params.storeMatch.length > 0 || params.shard !== undefined) {
      return undefined;
    }
    // Between queriers times are whole seconds.
    if (told.some((ms) => ms % 1000 !== 0)) return undefined;
    return {
      federation: federation(),
      replicaLabels: params.replicaLabels,
      lookbackMs,
      subqueryStepMs,
      timeoutMs,
      maxResolution,
      partialResponse: params.partialResponse,
      caller: {tenant: caller.tenant, requestId: caller.requestId, traceparent: caller.traceparent},
    };
  }

  #tenantOf(params: QueryParams | MetadataParams): TenantLabel | undefined {
    const {tenancy} = this.#options;
    return tenancy && tenantLabel(tenancy, params.tenant);
  }

  #matcherSets(params: MetadataParams): readonly (readonly Matcher[])[] {
    const sets = params.matcherSets.length === 0 ? [[]] : params.matcherSets;
    const tenant = this.#tenantOf(params);
    return sets.map((matchers) => enforceOn(matchers, tenant));
  }

  async #values(
    params: MetadataParams,
    call: "LabelNames" | "LabelValues",
    ask: (q: LabelQuery) => Promise<ValuesAnswer>,
  ): Promise<ValuesAnswer> {
    const sets = this.#matcherSets(params);
    const answers: ValuesAnswer[] = [];
    for (const matchers of sets) {
      const limit = params.limit > 0 ? params.limit + 1 : 0;
      answers.push(
        await ask({
          matchers,
          mint: params.mint,
          maxt: params.maxt,
          withoutReplicaLabels: [],
          limit,
          partialResponse: params.partialResponse,
          caller: callerOf(params),
        }).catch((err: unknown) => {
          throw proxyError(err, call);
        }),
      );
    }
    const [only] = answers;
    if (answers.length === 1 && only !== undefined) return only;
    const values = [...new Set(answers.flatMap((a) => a.values))].sort(compareUtf8);
    return {values, warnings: [...new Set(answers.flatMap((a) => a.warnings))]};
  }

  #metadataSelect(
    params: SeriesParams,
    matchers: readonly Matcher[],
    withoutReplicaLabels: readonly string[],
    limit: number,
    budget: ByteBudget,
  ): Select {
    return {
      matchers,
      mint: params.mint,
      maxt: params.maxt,
      step: 0,
      range: 0,
      func: "series",
      // Compat: series calls look at raw data only.
      maxResolution: 0,
      aggregates: [AGGREGATE.raw],
      withoutReplicaLabels,
      skipChunks: true,
      limit,
      partialResponse: params.partialResponse,
      budget,
      caller: callerOf(params),
    };
  }
}

const callerOf = (params: QueryParams | MetadataParams): Caller => ({
  tenant: params.tenant,
  requestId: params.requestId,
  traceparent: params.traceparent,
  storeMatch: params.storeMatch,
});
