import type {Labels, Matcher} from "@strata/model";
import type {Shard} from "@strata/series";
import type {JsonPieces} from "./envelope.ts";

/** What /query and /query_range have in common. */
export type QueryParams = {
  /** As sent; the backend parses it. */
  readonly query: string;
  /** How long it may take, where the request says so. */
  readonly timeoutMs: number | undefined;
  readonly dedup: boolean;
  /** Labels to deduplicate by: those of the request, else those of the flags. */
  readonly replicaLabels: readonly string[];
  /** Only endpoints that one of these matcher lists accepts; empty is all. */
  readonly storeMatch: readonly (readonly Matcher[])[];
  readonly partialResponse: boolean;
  /** Coarsest data allowed, ms; 0 is raw. */
  readonly maxSourceResolution: number;
  /** ms; undefined leaves it to the engine's default. */
  readonly lookbackDelta: number | undefined;
  readonly engine: string;
  readonly shard: Shard | undefined;
  /** Any text but "" asks for statistics. */
  readonly stats: string;
  readonly analyze: boolean;
  readonly tenant: string;
  /** Of the request, for logs and outgoing calls. */
  readonly requestId: string;
  /** W3C trace context of the request's span, for outgoing calls; undefined when nothing is traced. */
  readonly traceparent: string | undefined;
};

/** `t` in ms. */
export type InstantParams = QueryParams & {readonly t: number};
/** ms; both ends inclusive, `step` > 0, at most 11,001 points. */
export type RangeParams = QueryParams & {readonly start: number; readonly end: number; readonly step: number};

export type QueryAnswer = {
  readonly resultType: "vector" | "matrix" | "scalar" | "string";
  /** JSON of `result`, encoded. Nothing may fail any more while it is read, for the status is already sent. */
  readonly result: JsonPieces;
  readonly stats?: unknown;
  readonly analysis?: unknown;
  /** Warnings and infos of PromQL. */
  readonly annotations: readonly string[];
  /** Endpoints that failed. */
  readonly warnings: readonly string[];
};

/** ms, both inclusive. `limit` 0 is none; a backend may stop once it has one more than that. */
export type MetadataParams = {
  readonly mint: number;
  readonly maxt: number;
  readonly limit: number;
  /** Sets are OR, matchers of a set are AND. Empty only for label calls. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly storeMatch: readonly (readonly Matcher[])[];
  readonly partialResponse: boolean;
  readonly tenant: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
};

export type SeriesParams = MetadataParams & {readonly dedup: boolean; readonly replicaLabels: readonly string[]};

/** Sorted, unique. */
export type SeriesAnswer = {readonly series: readonly Labels[]; readonly warnings: readonly string[]};
export type ValuesAnswer = {readonly values: readonly string[]; readonly warnings: readonly string[]};

/** One endpoint on the stores page. Times in ms; ±2^63 are the ends of int64. */
export type StoreStatus = {
  readonly name: string;
  /** `sidecar`, `store`, … */
  readonly component: string;
  readonly lastCheck: Date;
  readonly lastError: string | undefined;
  readonly labelSets: readonly Labels[];
  readonly minTime: number;
  readonly maxTime: number;
};

/** A query that runs or waits for its turn. */
export type ActiveQuery = {
  readonly id: string;
  readonly query: string;
  readonly state: "waiting" | "running";
  /** ms; an instant query has end = start and step 0. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly tenant: string;
  /** ms since the epoch, and since then. */
  readonly startedMs: number;
  readonly ageMs: number;
  /** Decoded so far. */
  readonly samples: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
};

/** A plan as a tree. */
export type PlanTree = {readonly name: string; readonly children?: readonly PlanTree[] | undefined};

/** How the text format writes names that are no plain identifiers. */
export type NameEscaping = "allow-utf-8" | "underscores" | "dots" | "values";

/** `t` in ms: the latest samples at that moment, within the lookback. */
export type FederateParams = Pick<
  QueryParams,
  "dedup" | "replicaLabels" | "partialResponse" | "lookbackDelta" | "tenant" | "requestId" | "traceparent"
> & {
  readonly selectors: readonly (readonly Matcher[])[];
  readonly t: number;
  readonly escaping: NameEscaping;
};

/** What the querier's API stands on. Errors are StrataErrors; `unavailable` is told to clients as `execution`. */
export type QueryBackend = {
  instant(params: InstantParams, signal: AbortSignal): Promise<QueryAnswer>;
  range(params: RangeParams, signal: AbortSignal): Promise<QueryAnswer>;
  /**
   * Many instant queries at once; `params` are of the first one and hold for all. A JSON array of answers as they become
   * ready: `{"index", "status", "data", "warnings"}` or `{"index", "status", "errorType", "error"}`, each on a line of its
   * own. Where missing, there is no route for it.
   */
  readonly batch?:
    | ((params: InstantParams, queries: readonly string[], signal: AbortSignal) => Promise<JsonPieces>)
    | undefined;
  series(params: SeriesParams, signal: AbortSignal): Promise<SeriesAnswer>;
  labelNames(params: MetadataParams, signal: AbortSignal): Promise<ValuesAnswer>;
  labelValues(name: string, params: MetadataParams, signal: AbortSignal): Promise<ValuesAnswer>;
  /** The latest samples in the text format; nothing may fail any more while they are read. */
  federate(
    params: FederateParams,
    signal: AbortSignal,
  ): Promise<{readonly text: JsonPieces; readonly warnings: readonly string[]}>;
  /** Endpoints whose component is known. */
  stores(): readonly StoreStatus[];
  /** Where missing, the routes for running queries do not exist. */
  activeQueries?(): readonly ActiveQuery[];
  /** Ends a query; false when there is none of that id. */
  killQuery?(id: string): boolean;
  explainInstant(params: InstantParams): PlanTree;
  explainRange(params: RangeParams): PlanTree;
};
