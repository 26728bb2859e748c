import {errorText} from "@strata/base";
import {type Labels, type Matcher, matcherText} from "@strata/model";
import {parseExpr, walk} from "@strata/promql";
import type {thanos} from "@strata/proto";
import type {EndpointHandle} from "../endpoint-set.ts";
import {asGrpcError, GRPC_CODE} from "../grpc-status.ts";
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
  const matching = selectorsOf(request.query).filter((s) =>
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

/** The matchers of every selector in the query. */
function selectorsOf(query: string): readonly (readonly Matcher[])[] {
  const selectors: (readonly Matcher[])[] = [];
  try {
    walk(parseExpr(query, {experimentalFunctions: true, xFunctions: true}), (node) => {
      if (node.kind === "vector") selectors.push(node.matchers);
      return true;
    });
  } catch (err) {
    // Compat: the parser's error reaches Thanos' callers without a code.
    throw asGrpcError(GRPC_CODE.Unknown, errorText(err), err);
  }
  return selectors;
}

function selectorFor(matchers: readonly Matcher[], {labelSets, componentType}: EndpointHandle): readonly string[] {
  if (!labelSetsMatch(labelSets, matchers)) return [];
  const knowsExternal = componentType === "query";
  const own = matchers.filter((m) => knowsExternal || !labelSets.some((set) => set.has(m.name)));
  // A selector of external labels alone is every series of theirs.
  return [`{${own.length === 0 ? '__name__=~".+"' : own.map(matcherText).join(", ")}}`];
}
