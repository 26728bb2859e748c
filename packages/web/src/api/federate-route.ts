import {parseSelector} from "@strata/promql";
import {formatTraceparent} from "@strata/telemetry";
import type {HttpRequest} from "../http-types.ts";
import type {Router} from "../router.ts";
import {resolveTenant} from "../tenant.ts";
import {surrounded} from "./envelope.ts";
import {boolParam, durationParam} from "./param-values.ts";
import type {FederateParams, NameEscaping, QueryBackend} from "./query-backend.ts";
import type {QueryDefaults} from "./query-params.ts";

/**
 * Adds `GET <prefix>/federate`: the latest sample of each series that one of the `match[]` selects, in the text format,
 * for a Prometheus to scrape.
 */
export function addFederateRoute(router: Router, prefix: string, backend: QueryBackend, defaults: QueryDefaults): void {
  router.get(
    `${prefix}/federate`,
    async (request) => {
      const params = federateParams(request, defaults);
      const {text} = await backend.federate(params, request.signal);
      // Nothing may fail once the status is sent: the first piece tells that all was read.
      return {
        status: 200,
        headers: {"content-type": `text/plain; version=0.0.4; charset=utf-8; escaping=${params.escaping}`},
        body: surrounded("", text, ""),
        compress: true,
      };
    },
    "federate",
  );
}

function federateParams(request: HttpRequest, defaults: QueryDefaults): FederateParams {
  const {query: form, span} = request;
  return {
    selectors: form.getAll("match[]").map(parseSelector),
    t: defaults.now(),
    dedup: boolParam(form, "dedup", true),
    replicaLabels: form.has("replicaLabels[]") ? form.getAll("replicaLabels[]") : defaults.replicaLabels,
    partialResponse: boolParam(form, "partial_response", defaults.partialResponse),
    lookbackDelta: durationParam(form, "lookback_delta") || defaults.lookbackDelta,
    escaping: escapingOf(request.headers.accept),
    tenant: resolveTenant(request.raw, defaults.tenants),
    requestId: request.id,
    traceparent: span.context === undefined ? undefined : formatTraceparent(span.context),
  };
}

const ESCAPINGS: readonly string[] = ["allow-utf-8", "underscores", "dots", "values"] satisfies NameEscaping[];

/**
 * How names that older scrapers do not know are to be written: what the client says with the first text format that it
 * takes, or before it.
 */
export function escapingOf(accept: string | undefined): NameEscaping {
  let escaping: NameEscaping = "underscores";
  const ranges = (accept ?? "").split(",").map((part) => {
    const [type = "", ...params] = part.split(";").map((s) => s.trim().toLowerCase());
    return {type, params: new Map(params.map((p) => p.split("=", 2) as [string, string]))};
  });
  const quality = ({params}: (typeof ranges)[number]) => Number(params.get("q") ?? "1");
  for (const {type, params} of ranges.sort((a, b) => quality(b) - quality(a))) {
    const wanted = params.get("escaping") ?? "";
    if (ESCAPINGS.includes(wanted)) escaping = wanted as NameEscaping;
    if (type === "text/plain" && (params.get("version") ?? "0.0.4") === "0.0.4") break;
  }
  return escaping;
}
