import {promisify} from "node:util";
import {gunzip} from "node:zlib";
import {errorText, StrataError} from "@strata/base";
import type {HttpRequest, HttpResponse} from "@strata/web";
import {refused} from "../write-failure.ts";
import {HARD_LIMITS, type WriteHandler} from "../write-handler.ts";
import {decodeOtlpJson} from "./decode-json.ts";
import {decodeOtlp} from "./decode-protobuf.ts";
import {DeltaToCumulative} from "./delta-to-cumulative.ts";
import {SeriesCache} from "./series-cache.ts";
import {type OtlpSettings, translateOtlp} from "./translate.ts";

export type OtlpOptions = {
  readonly settings: OtlpSettings;
  /** Deltas are added up instead of refused. */
  readonly deltaToCumulative: boolean;
  readonly writes: WriteHandler;
};

const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";
/** What an export may unpack to: it becomes objects, which take many times as much. */
const MAX_EXPORT_BYTES = 32 << 20;
/** A gzip header; what is shorter ends too early. */
const GZIP_HEADER_BYTES = 10;

const unzip = promisify(gunzip);

/** `POST /api/v1/otlp`: metrics exports over HTTP, which become a remote-write request. */
export class OtlpHandler {
  readonly #o: OtlpOptions;
  readonly #deltas: DeltaToCumulative | undefined;
  readonly #cache = new SeriesCache();

  constructor(options: OtlpOptions) {
    this.#o = options;
    this.#deltas = options.deltaToCumulative ? new DeltaToCumulative() : undefined;
  }

  export(request: HttpRequest): Promise<HttpResponse> {
    const {writes, settings} = this.#o;
    return writes.handle(request, async (tenant, body) => {
      const type = request.headers["content-type"] ?? "";
      if (type !== JSON_TYPE && type !== PROTOBUF_TYPE) {
        throw refused(400, `unsupported content type: ${type}, supported: [${JSON_TYPE}, ${PROTOBUF_TYPE}]`);
      }
      const bytes = await unpacked(body, request.headers["content-encoding"] ?? "");
      writes.checkSize(tenant, bytes.length);
      const cache = this.#cache;
      cache.trim();
      const resources = type === JSON_TYPE ? decodeOtlpJson(bytes, cache.json) : decodeOtlp(bytes, cache.protobuf);
      const cumulative = this.#deltas?.convert(tenant, resources) ?? resources;
      const message = translateOtlp(cumulative, settings, cache);
      await writes.write(tenant, message, (window, translated) => {
        window.load(translated);
        window.walk(HARD_LIMITS);
        return writes.replicaHeader(request);
      });
    });
  }
}

async function unpacked(body: Uint8Array, encoding: string): Promise<Uint8Array> {
  if (encoding === "") {
    if (body.length > MAX_EXPORT_BYTES) throw refused(413, "write request too large");
    return body;
  }
  if (encoding !== "gzip") {
    throw refused(400, `unsupported compression: ${encoding}. Only "gzip" or no compression supported`);
  }
  try {
    return await unzip(body, {maxOutputLength: MAX_EXPORT_BYTES});
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw refused(413, "write request too large");
    const text = body.length < GZIP_HEADER_BYTES ? "unexpected EOF" : gzipText(err);
    throw new StrataError("bad_data", text, {cause: err});
  }
}

/** Compat: in the words of Go's library. */
function gzipText(err: unknown): string {
  const text = errorText(err);
  if (text.includes("header")) return "gzip: invalid header";
  return text.includes("unexpected end") ? "unexpected EOF" : `gzip: ${text}`;
}
