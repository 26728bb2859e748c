import type http from "node:http";
import {isIP, type Socket} from "node:net";
import {errorText, nodeHttp, nodeHttps, nodeTls, StrataError} from "@strata/base";
import {isSocks, type ProxyConfig, proxyFor} from "./proxy.ts";
import {socksConnect} from "./socks.ts";
import type {TlsSource} from "./tls-source.ts";

/** The way to a server: straight, or through a proxy. */
export type Route = {
  readonly agent: http.Agent;
  /** Opens a request to a URL of the server. */
  open(url: URL, options: http.RequestOptions, onAnswer: (answer: http.IncomingMessage) => void): http.ClientRequest;
};

export type RouteOptions = {
  readonly tls: TlsSource | undefined;
  readonly proxy: ProxyConfig | undefined;
  readonly maxSockets: number;
};

/** A proxy that takes longer to connect is given up. */
const CONNECT_MS = 10_000;
const SOCKS_PORT = 1080;

/**
 * The way to the server at `base`. What is encrypted goes through a proxy as it is, as all does through one of SOCKS; the
 * rest is handed to it.
 */
export function routeTo(base: URL, options: RouteOptions): Route {
  const proxy = proxyFor(base, options.proxy);
  if (proxy === undefined) return straight(base, options);
  return base.protocol === "https:" || isSocks(proxy) ? tunnelled(base, proxy, options) : handedOver(proxy, options);
}

function straight(base: URL, options: RouteOptions): Route {
  const agent = agentFor(base, options);
  return {
    agent,
    open: (url, request, onAnswer) => requestTo(url)(url, {...request, ...options.tls?.options, agent}, onAnswer),
  };
}

function tunnelled(base: URL, proxy: URL, options: RouteOptions): Route {
  const headers = {...options.proxy?.connectHeaders, ...authorizationOf(proxy)} as http.OutgoingHttpHeaders;
  const route = straight(base, options);
  route.agent.createConnection = (target, callback) => {
    const [host, port] = [target.host ?? "", Number(target.port)];
    const opened = isSocks(proxy)
      ? socksTunnel(proxy, host, port)
      : tunnel(proxy, ownTls(options), `${bracketed(host)}:${port}`, headers);
    opened.then(
      (socket) =>
        callback?.(null, base.protocol === "https:" ? nodeTls().connect({...target, socket} as object) : socket),
      (err: Error) => callback?.(err, undefined as never),
    );
    return undefined;
  };
  return route;
}

function handedOver(proxy: URL, options: RouteOptions): Route {
  const agent = agentFor(proxy, options);
  return {
    agent,
    open(url, request, onAnswer) {
      const headers = {...(request.headers as http.OutgoingHttpHeaders), ...authorizationOf(proxy), host: url.host};
      const to = {...ownTls(options), ...addressOf(proxy), path: url.href};
      return requestTo(proxy)({...request, ...to, headers, agent}, onAnswer);
    },
  };
}

/** Without TLS options: requests bring them, for they may change. Connections made with others are not used again then. */
function agentFor(url: URL, {maxSockets}: RouteOptions): http.Agent {
  const options = {keepAlive: true, maxSockets};
  return url.protocol === "https:" ? new (nodeHttps().Agent)(options) : new (nodeHttp().Agent)(options);
}

/** Of the connection to the proxy, which has a name of its own. */
function ownTls({tls}: RouteOptions): object {
  const {servername: _, ...rest} = tls?.options ?? {};
  return rest;
}

/** With the name to check a certificate for: it is not that of the server behind, which stands in the header `host`. */
function addressOf({protocol, hostname, port}: URL): {host: string; port?: string; servername?: string} {
  const host = hostname.replace(/^\[|\]$/g, "");
  const name = protocol === "https:" ? {servername: isIP(host) === 0 ? host : ""} : {};
  return {host, ...(port === "" ? {} : {port}), ...name};
}

const requestTo = (url: URL): typeof http.request =>
  url.protocol === "https:" ? nodeHttps().request : nodeHttp().request;

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function authorizationOf(proxy: URL): Record<string, string> {
  if (proxy.username === "") return {};
  const words = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return {"proxy-authorization": `Basic ${Buffer.from(words).toString("base64")}`};
}

const unreachable = (target: string, proxy: URL, why: string, cause?: unknown): StrataError =>
  new StrataError("unavailable", `cannot reach ${target} through the proxy ${proxy.host}: ${why}`, {cause});

async function socksTunnel(url: URL, host: string, port: number): Promise<Socket> {
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const proxy = {host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || SOCKS_PORT), username, password};
  try {
    return await socksConnect(proxy, host, port, AbortSignal.timeout(CONNECT_MS));
  } catch (err) {
    throw unreachable(`${bracketed(host)}:${port}`, url, errorText(err), err);
  }
}

/** A connection to `target` (`host:port`) that the proxy has opened. */
function tunnel(proxy: URL, tls: object, target: string, headers: http.OutgoingHttpHeaders): Promise<Socket> {
  const failed = (why: string, cause?: unknown): StrataError => unreachable(target, proxy, why, cause);
  return new Promise((resolve, reject) => {
    const call = requestTo(proxy)({
      ...{...tls, ...addressOf(proxy), agent: false as const, timeout: CONNECT_MS},
      ...{method: "CONNECT", path: target, headers: {...headers, host: target}},
    });
    call.once("connect", (answer, socket, head) => {
      socket.setTimeout(0);
      if (answer.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket as Socket);
        return;
      }
      socket.destroy();
      reject(failed(`it answered ${answer.statusCode} ${answer.statusMessage}`));
    });
    call.once("timeout", () => call.destroy(new Error(`no answer within ${CONNECT_MS / 1000} s`)));
    call.once("error", (err) => reject(failed(err.message, err)));
    call.end();
  });
}
