import {errorText} from "@strata/base";
import {type Labels, type Matcher, matcherText} from "@strata/model";
import {parseExpr, selectorsOf} from "@strata/promql";
import type {thanos} from "@strata/proto";
import type {EndpointHandle} from "../endpoint-set.ts";
import {asGrpcError, GRPC_CODE, type GrpcCode} from "../grpc-status.ts";
import {labelSetsMatch} from "../store-filter.ts";
import type {ApiCall} from "./fan-out.ts";

/**
 * What to ask of which endpoint for the exemplars of a query: its selectors that the endpoint's labels do not contradict,
 * joined by `+`. Matchers on external labels are left out (Prometheus does not know them in this API) unless the endpoint
 * is a querier, which does.
 */
export function exemplarCalls(
  request: thanos.ExemplarsRequest,
  endpoints: readonly EndpointHandle[],
  selectorLabels: Labels,
): readonly ApiCall<thanos.ExemplarsRequest>[] {
  // Compat: the parser's error reaches Thanos' callers without a code.
  const matching = exemplarSelectors(request.query, GRPC_CODE.Unknown).filter((s) =>
    s.every((m) => !selectorLabels.has(m.name) || m.matches(selectorLabels.get(m.name))),
  );
  if (matching.length === 0) return [];
  const left = matching.map((s) => s.filter((m) => !selectorLabels.has(m.name))).filter((s) => s.length > 0);
  if (left.length === 0) {
    throw asGrpcError(GRPC_CODE.InvalidArgument, "no matchers specified (excluding external labels)");
  }
  return endpoints.flatMap((endpoint) => {
    const query = left.flatMap((s) => selectorFor(s, endpoint)).join("+");
    return query === "" ? [] : [{endpoint, request: {...request, query}}];
  });
}

/** The matchers of every selector of a query for exemplars. What cannot be parsed is an error with `code`. */
export function exemplarSelectors(query: string, code: GrpcCode): readonly (readonly Matcher[])[] {
  try {
    return selectorsOf(parseExpr(query, {experimentalFunctions: true, xFunctions: true}));
  } catch (err) {
    throw asGrpcError(code, errorText(err), err);
  }
}

function selectorFor(matchers: readonly Matcher[], {labelSets, componentType}: EndpointHandle): readonly string[] {
  if (!labelSetsMatch(labelSets, matchers)) return [];
  const knowsExternal = componentType === "query";
  const own = matchers.filter((m) => knowsExternal || !labelSets.some((set) => set.has(m.name)));
  // A selector of external labels alone is every series of theirs.
  return [`{${own.length === 0 ? '__name__=~".+"' : own.map(matcherText).join(", ")}}`];
}
