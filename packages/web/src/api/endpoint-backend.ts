import type {Matcher} from "@strata/model";
import type {thanos} from "@strata/proto";

/** What all calls to the APIs of endpoints have in common. */
export type EndpointCall = {
  /** An endpoint that fails becomes a warning, else it fails the call. */
  readonly partialResponse: boolean;
  /** What differs only in these is one; empty to keep all apart. */
  readonly replicaLabels: readonly string[];
  readonly tenant: string;
  /** Of the request, for logs and outgoing calls. */
  readonly requestId: string;
  /** W3C trace context of the request's span; undefined when nothing is traced. */
  readonly traceparent: string | undefined;
};

/** Which rules are wanted; an empty list wants all. */
export type RulesQuery = {
  readonly type: "all" | "alert" | "record";
  /** As sent, and as read: a rule's labels have to satisfy all of them. */
  readonly matcherTexts: readonly string[];
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly names: readonly string[];
  readonly groups: readonly string[];
  readonly files: readonly string[];
};

export type TargetsQuery = {readonly state: "any" | "active" | "dropped"};
/** `metric` "" is all; `limit` below 0 is none. */
export type MetadataQuery = {readonly metric: string; readonly limit: number};
/** Times in ms, both inclusive. */
export type ExemplarsQuery = {readonly query: string; readonly start: number; readonly end: number};
/** Only heads whose external labels satisfy all matchers. */
export type StatisticsQuery = {readonly limit: number; readonly matchers: readonly Matcher[]};

/** Groups of rules: merged, deduplicated, sorted. What a ruler or a querier has to answer `/rules` and `/alerts` from. */
export type RulesBackend = {
  rules(
    call: EndpointCall,
    q: RulesQuery,
    signal: AbortSignal,
  ): Promise<{readonly groups: readonly thanos.RuleGroup[]; readonly warnings: readonly string[]}>;
};

/** What stands behind the routes for what endpoints know beside series. */
export type EndpointBackend = RulesBackend & {
  targets(
    call: EndpointCall,
    q: TargetsQuery,
    signal: AbortSignal,
  ): Promise<{readonly targets: thanos.TargetDiscovery; readonly warnings: readonly string[]}>;
  metadata(
    call: EndpointCall,
    q: MetadataQuery,
    signal: AbortSignal,
  ): Promise<{readonly metrics: ReadonlyMap<string, readonly thanos.Meta[]>; readonly warnings: readonly string[]}>;
  exemplars(
    call: EndpointCall,
    q: ExemplarsQuery,
    signal: AbortSignal,
  ): Promise<{readonly series: readonly thanos.ExemplarData[]; readonly warnings: readonly string[]}>;
  /** Of all heads together, or of the tenants' own; `not_found` where those have none. */
  statistics(
    call: EndpointCall,
    q: StatisticsQuery,
    signal: AbortSignal,
  ): Promise<{
    readonly statistics: thanos.TSDBStatisticsEntry;
    readonly warnings: readonly string[];
  }>;
};
