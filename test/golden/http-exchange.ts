import {readFileSync} from "node:fs";
import {request} from "node:http";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {differentText} from "./different-text.ts";

/** One HTTP exchange with an original, as recorded. */
export type HttpExchange = {
  readonly id: string;
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: string;
  readonly request_headers?: Readonly<Record<string, string>>;
  /** Holds times, durations or addresses of the moment: only its shape can be compared. */
  readonly volatile?: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: string;
};

/** All recorded exchanges. One that came compressed is recorded as its bytes. */
export function httpExchanges(): readonly HttpExchange[] {
  type Recorded = HttpExchange & {readonly response_base64?: string};
  return gunzipSync(readFileSync(goldenDir("query", "api", "captures.jsonl.gz")))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded)
    .map(({response_base64: bytes, ...exchange}) =>
      bytes === undefined ? exchange : {...exchange, response: gunzipSync(Buffer.from(bytes, "base64")).toString()},
    );
}

export type HttpResult = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

/** Sends what was sent to the original to the server at `base`; nothing is added, followed or retried. */
export function replay(base: string, exchange: HttpExchange): Promise<HttpResult> {
  const {method, path, query, body, request_headers: headers = {}} = exchange;
  return new Promise((resolve, reject) => {
    const req = request(`${base}${path}${query ? `?${query}` : ""}`, {method, headers}, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("error", reject);
      res.on("end", () => {
        const raw = Buffer.concat(chunks);
        const bytes = res.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
        resolve({status: res.statusCode ?? 0, headers: res.headers, text: bytes.toString()});
      });
    });
    req.on("error", reject);
    req.end(method === "POST" ? (body ?? "") : undefined);
  });
}

/** What is different from the recorded answer in words; undefined when nothing is. */
export function difference(got: HttpResult, want: HttpExchange): string | undefined {
  if (got.status !== want.status) return `status ${got.status} instead of ${want.status}: ${got.text.slice(0, 300)}`;
  for (const [name, value] of Object.entries(want.headers)) {
    if (got.headers[name] !== value) return `header ${name} is ${got.headers[name]} instead of ${value}`;
  }
  if (got.text === want.response) return undefined;
  if (want.headers["content-type"] !== "application/json") {
    return want.volatile ? undefined : differentText(got.text, want.response);
  }
  const view = want.volatile ? shapeOf : inAnyOrder;
  return differentText(view(withoutPlans(parse(got.text))), view(withoutPlans(parse(want.response))));
}

type Json = null | boolean | string | {readonly number: string} | readonly Json[] | {readonly [key: string]: Json};

/** Numbers stay the text they are, for `1.50` and `1.5` are different bytes on the wire. */
function parse(text: string): Json {
  const revive = (_key: string, value: unknown, context?: {source?: string}) =>
    typeof value === "number" ? {number: context?.source} : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as Json;
}

/** Plans are those of another engine: of the tree of an explained or analyzed query the shapes of its nodes are left. */
function withoutPlans(json: Json): Json {
  const answer = json as {readonly [key: string]: Json};
  const data = answer.data as {readonly [key: string]: Json} | undefined;
  const shapes = (node: Json): string[] => {
    const {children = [], ...own} = node as {readonly [key: string]: Json};
    return [shapeOf(own), ...(children as readonly Json[]).flatMap(shapes)];
  };
  const isPlan = (value: Json | undefined) => typeof (value as {name?: Json} | undefined)?.name === "string";
  const flat = (node: Json): Json => [...new Set(shapes(node))].sort();
  if (data !== undefined && isPlan(data)) return {...answer, data: flat(data)};
  if (data?.analysis !== undefined && isPlan(data.analysis)) {
    return {...answer, data: {...data, analysis: flat(data.analysis)}};
  }
  return json;
}

/** The answer with vectors, matrices and warnings in a fixed order: the original gives them in any. */
function inAnyOrder(json: Json): string {
  const answer = json as Record<string, Json>;
  const sorted = (list: Json) => (Array.isArray(list) ? list.map((item) => JSON.stringify(item)).sort() : list);
  const data = answer.data as Record<string, Json> | undefined;
  return JSON.stringify({
    ...answer,
    ...(answer.warnings === undefined ? {} : {warnings: sorted(answer.warnings)}),
    ...(answer.infos === undefined ? {} : {infos: sorted(answer.infos)}),
    ...(data?.resultType === "vector" || data?.resultType === "matrix"
      ? {data: {...data, result: sorted(data.result as Json)}}
      : {}),
  });
}

/** Keys and kinds of values; of a list the kinds of its items. */
function shapeOf(json: Json): string {
  const shape = (value: Json): unknown => {
    if (value === null || typeof value !== "object") return typeof value;
    if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shape(item))))].sort();
    if (typeof (value as {number?: unknown}).number === "string") return "number";
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item as Json)]));
  };
  return JSON.stringify(shape(json));
}
