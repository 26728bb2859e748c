import type http from "node:http";
import {createGunzip, createZstdDecompress} from "node:zlib";
import {errorText, nodeHttp, nodeHttps, StrataError} from "@strata/base";
import type {DownstreamConfig} from "./downstream-config.ts";
import type {DownstreamRequest} from "./downstream-request.ts";

/** A whole answer of the querier. */
export type DownstreamAnswer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Uint8Array;
};

/** An answer as it streams through. */
export type StreamedAnswer = Omit<DownstreamAnswer, "body"> & {readonly body: AsyncIterable<Uint8Array>};

/** The largest answer held whole: a hundred thousand series of a thousand points. */
const MAX_BODY_BYTES = 2 ** 31 - 1;

/** Headers that belong to one connection and are not passed on. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
]);

/** The querier behind the front end, over connections that are kept. */
export class Downstream {
  readonly #base: URL;
  readonly #config: DownstreamConfig;
  readonly #agent: http.Agent;
  /** PERF: on one machine answers are sent plain: packing and unpacking took a third of what a part of a query costs. */
  readonly #codings: {readonly "accept-encoding": string};

  constructor(base: URL, config: DownstreamConfig) {
    this.#base = base;
    this.#config = config;
    this.#codings = {"accept-encoding": isLoopback(base.hostname) ? "identity" : "gzip, zstd"};
    const common = {
      keepAlive: true,
      timeout: config.idleTimeoutMs,
      maxSockets: config.maxConnsPerHost || Number.POSITIVE_INFINITY,
      maxFreeSockets: config.maxIdlePerHost,
      scheduling: "lifo" as const,
    };
    this.#agent =
      base.protocol === "https:" ? new (nodeHttps().Agent)({...common, ...config.tls}) : new (nodeHttp().Agent)(common);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Whether the querier says that it is ready. */
  async ready(signal: AbortSignal): Promise<boolean> {
    const {status} = await this.fetch({method: "GET", target: "/-/ready", body: "", headers: {}}, signal);
    return status < 400;
  }

  /** Sends a request and reads the whole answer, whatever its status. Throws `unavailable` where there is none. */
  async fetch(request: DownstreamRequest, signal: AbortSignal): Promise<DownstreamAnswer> {
    const headers = {...request.headers, ...this.#codings};
    const answer = await this.#send(request.method, request.target, headers, request.body, signal);
    const parts: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const part of unpacked(answer)) {
        size += part.length;
        if (size > MAX_BODY_BYTES) {
          answer.destroy();
          throw new StrataError("limit", `cannot hold the querier's answer: it has more than ${MAX_BODY_BYTES} bytes`);
        }
        parts.push(part);
      }
    } catch (err) {
      throw transportError(err, request.target, signal);
    }
    return {status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts, size)};
  }

  /** Passes a request through as it is. */
  async pass(
    method: string,
    target: string,
    headers: http.IncomingHttpHeaders,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<StreamedAnswer> {
    const answer = await this.#send(method, target, endToEnd(headers), body, signal);
    return {status: answer.statusCode ?? 0, headers: endToEnd(answer.headers), body: answer};
  }

  #send(
    method: string,
    target: string,
    headers: http.OutgoingHttpHeaders,
    body: string | Uint8Array,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const url = new URL(this.#base.pathname.replace(/\/+$/, "") + target, this.#base);
    const send = url.protocol === "https:" ? nodeHttps().request : nodeHttp().request;
    return new Promise((resolve, reject) => {
      const length = body.length === 0 ? {} : {"content-length": Buffer.byteLength(body)};
      const call = send(url, {agent: this.#agent, method, headers: {...headers, ...length}, signal});
      const {headerTimeoutMs} = this.#config;
      const timer =
        headerTimeoutMs > 0
          ? setTimeout(() => call.destroy(new Error(`no answer within ${headerTimeoutMs} ms`)), headerTimeoutMs)
          : undefined;
      call.once("response", (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      call.once("error", (err) => {
        clearTimeout(timer);
        reject(transportError(err, target, signal));
      });
      call.end(body);
    });
  }
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127\.[\d.]+$/.test(host);

/** What is passed on: neither what belongs to the connection nor the request line that HTTP/2 has among its headers. */
const endToEnd = (headers: http.IncomingHttpHeaders): http.IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !name.startsWith(":")));

function unpacked(answer: http.IncomingMessage): AsyncIterable<Uint8Array> {
  const coding = answer.headers["content-encoding"];
  const unzip = coding === "gzip" ? createGunzip() : coding === "zstd" ? createZstdDecompress() : undefined;
  if (unzip === undefined) return answer;
  answer.once("error", (err) => unzip.destroy(err));
  return answer.pipe(unzip);
}

function transportError(err: unknown, target: string, signal: AbortSignal): StrataError {
  if (err instanceof StrataError) return err;
  if (signal.aborted) {
    return new StrataError(signal.reason?.name === "TimeoutError" ? "timeout" : "canceled", errorText(signal.reason), {
      cause: err,
    });
  }
  return new StrataError("unavailable", `cannot ask the querier for ${target.split("?", 1)[0]}: ${errorText(err)}`, {
    cause: err,
  });
}
