import type {IncomingHttpHeaders, IncomingMessage} from "node:http";
import type {Span} from "@strata/telemetry";

/** A request as handlers see it. */
export type HttpRequest = {
  readonly method: string;
  /** Decoded path, without query. */
  readonly path: string;
  /** Parameters of the query part. */
  readonly query: URLSearchParams;
  /** Values of `:name` parts of the route; bytes that are no UTF-8 appear as U+FFFD (see `rawParams`). */
  readonly params: Readonly<Record<string, string>>;
  /** The same parts still percent-encoded. */
  readonly rawParams: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client is gone, or when the server gives up waiting at shutdown. */
  readonly signal: AbortSignal;
  /** `X-Request-ID` of the client, else a new ULID. Put it into outgoing calls. */
  readonly id: string;
  /** Span of this request. */
  readonly span: Span;
  /** Parameters of an urlencoded body, then those of the query. Throws `bad_data`, `limit` for a body over the limit. */
  form(): Promise<URLSearchParams>;
  /** The whole body, uncompressed as it came. Throws `limit` beyond `limit` bytes. */
  body(limit: number): Promise<Uint8Array>;
  /** For what the fields above do not tell: socket, certificate, streams. */
  readonly raw: IncomingMessage;
};

/** Text and bytes are sent whole, with their length; pieces are streamed, pulled only as fast as the client reads. */
export type HttpBody = string | Uint8Array | AsyncIterable<Uint8Array>;

export type HttpResponse = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: HttpBody | undefined;
  /** Compress when the client accepts it and the body is worth it. */
  readonly compress?: boolean | undefined;
};

/** Throws StrataError for what it cannot do; the router's error writer makes an answer of it. */
export type Handler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

/** Plain text as Go's `http.Error` sends it. */
export const textError = (
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  status,
  headers: {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff", ...headers},
  body: `${text}\n`,
});

export const plainText = (status: number, text: string): HttpResponse => ({
  status,
  headers: {"content-type": "text/plain; charset=utf-8"},
  body: text,
});

export const redirect = (location: string): HttpResponse => ({status: 302, headers: {location}});
