import {existsSync, readFileSync, statSync} from "node:fs";
import {createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse} from "node:http";
import type {AddressInfo} from "node:net";
import {extname, join} from "node:path";
import {assetsDir, pages} from "../index.js";

/** An answer of the API: status and body. */
export type Reply = {readonly status?: number; readonly body: unknown};
export type Handler = (params: URLSearchParams) => Reply;

export type FakeServer = {
  /** With a slash at the end; below a prefix, as behind a proxy. */
  readonly url: string;
  /** What was asked of each API path, oldest first. */
  readonly asked: {
    readonly path: string;
    readonly method: string;
    readonly params: URLSearchParams;
    readonly headers: IncomingHttpHeaders;
  }[];
  close(): Promise<void>;
};

const PREFIX = "/some/prefix/";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
/** Styles are set from scripts (editor, chart); all else has to come from the server itself. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'";

/** Serves the built pages below a prefix, and `handlers` as the API (by path below api/v1/). */
export async function serveFake(handlers: Readonly<Record<string, Handler>>): Promise<FakeServer> {
  const asked: FakeServer["asked"] = [];
  const server = createServer((request, response) => {
    void answer(request, response).catch((err: unknown) => response.destroy(err as Error));
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://x");
    const path = url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : "outside";
    if (!path.startsWith("api/v1/")) return sendFile(path, response);
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const params = new URLSearchParams(body === "" ? url.search : body);
    const name = path.slice("api/v1/".length);
    asked.push({path: name, method: request.method ?? "", params, headers: request.headers});
    const notFound: Reply = {status: 404, body: {status: "error", errorType: "not_found", error: name}};
    const reply = handlers[name]?.(params) ?? notFound;
    response.writeHead(reply.status ?? 200, {"content-type": "application/json"});
    response.end(JSON.stringify(reply.body));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const {port} = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${PREFIX}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function sendFile(path: string, response: ServerResponse): void {
  const file = join(assetsDir, pages.includes(path) ? "index.html" : path);
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, {"content-type": type, "content-security-policy": POLICY});
  // As the real server does: the base makes relative addresses independent of the page's own path.
  const body = readFileSync(file);
  response.end(path.includes(".") ? body : String(body).replace("<head>", `<head><base href="${PREFIX}">`));
}
