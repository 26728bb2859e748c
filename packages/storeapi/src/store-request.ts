import {type ByteBudget, StrataError} from "@strata/base";
import {type Matcher, type MatchOp, matcher} from "@strata/model";
import {type google, hints, type Init, thanos} from "@strata/proto";
import {AGGREGATE, type Aggregate, type Caller, type LabelQuery, type Select} from "@strata/series";
import type {MakeMatcher} from "./matcher-cache.ts";

const OPS: readonly MatchOp[] = ["=", "!=", "=~", "!~"];

/** Matchers out of a request; a faulty expression or unknown type is `bad_data`. */
export function matchersOf(list: readonly thanos.LabelMatcher[], make: MakeMatcher = matcher): Matcher[] {
  return list.map((m) => {
    const op = OPS[m.type];
    if (op === undefined) throw new StrataError("bad_data", `cannot use matcher on ${m.name}: unknown type ${m.type}`);
    return make(m.name, op, m.value);
  });
}

export const protoMatchers = (list: readonly Matcher[]): thanos.LabelMatcher[] =>
  list.map((m) => ({type: OPS.indexOf(m.op), name: m.name, value: m.value}));

const AGGREGATES = new Set<number>(Object.values(AGGREGATE));

const {WARN, ABORT} = thanos.PartialResponseStrategy;

type Partial = {readonly partialResponseDisabled: boolean; readonly partialResponseStrategy: number};
const partialResponse = (r: Partial): boolean => !r.partialResponseDisabled && r.partialResponseStrategy !== ABORT;
const strategy = (q: {readonly partialResponse: boolean}): number => (q.partialResponse ? WARN : ABORT);

/** What a Series request asks for. */
export function selectOf(r: thanos.SeriesRequest, budget: ByteBudget, caller: Caller, make?: MakeMatcher): Select {
  const hints = r.queryHints;
  const shard = r.shardInfo;
  return {
    matchers: matchersOf(r.matchers, make),
    mint: r.minTime,
    maxt: r.maxTime,
    step: hints?.stepMillis ?? r.step,
    range: hints?.range?.millis ?? r.range,
    func: hints?.func?.name ?? "",
    by: hints?.grouping?.by,
    grouping: hints?.grouping?.labels,
    maxResolution: r.maxResolutionWindow,
    aggregates: r.aggregates.filter((a): a is Aggregate => AGGREGATES.has(a)),
    withoutReplicaLabels: r.withoutReplicaLabels,
    shard:
      shard !== undefined && shard.totalShards > 0
        ? {index: shard.shardIndex, total: shard.totalShards, by: shard.by, labels: shard.labels}
        : undefined,
    skipChunks: r.skipChunks,
    limit: Math.max(r.limit, 0),
    partialResponse: partialResponse(r),
    budget,
    caller,
    blockMatchers: blockMatchersOf(r.hints),
  };
}

/** The Series request for a select. `batchSeries` is how many series a frame may hold. */
export function seriesRequest(q: Select, batchSeries: number): Init<thanos.SeriesRequest> {
  const hints: Init<thanos.QueryHints> = {
    ...(q.step > 0 ? {stepMillis: q.step} : {}),
    ...(q.func !== "" ? {func: {name: q.func}} : {}),
    ...(q.range > 0 ? {range: {millis: q.range}} : {}),
    ...(q.grouping !== undefined ? {grouping: {by: q.by ?? false, labels: q.grouping}} : {}),
  };
  return {
    minTime: q.mint,
    maxTime: q.maxt,
    matchers: protoMatchers(q.matchers),
    maxResolutionWindow: q.maxResolution,
    aggregates: q.aggregates,
    partialResponseDisabled: !q.partialResponse,
    partialResponseStrategy: strategy(q),
    skipChunks: q.skipChunks,
    queryHints: Object.keys(hints).length > 0 ? hints : undefined,
    shardInfo:
      q.shard === undefined
        ? undefined
        : {shardIndex: q.shard.index, totalShards: q.shard.total, by: q.shard.by, labels: q.shard.labels},
    withoutReplicaLabels: q.withoutReplicaLabels,
    limit: q.limit,
    responseBatchSize: batchSeries,
  };
}

export function labelQueryOf(
  r: thanos.LabelNamesRequest | thanos.LabelValuesRequest,
  caller: Caller,
  make?: MakeMatcher,
): LabelQuery {
  return {
    matchers: matchersOf(r.matchers, make),
    mint: r.start,
    maxt: r.end,
    withoutReplicaLabels: r.withoutReplicaLabels,
    limit: Math.max(r.limit, 0),
    partialResponse: partialResponse(r),
    caller,
    blockMatchers: blockMatchersOf(r.hints),
  };
}

/** Matchers on blocks out of request hints; those of all three calls carry them in the same field. */
function blockMatchersOf(any: google.Any | undefined): Matcher[] {
  if (any === undefined || !/\/hintspb\.(Series|LabelNames|LabelValues)RequestHints$/.test(any.typeUrl)) return [];
  return matchersOf(hints.SeriesRequestHints.decode(any.value).blockMatchers);
}

export function labelNamesRequest(q: LabelQuery): Init<thanos.LabelNamesRequest> {
  return {
    partialResponseDisabled: !q.partialResponse,
    partialResponseStrategy: strategy(q),
    start: q.mint,
    end: q.maxt,
    matchers: protoMatchers(q.matchers),
    withoutReplicaLabels: q.withoutReplicaLabels,
    limit: q.limit,
    hints: blockHints(q.blockMatchers ?? []),
  };
}

function blockHints(matchers: readonly Matcher[]): Init<google.Any> | undefined {
  if (matchers.length === 0) return undefined;
  const codec = hints.LabelNamesRequestHints;
  return {
    typeUrl: `type.googleapis.com/${codec.typeName}`,
    value: codec.encode({blockMatchers: protoMatchers(matchers)}),
  };
}

export const labelValuesRequest = (label: string, q: LabelQuery): Init<thanos.LabelValuesRequest> => ({
  ...labelNamesRequest({...q, blockMatchers: []}),
  label,
});
