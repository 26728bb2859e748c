import {createServer, type IncomingMessage, type Server} from "node:http";
import {createServer as createSecureServer} from "node:https";
import {type AddressInfo, connect} from "node:net";
import type {Duplex} from "node:stream";
import type {TestContext} from "node:test";

/** A request as a server saw it. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

export type Reply = {readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string};

export type Certificate = {readonly cert: Buffer; readonly key: Buffer};

export type TestServer = {readonly port: number; readonly seen: readonly Seen[]};

/** A server that answers as it is told, over TLS where it is given a certificate. Closed when the test ends. */
export async function testServer(
  t: TestContext,
  reply: (request: Seen) => Reply | Promise<Reply>,
  tls?: Certificate,
): Promise<TestServer> {
  const seen: Seen[] = [];
  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const {method = "", url = "", headers} = request;
    seen.push({method, url, headers, body: Buffer.concat(parts).toString("utf8")});
    return reply(seen.at(-1) as Seen);
  };
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on("request", async (request: IncomingMessage, response) => {
    const {status = 200, headers = {}, body = ""} = await answer(request);
    response.writeHead(status, headers).end(body);
  });
  return {port: await listen(t, server), seen};
}

/**
 * A proxy that takes every name for this machine. `connects` has the heads of its tunnels, `seen` what was handed over to
 * it; `refuse` is the status it answers to CONNECT with instead.
 */
export async function testProxy(
  t: TestContext,
  options: {readonly refuse?: number; readonly tls?: Certificate} = {},
): Promise<TestServer & {readonly connects: Seen[]}> {
  const {refuse, tls} = options;
  const seen: Seen[] = [];
  const connects: Seen[] = [];
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on("request", async (request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const {method = "", url = "", headers} = request;
    seen.push({method, url, headers, body: Buffer.concat(parts).toString("utf8")});
    response.end("by proxy");
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const {method = "", url = "", headers} = request;
    connects.push({method, url, headers, body: ""});
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      return;
    }
    const onward = connect(Number(url.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  return {port: await listen(t, server), seen, connects};
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
