import {once} from "node:events";
import type {Server as HttpListener, IncomingMessage, ServerResponse} from "node:http";
import type {Http2Session} from "node:http2";
import type {AddressInfo, Socket} from "node:net";
import {errorText, nodeHttp, StrataError} from "@strata/base";
import {type Logger, nullTracer, parseTraceparent, TRACEPARENT, type Tracer} from "@strata/telemetry";
import type {HttpMetrics} from "./http-metrics.ts";
import {httpFailure} from "./http-status.ts";
import {type HttpResponse, textError} from "./http-types.ts";
import {clientSignal, newRequest, splitTarget} from "./request.ts";
import {logRequest, type ProtocolLogConfig} from "./request-log.ts";
import {writeResponse} from "./response.ts";
import {isAnswer, type Match, type Router} from "./router.ts";
import {SERVER_LIMITS} from "./server-limits.ts";
import {DEFAULT_TENANT_CONFIG, resolveTenant, type TenantConfig} from "./tenant.ts";
import type {WebConfig} from "./web-config.ts";

export type HttpServerOptions = {
  /** `host:port`; an empty host is all addresses, port 0 any free one. */
  readonly address: string;
  readonly router: Router;
  readonly log: Logger;
  readonly metrics?: HttpMetrics | undefined;
  readonly tracer?: Tracer | undefined;
  readonly requestLog?: ProtocolLogConfig | undefined;
  /** TLS, authentication, headers; plain HTTP for everybody without it. */
  readonly webConfig?: WebConfig | undefined;
  readonly tenants?: TenantConfig | undefined;
};

export type HttpServer = {
  /** What the system gave: host and port. */
  readonly address: {readonly host: string; readonly port: number};
  readonly url: string;
  /** Takes no new connections, lets running requests finish for `graceMs`, then ends them. Safe to call twice. */
  close(graceMs: number): Promise<void>;
};

/** Above the 90 s for which Go's clients keep a connection, so that the server is not the one who closes it. */
const KEEP_ALIVE_MS = 100_000;

/** Splits `host:port`, `:port` and `[v6]:port`. Throws `bad_data`. */
export function splitAddress(address: string): {host: string; port: number} {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new StrataError(
      "bad_data",
      `cannot listen on ${JSON.stringify(address)}; want host:port, such as 0.0.0.0:10902`,
    );
  }
  return {host: match[1] ?? match[2] ?? "", port};
}

/** Starts to listen. Throws `unavailable` when the address cannot be had. */
export async function listen(options: HttpServerOptions): Promise<HttpServer> {
  const {host, port} = splitAddress(options.address);
  let closing: Promise<void> | undefined;
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    const answered = serve(req, res, options).catch((err: unknown) => {
      options.log.error("cannot answer request", {path: req.url, err});
      res.destroy();
    });
    // At shutdown a kept-alive connection would hold the server up until it times out.
    void answered.then(() => closing && setImmediate(() => server.closeIdleConnections?.()));
  };
  const server = options.webConfig?.createServer(handle) ?? nodeHttp().createServer(SERVER_LIMITS, handle);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const sessions = new Set<Http2Session>();
  server.on("session", (session: Http2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.listen(port, host === "" ? undefined : host);
  try {
    await once(server, "listening");
  } catch (err) {
    throw new StrataError("unavailable", `cannot listen on ${options.address}: ${errorText(err)}`, {cause: err});
  }
  const bound = server.address() as AddressInfo;
  const scheme = options.webConfig?.tls === true ? "https" : "http";
  const shown = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  return {
    address: {host: bound.address, port: bound.port},
    url: `${scheme}://${shown}:${bound.port}`,
    close(graceMs) {
      closing ??= closeServer(server, sockets, sessions, graceMs);
      return closing;
    },
  };
}

async function closeServer(
  server: HttpListener,
  sockets: ReadonlySet<Socket>,
  sessions: ReadonlySet<Http2Session>,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A session of HTTP/2 ends once its streams have.
  for (const session of sessions) session.close();
  server.closeIdleConnections?.();
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}

async function serve(req: IncomingMessage, res: ServerResponse, options: HttpServerOptions): Promise<void> {
  const {path, query} = splitTarget(req.url ?? "/");
  const refused = await options.webConfig?.admit(req, res);
  if (refused !== undefined) return void (await send(req, res, refused, options.log));
  const found = options.router.find(req.method ?? "GET", path, query);
  if (isAnswer(found)) return void (await send(req, res, found, options.log));
  await serveRoute(req, res, found, path, query, options);
}

async function serveRoute(
  req: IncomingMessage,
  res: ServerResponse,
  found: Match,
  path: string,
  query: string,
  options: HttpServerOptions,
): Promise<void> {
  const name = found.route.name;
  const tracer = name === undefined ? nullTracer() : (options.tracer ?? nullTracer());
  const gone = clientSignal(res);
  const header = req.headers[TRACEPARENT];
  const spanOptions = {
    kind: "server" as const,
    parent: parseTraceparent(Array.isArray(header) ? header[0] : header),
    force: req.headers["x-thanos-force-tracing"] !== undefined,
    attributes: {"http.method": req.method ?? "", "http.target": path},
  };
  await tracer.span(`/${name ?? ""} HTTP[server]`, spanOptions, async (span) => {
    if (span.context?.sampled === true) res.setHeader("x-thanos-trace-id", span.context.traceId);
    const request = newRequest(req, found, query, path, gone.signal, span);
    const finished =
      name === undefined ? undefined : options.metrics?.start(name, request.method, tenantLabel(req, options));
    const logged = logRequest(options.log, options.requestLog, {
      method: request.method,
      path,
      port: req.socket.localPort ?? 0,
      host: req.headers.host ?? "",
      remote: req.socket.remoteAddress ?? "",
      userAgent: req.headers["user-agent"] ?? "",
      id: request.id,
    });
    let answer: HttpResponse;
    try {
      answer = await found.route.handle(request);
    } catch (err) {
      span.fail(err);
      answer = failure(err, options.log, path);
    }
    const sent = await send(req, res, answer, options.log);
    span.set("http.status_code", answer.status);
    finished?.(answer.status, requestBytes(req), sent);
    logged(answer.status);
  });
}

/** The tenant for metrics; one that is refused later still has to be counted. */
function tenantLabel(req: IncomingMessage, options: HttpServerOptions): string {
  const config = options.tenants ?? DEFAULT_TENANT_CONFIG;
  try {
    return resolveTenant(req, config);
  } catch {
    return config.defaultTenant;
  }
}

/** An error that no handler dealt with, as plain text. */
function failure(err: unknown, log: Logger, path: string): HttpResponse {
  const {status, text} = httpFailure(err);
  if (status === 500) log.error("cannot answer request", {path, err});
  return textError(status, text);
}

/** Sends; a source that fails in the middle breaks the connection, so that nobody takes the piece for the whole. */
async function send(req: IncomingMessage, res: ServerResponse, answer: HttpResponse, log: Logger): Promise<number> {
  try {
    return await writeResponse(req, res, answer);
  } catch (err) {
    if (!res.headersSent) {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      return await writeResponse(req, res, failure(err, log, req.url ?? ""));
    }
    if (!res.closed) log.warn("answer broken off", {path: req.url, err});
    res.destroy();
    return 0;
  }
}

/** Size of the request's line, headers and body as far as it is known. */
function requestBytes(req: IncomingMessage): number {
  let bytes = (req.method?.length ?? 0) + (req.url?.length ?? 0) + "HTTP/1.1".length;
  for (const text of req.rawHeaders) bytes += text.length;
  return bytes + Number(req.headers["content-length"] ?? 0);
}
