import {createHash} from "node:crypto";
import {createReadStream} from "node:fs";
import {readFile, realpath, stat} from "node:fs/promises";
import {extname, join, sep} from "node:path";
import {type HttpRequest, type HttpResponse, redirect, textError} from "./http-types.ts";
import {linkPrefix, type PrefixOptions} from "./prefix.ts";
import type {Router} from "./router.ts";

export type StaticOptions = {
  /** Directory with index.html and whatever it needs; index.html addresses all of it relative to itself. */
  readonly dir: string;
  readonly prefixes: PrefixOptions;
  /** Paths below the prefix that show index.html, without a slash in front; "" is the prefix itself. */
  readonly pages: readonly string[];
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".map": "application/json",
  ".txt": "text/plain; charset=utf-8",
};

/** Nothing from other hosts; styles inline, because the code editor makes its own. */
const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": CSP,
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-cache",
};

/** Names with a hash in them never change. */
const IMMUTABLE = /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** Adds the pages (all of them index.html) and the files of the web interface. */
export function addStaticRoutes(router: Router, options: StaticOptions): void {
  const {route} = options.prefixes;
  const page = () => indexPage(options.dir);
  const toGraph = (request: HttpRequest) => redirect(`${linkPrefix(options.prefixes, request.headers)}/graph`);
  if (route === "") {
    router.get("/", page, "react-static");
  } else {
    router.get("/", toGraph);
    router.get(route, toGraph);
    router.get(`${route}/`, toGraph);
  }
  for (const path of options.pages) if (path !== "") router.get(`${route}/${path}`, page, "react-static");
  router.get(`${route}/*`, (request) => assetFile(options.dir, request), "react-static");
}

async function indexPage(dir: string): Promise<HttpResponse> {
  try {
    return {status: 200, headers: PAGE_HEADERS, body: await readFile(join(dir, "index.html")), compress: true};
  } catch {
    // The pages are built by the set-up; the API works without them.
    return textError(404, "404 page not found");
  }
}

async function assetFile(dir: string, request: HttpRequest): Promise<HttpResponse> {
  const missing = textError(404, "404 page not found");
  const name = request.params["*"] ?? "";
  if (name === "" || name.split(/[/\\]/).some((part) => part === ".." || part.startsWith(".")) || name.includes("\0")) {
    return missing;
  }
  const path = join(dir, name);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return missing;
  // A link inside the directory must not lead out of it.
  if (!(await realpath(path)).startsWith((await realpath(dir)) + sep)) return missing;
  const etag = `"${createHash("sha1").update(`${name}:${found.mtimeMs}:${found.size}`).digest("base64url")}"`;
  const headers = {
    "content-type": TYPES[extname(name)] ?? "application/octet-stream",
    "cache-control": IMMUTABLE.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
    "x-content-type-options": "nosniff",
    etag,
  };
  if (request.headers["if-none-match"] === etag) return {status: 304, headers};
  return {status: 200, headers, body: createReadStream(path), compress: true};
}
