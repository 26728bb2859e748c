import type http from "node:http";
import type {Readable} from "node:stream";
import {createGunzip} from "node:zlib";
import {type ErrorCode, errorText, StrataError, type TlsOptions} from "@strata/base";
import {basicCredentials, type Credentials, type HeaderFields} from "./credentials.ts";
import type {HttpClientMetrics} from "./http-metrics.ts";
import type {ProxyConfig} from "./proxy.ts";
import {type Route, routeTo} from "./route.ts";

/** How to reach a server: the parts of an HTTP client configuration that matter to a connection. */
export type HttpClientConfig = {
  /** Makes what lets requests in, for a client of the given name. */
  readonly credentials?: ((userAgent: string) => Credentials) | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly proxy?: ProxyConfig | undefined;
  readonly maxConnections?: number | undefined;
};

export type HttpRequest = {
  readonly method: "GET" | "POST";
  /** Path below the base URL, starting with "/"; "" is that URL itself. */
  readonly path: string;
  readonly params?: URLSearchParams | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
};

/** What an HTTP status of a Prometheus-like server means to our own caller (http.md §2; 422 and 500 are the peer's trouble). */
const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {400: "bad_data", 404: "not_found", 503: "unavailable"};

/** An error body is quoted up to this length. */
const QUOTED_BODY_BYTES = 1024;

/** One server over HTTP: keep-alive connections, gzip, errors as StrataError naming method, path and status. */
export class HttpClient {
  readonly #base: URL;
  readonly #route: Route;
  readonly #headers: Record<string, string>;
  readonly #credentials: Credentials | undefined;
  readonly #metrics: HttpClientMetrics | undefined;

  constructor(base: URL, config: HttpClientConfig = {}, userAgent = "strata", metrics?: HttpClientMetrics) {
    this.#base = base;
    this.#metrics = metrics;
    this.#route = routeTo(base, {tls: config.tls, proxy: config.proxy, maxSockets: config.maxConnections ?? 100});
    this.#headers = {"user-agent": userAgent, "accept-encoding": "gzip"};
    this.#credentials = config.credentials?.(userAgent) ?? credentialsIn(base);
  }

  close(): void {
    this.#route.agent.destroy();
    this.#credentials?.close();
  }

  /** Whatever the server answers, with up to `maxBytes` of its body; more is a `limit` error. */
  async answer(request: HttpRequest, maxBytes: number, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await this.#send(request, signal);
    const body = await whole(unpacked(answer), request, maxBytes, signal);
    return {status: answer.statusCode ?? 0, headers: answer.headers, body};
  }

  /** The body of a 2xx answer as it streams in, unpacked. The consumer must read it to its end or leave the loop. */
  async stream(request: HttpRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> & {destroy(): void}> {
    const answer = await this.#send(request, signal);
    const body = unpacked(answer);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return body;
    const text = await quote(body);
    throw new StrataError(
      STATUS_CODES[status] ?? "internal",
      `cannot ${request.method} ${request.path}: status ${status}: ${text}`,
      {fields: {status}},
    );
  }

  /** The whole body; more than `maxBytes` of it is a `limit` error. */
  async body(request: HttpRequest, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    return whole(await this.stream(request, signal), request, maxBytes, signal);
  }

  #send(request: HttpRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
    const url = this.#urlOf(request);
    const headers = {...this.#headers, ...request.headers};
    const {method, body} = request;
    const own = this.#credentials?.headers({method, url, headers, body}, signal);
    const send = (more?: HeaderFields) => this.#exchange(request, url, {...headers, ...more}, signal);
    if (!(own instanceof Promise)) return send(own);
    return own.then(send, (err: unknown) => {
      throw signal.aborted ? transportError(err as Error, request, signal) : err;
    });
  }

  #urlOf({path, params}: HttpRequest): URL {
    const url = new URL(this.#base);
    if (path !== "") url.pathname = url.pathname.replace(/\/+$/, "") + path;
    if (path !== "" || params !== undefined) url.search = params === undefined ? "" : `?${params}`;
    url.username = "";
    url.password = "";
    return url;
  }

  #exchange(request: HttpRequest, url: URL, headers: HeaderFields, signal: AbortSignal): Promise<http.IncomingMessage> {
    const finished = this.#metrics?.start(request.method);
    return new Promise((resolve, reject) => {
      let answered = false;
      const options = {method: request.method, headers: headers as http.OutgoingHttpHeaders, signal};
      const call = this.#route.open(url, options, (answer) => {
        finished?.(answer.statusCode);
        answered = true;
        resolve(answer);
      });
      call.once("socket", (socket) => {
        if (socket.connecting) this.#metrics?.opening(socket);
      });
      call.once("error", (err) => {
        if (!answered) finished?.(undefined);
        reject(transportError(err, request, signal));
      });
      call.end(request.body);
    });
  }
}

function unpacked(answer: http.IncomingMessage): Readable {
  if (answer.headers["content-encoding"] !== "gzip") return answer;
  const body = answer.pipe(createGunzip());
  answer.once("error", (err) => body.destroy(err));
  return body;
}

async function whole(
  body: AsyncIterable<Uint8Array>,
  request: HttpRequest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      size += part.length;
      if (size > maxBytes) {
        throw new StrataError("limit", `cannot hold the answer to ${request.path}: more than ${maxBytes} bytes`);
      }
      parts.push(part);
    }
  } catch (err) {
    throw err instanceof StrataError ? err : transportError(err as Error, request, signal);
  }
  return Buffer.concat(parts);
}

function credentialsIn({username, password}: URL): Credentials | undefined {
  if (username === "") return undefined;
  return basicCredentials(decodeURIComponent(username), decodeURIComponent(password));
}

function transportError(err: Error, request: HttpRequest, signal: AbortSignal): StrataError {
  const code = signal.aborted ? (signal.reason?.name === "TimeoutError" ? "timeout" : "canceled") : "unavailable";
  return new StrataError(code, `cannot ${request.method} ${request.path}: ${errorText(err)}`, {cause: err});
}

async function quote(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= QUOTED_BODY_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, QUOTED_BODY_BYTES).toString("utf8").trim();
}
