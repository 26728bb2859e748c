import {type Handler, type HttpResponse, textError} from "./http-types.ts";

export type Route = {
  readonly methods: readonly string[];
  /** `/api/v1/label/:name/values`; a last part `*` takes whatever follows. */
  readonly path: string;
  /** Value of the label `handler` in the HTTP metrics; a route without one is not measured. */
  readonly name?: string | undefined;
  readonly handle: Handler;
};

export type Match = {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly rawParams: Readonly<Record<string, string>>;
};

/** Paths to handlers. Fixed parts win over parameters, parameters over `*`. */
export class Router {
  readonly #routes: {readonly parts: readonly string[]; readonly route: Route}[] = [];

  add(route: Route): void {
    this.#routes.push({parts: split(route.path), route});
  }

  get(path: string, handle: Handler, name?: string): void {
    this.add({methods: ["GET"], path, handle, name});
  }

  /** Every method. */
  any(path: string, handle: Handler): void {
    this.add({methods: ANY, path, handle});
  }

  /** The route for a method and a still encoded path; a ready answer (404, 405, a redirect) where there is none. */
  find(method: string, encodedPath: string, query = ""): Match | HttpResponse {
    const clean = encodedPath.replace(/\/{2,}/g, "/");
    // A backslash behind the first slash would be another host to some browsers.
    if (clean !== encodedPath && !clean.includes("\\")) {
      return redirectTo(method, 307, "Temporary Redirect", clean, query);
    }
    const parts = split(encodedPath);
    const hits: Hit[] = [];
    for (const {parts: pattern, route} of this.#routes) {
      const hit = matchParts(pattern, parts);
      if (hit !== undefined) hits.push({...hit, route});
    }
    // OPTIONS is answered for every path of an API; that alone does not make a path known.
    const own = hits.filter(({route}) => route.methods.some((m) => m !== "OPTIONS"));
    const best = own.map(({score}) => score).sort()[0];
    if (best === undefined || best.endsWith("c")) {
      const elsewhere = this.#withoutSlash(method, encodedPath, query);
      if (elsewhere !== undefined) return elsewhere;
    }
    const candidates = hits.filter((hit) => hit.score === best || !own.includes(hit));
    const found = candidates.find(({route}) => route.methods === ANY || route.methods.includes(method));
    if (found !== undefined) return {route: found.route, params: decodeAll(found.raw), rawParams: found.raw};
    if (best === undefined) return textError(404, "404 page not found");
    const allow = [...new Set(candidates.flatMap(({route}) => route.methods))].sort().join(", ");
    return textError(405, "Method Not Allowed", {allow});
  }

  /** Compat: a path with a slash too many at its end is known without it: clients are sent there. */
  #withoutSlash(method: string, path: string, query: string): HttpResponse | undefined {
    if (path === "/" || !path.endsWith("/")) return undefined;
    const bare = path.slice(0, -1);
    const parts = split(bare);
    const known = this.#routes.some(
      ({parts: pattern, route}) =>
        pattern.at(-1) !== "*" && route.methods.includes(method) && matchParts(pattern, parts) !== undefined,
    );
    if (!known) return undefined;
    const [status, text] = method === "GET" ? [301, "Moved Permanently"] : [308, "Permanent Redirect"];
    return redirectTo(method, status as number, text as string, bare, query);
  }
}

/** Compat: as Go's `http.Redirect`; only a GET has a body. */
function redirectTo(method: string, status: number, text: string, path: string, query: string): HttpResponse {
  const location = query === "" ? path : `${path}?${query}`;
  const html = location.replace(/[&"'<>]/g, (c) => `&#${c.charCodeAt(0)};`);
  const body = `<a href="${html}">${text}</a>.\n\n`;
  if (method !== "GET") return {status, headers: {location}};
  return {status, headers: {location, "content-type": "text/html; charset=utf-8"}, body};
}

/** `score` sorts better matches first: one letter a part, `a` fixed, `b` parameter, `c` rest. */
type Hit = {readonly score: string; readonly raw: Record<string, string>; readonly route: Route};

const ANY: readonly string[] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

const split = (path: string): readonly string[] => path.split("/").slice(1);

function matchParts(
  pattern: readonly string[],
  parts: readonly string[],
): {score: string; raw: Record<string, string>} | undefined {
  const raw: Record<string, string> = {};
  let score = "";
  for (let i = 0; i < pattern.length; i++) {
    const want = pattern[i] as string;
    if (want === "*" && i === pattern.length - 1) {
      raw["*"] = parts.slice(i).join("/");
      return {score: `${score}c`, raw};
    }
    const part = parts[i];
    if (part === undefined) return undefined;
    if (want.startsWith(":")) {
      if (part === "") return undefined;
      raw[want.slice(1)] = part;
      score += "b";
    } else if (want === part || want === decodePart(part)) {
      score += "a";
    } else {
      return undefined;
    }
  }
  return parts.length === pattern.length ? {score, raw} : undefined;
}

function decodeAll(raw: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(raw).map(([name, part]) => [name, decodePart(part)]));
}

/** Percent-decoding that never fails: what is no UTF-8 becomes U+FFFD. */
export function decodePart(part: string): string {
  return part.includes("%") ? new TextDecoder().decode(percentBytes(part)) : part;
}

/** The bytes that a percent-encoded text stands for; a stray `%` stands for itself. */
export function percentBytes(part: string): Uint8Array {
  const pieces = part.split(/(%[0-9a-fA-F]{2})/);
  return Buffer.concat(
    pieces.map((piece, i) => (i % 2 === 1 ? Buffer.from(piece.slice(1), "hex") : Buffer.from(piece, "utf8"))),
  );
}

/** Whether `find` gave an answer instead of a route. */
export const isAnswer = (found: Match | HttpResponse): found is HttpResponse => "status" in found;
