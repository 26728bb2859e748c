import type http from "node:http";
import type {Readable} from "node:stream";
import {createGunzip} from "node:zlib";
import {type ErrorCode, errorText, StrataError} from "@strata/base";
import {basicCredentials, type Credentials, type HeaderFields} from "./credentials.ts";
import type {HttpClientMetrics} from "./http-metrics.ts";
import type {ProxyConfig} from "./proxy.ts";
import {type Route, type RouteOptions, routeTo} from "./route.ts";
import type {TlsSource} from "./tls-source.ts";

/** How to reach a server: the parts of an HTTP client configuration that matter to a connection. */
export type HttpClientConfig = {
  /** Makes what lets requests in, for a client of the given name. */
  readonly credentials?: ((userAgent: string) => Credentials) | undefined;
  readonly tls?: TlsSource | undefined;
  readonly proxy?: ProxyConfig | undefined;
  readonly maxConnections?: number | undefined;
  /** True when left out. */
  readonly followRedirects?: boolean | undefined;
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

/** Redirections followed by one request, as by Go. */
const MAX_HOPS = 10;
/** Origins with connections of their own; a server that redirects at will must not pile them up. */
const MAX_ROUTES = 8;

/** One server over HTTP: keep-alive connections, gzip, errors as StrataError naming method, path and status. */
export class HttpClient {
  readonly #base: URL;
  /** By origin: that of the base, and those it redirects to. */
  readonly #routes = new Map<string, Route>();
  readonly #routeOptions: RouteOptions;
  readonly #follows: boolean;
  readonly #headers: Record<string, string>;
  readonly #credentials: Credentials | undefined;
  readonly #metrics: HttpClientMetrics | undefined;

  constructor(base: URL, config: HttpClientConfig = {}, userAgent = "strata", metrics?: HttpClientMetrics) {
    this.#base = base;
    this.#metrics = metrics;
    this.#routeOptions = {tls: config.tls, proxy: config.proxy, maxSockets: config.maxConnections ?? 100};
    this.#follows = config.followRedirects !== false;
    this.#headers = {"user-agent": userAgent, "accept-encoding": "gzip"};
    this.#credentials = config.credentials?.(userAgent) ?? credentialsIn(base);
  }

  close(): void {
    for (const {agent} of this.#routes.values()) agent.destroy();
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

  /** The answer to a request, of where it is redirected to. */
  async #send(request: HttpRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
    let url = this.#urlOf(request);
    for (let hops = 0; ; hops++) {
      const headers = await this.#headersOf(request, url, signal);
      const answer = await this.#exchange(request, url, headers, signal);
      const next = this.#follows && hops < MAX_HOPS ? redirection(answer, request.method, url) : undefined;
      if (next === undefined) return answer;
      answer.resume();
      url = next;
    }
  }

  /** Credentials are for the host that they were given for, and for no other that it may name. */
  async #headersOf(request: HttpRequest, url: URL, signal: AbortSignal): Promise<HeaderFields> {
    const headers = {...this.#headers, ...request.headers};
    if (this.#credentials === undefined || url.hostname !== this.#base.hostname) return headers;
    const {method, body} = request;
    try {
      return {...headers, ...(await this.#credentials.headers({method, url, headers, body}, signal))};
    } catch (err) {
      throw signal.aborted ? transportError(err as Error, request, signal) : err;
    }
  }

  #routeOf(url: URL): Route {
    let route = this.#routes.get(url.origin);
    if (route === undefined) {
      const [oldest] = this.#routes.keys();
      if (this.#routes.size >= MAX_ROUTES && oldest !== undefined) this.#routes.delete(oldest);
      route = routeTo(url, this.#routeOptions);
      this.#routes.set(url.origin, route);
    }
    return route;
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
      const call = this.#routeOf(url).open(url, options, (answer) => {
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

/** Where to ask instead. A POST goes on only where its body may go with it. */
function redirection(answer: http.IncomingMessage, method: string, from: URL): URL | undefined {
  const {statusCode = 0, headers} = answer;
  const moves = statusCode === 307 || statusCode === 308 || (method === "GET" && [301, 302, 303].includes(statusCode));
  const to = moves && headers.location !== undefined ? URL.parse(headers.location, from.href) : null;
  return to !== null && /^https?:$/.test(to.protocol) ? to : undefined;
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
