import {StrataError} from "@strata/base";
import type {FloatHistogram, Hint} from "@strata/engine";
import {Labels, spanIndexes} from "@strata/model";
import {type prompb, thanos} from "@strata/proto";
import {emptyVector, type RuleQuery, type RuleVector} from "@strata/rules";
import type {QueryClient} from "@strata/storeapi";
import type {QueryAnswer} from "./query-json.ts";

/** Asks a querier over gRPC. Its times are whole seconds; the one asked for is cut to them, as Thanos does. */
export async function askGrpc(
  client: QueryClient,
  {query, t, strategy}: RuleQuery,
  signal: AbortSignal,
): Promise<QueryAnswer<RuleVector>> {
  const request = {
    query,
    timeSeconds: Math.floor(t / 1000),
    enableDedup: true,
    enablePartialResponse: strategy === "warn",
  };
  const warnings: string[] = [];
  const series: prompb.TimeSeries[] = [];
  for await (const group of client.query(request, {tenant: ""}, signal)) {
    for (const message of group) {
      const response = thanos.QueryResponse.decode(message);
      if (response.warnings !== undefined && response.warnings !== "") warnings.push(response.warnings);
      if (response.timeseries !== undefined) series.push(response.timeseries);
      for (const each of response.timeseriesBatch?.series ?? []) series.push(each);
    }
  }
  return {result: vectorOfSeries(series), warnings};
}

function vectorOfSeries(series: readonly prompb.TimeSeries[]): RuleVector {
  if (series.length === 0) return emptyVector;
  const values = new Float64Array(series.length);
  let histograms: Map<number, FloatHistogram> | undefined;
  const labels = series.map((each, i) => {
    const [sample] = each.samples;
    const [histogram] = each.histograms;
    if (each.samples.length + each.histograms.length !== 1) {
      throw new StrataError("execution", "rule result is not a vector or scalar");
    }
    if (histogram !== undefined) {
      histograms ??= new Map();
      histograms.set(i, floatHistogram(histogram));
    } else values[i] = sample?.value ?? 0;
    return Labels.fromPairs(each.labels.map(({name, value}) => [name, value] as const));
  });
  return {labels, values, histograms};
}

function floatHistogram(h: prompb.Histogram): FloatHistogram {
  return {
    schema: h.schema,
    hint: h.resetHint as Hint,
    zeroThreshold: h.zeroThreshold,
    zeroCount: h.zeroCountFloat ?? h.zeroCountInt ?? 0,
    count: h.countFloat ?? h.countInt ?? 0,
    sum: h.sum,
    pi: spanIndexes(h.positiveSpans),
    pv: h.positiveCounts.length > 0 ? h.positiveCounts : absolute(h.positiveDeltas),
    ni: spanIndexes(h.negativeSpans),
    nv: h.negativeCounts.length > 0 ? h.negativeCounts : absolute(h.negativeDeltas),
    custom: h.customValues,
  };
}

function absolute(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => {
    count += delta;
    return count;
  });
}
