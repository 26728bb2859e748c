import type {IncomingMessage, ServerResponse} from "node:http";
import {StrataError} from "@strata/base";
import {newUlid} from "@strata/model";
import type {Span} from "@strata/telemetry";
import type {HttpRequest} from "./http-types.ts";
import {decodePart, type Match} from "./router.ts";

/** Longest urlencoded body, as Go's ParseForm allows. */
export const FORM_LIMIT = 10 << 20;

/** Splits a request target into its path and query; an absolute form loses scheme and host. */
export function splitTarget(target: string): {path: string; query: string} {
  const local = target.replace(/^[a-z]+:\/\/[^/?]*/i, "");
  const at = local.indexOf("?");
  const path = at < 0 ? local : local.slice(0, at);
  return {path: path.startsWith("/") ? path : `/${path}`, query: at < 0 ? "" : local.slice(at + 1)};
}

/** The view of `raw` that handlers get. `signal` is aborted when the connection ends before the answer did. */
export function newRequest(
  raw: IncomingMessage,
  match: Match,
  query: string,
  path: string,
  signal: AbortSignal,
  span: Span,
): HttpRequest {
  const params = new URLSearchParams(query);
  let form: Promise<URLSearchParams> | undefined;
  const given = raw.headers["x-request-id"];
  const request: HttpRequest = {
    method: raw.method ?? "GET",
    path: decodePart(path),
    query: params,
    params: match.params,
    rawParams: match.rawParams,
    headers: raw.headers,
    signal,
    id: typeof given === "string" && given !== "" ? given : newUlid(Date.now()),
    span,
    form() {
      form ??= readForm(request);
      return form;
    },
    body: (limit) => readBody(raw, limit, signal),
    raw,
  };
  return request;
}

/** Body parameters come before those of the query, as in Go's `Request.Form`. */
async function readForm(request: HttpRequest): Promise<URLSearchParams> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  const hasForm = ["POST", "PUT", "PATCH"].includes(request.method) && type === "application/x-www-form-urlencoded";
  if (!hasForm) return request.query;
  const body = new TextDecoder().decode(await request.body(FORM_LIMIT));
  return new URLSearchParams([...new URLSearchParams(body), ...request.query]);
}

async function readBody(raw: IncomingMessage, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const tooLarge = (): StrataError =>
    new StrataError("limit", `cannot read the request body: it is larger than ${limit} bytes`, {fields: {limit}});
  if (Number(raw.headers["content-length"] ?? 0) > limit) throw tooLarge();
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of raw as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > limit) throw tooLarge();
      pieces.push(piece);
    }
  } catch (err) {
    if (err instanceof StrataError || !signal.aborted) throw err;
    throw new StrataError("canceled", "the client ended the connection while sending", {cause: err});
  }
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size);
}

/** Aborts when the client goes away before the whole answer was written. */
export function clientSignal(res: ServerResponse): AbortController {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort(new StrataError("canceled", "the client ended the connection"));
  });
  return controller;
}
