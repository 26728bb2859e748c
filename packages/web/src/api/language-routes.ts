import {errorText} from "@strata/base";
import {type Expr, type ParseOptions, parseExpr, prettify, toJson} from "@strata/promql";
import type {HttpRequest} from "../http-types.ts";
import type {Api} from "./envelope.ts";
import {badData} from "./param-values.ts";

const READ = ["GET", "POST"];

/** Adds `/format_query` and `/parse_query`, as Prometheus has them. `options`: the language as the querier knows it. */
export function addLanguageRoutes(api: Api, options: ParseOptions): void {
  api.add(READ, "/format_query", "format_query", async (request) => ({data: prettify(await parsed(request, options))}));
  api.add(READ, "/parse_query", "parse_query", async (request) => ({data: toJson(await parsed(request, options))}));
}

async function parsed(request: HttpRequest, options: ParseOptions): Promise<Expr> {
  const query = (await request.form()).get("query") ?? "";
  try {
    return parseExpr(query, options);
  } catch (err) {
    throw badData(`invalid parameter "query": ${errorText(err)}`);
  }
}
