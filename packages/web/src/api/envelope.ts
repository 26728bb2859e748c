import type {Logger} from "@strata/telemetry";
import {httpFailure} from "../http-status.ts";
import type {HttpRequest, HttpResponse} from "../http-types.ts";
import type {Router} from "../router.ts";
import {goJson} from "./go-json.ts";

/** Encoded JSON in pieces; they are sent in order, without anything between. */
export type JsonPieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** What an API handler answers. Neither `data` nor `pieces`: 204 without a body. */
export type ApiAnswer = {
  /** Anything that can be written as JSON. */
  readonly data?: unknown;
  /** The JSON of `data` already encoded. */
  readonly pieces?: JsonPieces | undefined;
  /** Annotations of PromQL, which do not keep an answer from being cached. */
  readonly annotations?: readonly string[] | undefined;
  /** What is missing in the answer, or cut off. */
  readonly warnings?: readonly string[] | undefined;
};

export type ApiHandler = (request: HttpRequest) => ApiAnswer | Promise<ApiAnswer>;

/** What lets pages from elsewhere read answers. */
export const CORS_HEADERS = {
  "access-control-allow-headers": "Accept, Accept-Encoding, Authorization, Content-Type, Origin",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Date",
} as const;

const JSON_TYPE = {"content-type": "application/json"} as const;
const NO_STORE = {"cache-control": "no-store"} as const;

export type ApiOptions = {
  /** In front of `/api/v1`; "" or `/prefix`. */
  readonly routePrefix: string;
  readonly cors: boolean;
  /** Whether OPTIONS is answered for every path; left out, it is. */
  readonly preflight?: boolean | undefined;
  readonly log: Logger;
};

/** The routes under `/api/v1` of one component, all in Prometheus's envelope. */
export class Api {
  readonly #router: Router;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #log: Logger;
  readonly #paths = new Set<string>();

  constructor(router: Router, options: ApiOptions) {
    this.#router = router;
    this.#base = `${options.routePrefix}/api/v1`;
    this.#headers = options.cors ? CORS_HEADERS : {};
    this.#log = options.log;
    if (options.preflight === false) return;
    this.#router.add({
      methods: ["OPTIONS"],
      path: `${this.#base}/*`,
      name: "options",
      handle: () => ({status: 204, headers: {...this.#headers, vary: "Accept-Encoding"}}),
    });
  }

  /** What there is below `/api/v1` so far, as it was added. */
  get paths(): readonly string[] {
    return [...this.#paths];
  }

  /** `path` below `/api/v1`, such as `/query`; `name` is the handler's label in the metrics. */
  add(methods: readonly string[], path: string, name: string, handle: ApiHandler): void {
    this.#paths.add(path);
    this.#router.add({
      methods,
      path: `${this.#base}${path}`,
      name,
      handle: async (request) => {
        try {
          return this.#success(await handle(request));
        } catch (err) {
          request.span.fail(err);
          return this.#failure(err, name);
        }
      },
    });
  }

  #success(answer: ApiAnswer): HttpResponse {
    const warnings = [...(answer.annotations ?? []), ...(answer.warnings ?? [])];
    const incomplete = (answer.warnings?.length ?? 0) > 0;
    const headers = {...this.#headers, ...JSON_TYPE, ...(incomplete ? NO_STORE : {})};
    if (answer.data === undefined && answer.pieces === undefined) return {status: 204, headers, compress: true};
    const tail = warnings.length === 0 ? "}" : `,"warnings":${goJson(warnings)}}`;
    if (answer.pieces === undefined) {
      return {status: 200, headers, body: `{"status":"success","data":${goJson(answer.data)}${tail}`, compress: true};
    }
    const body = surrounded('{"status":"success","data":', answer.pieces, tail);
    return {status: 200, headers, body, compress: true};
  }

  #failure(err: unknown, name: string): HttpResponse {
    const {status, errorType, text} = httpFailure(err);
    if (status === 500) this.#log.error("cannot answer API request", {handler: name, err});
    const body = goJson({status: "error", errorType, error: text});
    return {status, headers: {...this.#headers, ...JSON_TYPE, ...NO_STORE}, body, compress: true};
  }
}

/** `pieces` with a text before and after. */
export async function* surrounded(before: string, pieces: JsonPieces, after: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(before);
  yield* pieces;
  yield Buffer.from(after);
}
