import {ConfigFields, StrataError} from "@strata/base";
import {type HttpClientConfig, httpClientConfig} from "./http-client-config.ts";

/** The `config` block of `type: GCS`, checked. */
export type GcsConfig = {
  readonly bucket: string;
  /** Undefined: application default credentials, as the client library looks for them. */
  readonly credentials: Readonly<Record<string, unknown>> | undefined;
  readonly http: HttpClientConfig;
  /** Bytes of one request of a resumable upload; this much is held for trying again. */
  readonly uploadChunkBytes: number;
  readonly maxRetries: number;
};

/** Default of the original's client, and the unit that Google asks for. */
const UPLOAD_CHUNK_BYTES = 16 << 20;
const UPLOAD_UNIT_BYTES = 256 << 10;

/** Retries of the client when the configuration says nothing. */
const MAX_RETRIES = 5;

/** Reads and checks the block. Throws `bad_data`. */
export function gcsConfig(block: Readonly<Record<string, unknown>>): GcsConfig {
  const f = new ConfigFields("config of GCS", block);
  const bucket = f.text("bucket");
  const account = f.text("service_account");
  // Accepted for compatibility: the client library speaks JSON over HTTP, and what is stored is the same.
  f.flag("use_grpc");
  f.whole("grpc_conn_pool_size");
  const http = httpClientConfig(f.block("http_config"));
  const chunk = f.whole("chunk_size_bytes") || UPLOAD_CHUNK_BYTES;
  const retries = f.whole("max_retries");
  f.finish();
  if (bucket === "") throw f.bad("missing Google Cloud Storage bucket name for stored blocks");
  return {
    bucket,
    credentials: account.trim() === "" ? undefined : credentialsOf(f, account),
    http,
    uploadChunkBytes: Math.ceil(chunk / UPLOAD_UNIT_BYTES) * UPLOAD_UNIT_BYTES,
    maxRetries: retries === 0 ? MAX_RETRIES : retries,
  };
}

function credentialsOf(f: ConfigFields, text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote the key.
    throw f.bad("service_account is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw f.bad("service_account is not a JSON object");
  }
  const account = parsed as Record<string, unknown>;
  for (const key of ["client_email", "private_key"]) {
    if (account.type !== undefined && account.type !== "service_account") break;
    if (typeof account[key] !== "string") throw f.bad(`service_account has no ${key}`);
  }
  return account;
}

/** The error for a body that ended before all announced bytes were there. */
export const cutOff = (bucket: string, key: string, got: number, want: number): StrataError =>
  new StrataError("unavailable", `cannot read ${key} of ${bucket}: the body ended after ${got} of ${want} bytes`, {
    fields: {key, got, want},
  });
