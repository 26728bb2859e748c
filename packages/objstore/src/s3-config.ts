import {createHash} from "node:crypto";
import {readFileSync} from "node:fs";
import {ConfigFields} from "@strata/base";
import {type HttpClientConfig, httpClientConfig} from "./http-client-config.ts";

/** Headers of server side encryption: on uploads, and on reads where the client holds the key. */
export type S3Encryption = {
  readonly upload: Readonly<Record<string, string>>;
  readonly read: Readonly<Record<string, string>>;
};

/** The `config` block of `type: S3`, checked. */
export type S3Config = {
  readonly bucket: string;
  readonly url: string;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Undefined: environment, shared files, web identity, instance role, in the SDK's order. */
  readonly credentials: {accessKeyId: string; secretAccessKey: string; sessionToken?: string} | undefined;
  /** Where a web identity is exchanged for keys; undefined: where the SDK looks. */
  readonly stsUrl: string | undefined;
  readonly userMetadata: Readonly<Record<string, string>>;
  readonly http: HttpClientConfig;
  readonly listV1: boolean;
  readonly multipart: boolean;
  readonly partBytes: number;
  readonly encryption: S3Encryption;
  readonly maxAttempts: number;
};

/** Compat: tries of the client in the original. */
const MAX_ATTEMPTS = 10;

/** The smallest part S3 takes but for the last. */
const MIN_PART_BYTES = 5 << 20;

/** Reads and checks the block; files it names are read. Throws `bad_data`. */
export function s3Config(block: Readonly<Record<string, unknown>>): S3Config {
  const f = new ConfigFields("config of S3", block);
  const bucket = f.text("bucket");
  const endpoint = f.text("endpoint");
  const region = f.text("region");
  f.flag("disable_dualstack");
  const sdkAuth = f.flag("aws_sdk_auth");
  const accessKey = f.text("access_key");
  const secretKey = f.text("secret_key");
  const sessionToken = f.text("session_token");
  const insecure = f.flag("insecure");
  const v2 = f.flag("signature_version2");
  const userMetadata = f.texts("put_user_metadata");
  const http = httpClientConfig(f.block("http_config"));
  f.block("trace").flag("enable");
  const listV1 = f.choice("list_objects_version", ["", "v1", "v2"], "") === "v1";
  const lookup = f.choice("bucket_lookup_type", ["", "auto", "virtual-hosted", "path"], "auto");
  // Accepted for compatibility: uploads carry checksums of the SDK's own.
  f.flag("send_content_md5", true);
  const multipart = !f.flag("disable_multipart");
  const partBytes = Math.max(f.whole("part_size", 64 << 20), MIN_PART_BYTES);
  const encryption = encryptionOf(f.block("sse_config"));
  const sts = f.text("sts_endpoint");
  const maxRetries = f.whole("max_retries");
  f.finish();

  if (bucket === "") throw f.bad("no s3 bucket in config file");
  if (endpoint === "") throw f.bad("no s3 endpoint in config file");
  if (/^[a-z]+:\/\//i.test(endpoint))
    throw f.bad(`endpoint ${endpoint} must have no scheme; insecure: true means http`);
  if (sdkAuth && accessKey !== "") throw f.bad("aws_sdk_auth and access_key are mutually exclusive configurations");
  if (accessKey !== "" && secretKey === "") throw f.bad("no s3 secret_key specified while access_key is present");
  if (accessKey === "" && secretKey !== "") throw f.bad("no s3 access_key specified while secret_key is present");
  if (v2) throw f.bad("signature_version2 is not supported");
  return {
    bucket,
    url: `${insecure ? "http" : "https"}://${endpoint}`,
    region: region || regionOf(endpoint),
    pathStyle: lookup === "path" || (lookup !== "virtual-hosted" && !isVirtualHost(endpoint)),
    credentials:
      accessKey === ""
        ? undefined
        : {accessKeyId: accessKey, secretAccessKey: secretKey, ...(sessionToken === "" ? {} : {sessionToken})},
    stsUrl: sts === "" ? undefined : /^https?:\/\//i.test(sts) ? sts : `https://${sts}`,
    userMetadata,
    http,
    listV1,
    multipart,
    partBytes,
    encryption,
    maxAttempts: maxRetries === 0 ? MAX_ATTEMPTS : maxRetries,
  };
}

/** Region in a name such as s3.eu-central-1.amazonaws.com; a signature needs some region even elsewhere. */
function regionOf(endpoint: string): string {
  const match = /^s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com/.exec(endpoint);
  return match?.[1] ?? "us-east-1";
}

/** Compat: with `auto`, buckets are part of the host name at AWS, Google and Alibaba, and part of the path elsewhere. */
const isVirtualHost = (endpoint: string): boolean =>
  /\.(amazonaws\.com(\.cn)?|googleapis\.com|aliyuncs\.com)(:|$)/.test(endpoint);

function encryptionOf(f: ConfigFields): S3Encryption {
  const type = f.choice("type", ["", "SSE-S3", "SSE-KMS", "SSE-C"], "");
  const kmsKey = f.text("kms_key_id");
  const context = f.texts("kms_encryption_context");
  const keyPath = f.text("encryption_key");
  if (type === "SSE-S3") return {upload: {ServerSideEncryption: "AES256"}, read: {}};
  if (type === "SSE-KMS") {
    if (kmsKey === "") throw f.bad("kms_key_id is needed for SSE-KMS");
    const upload: Record<string, string> = {ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey};
    if (Object.keys(context).length > 0) {
      upload.SSEKMSEncryptionContext = Buffer.from(JSON.stringify(context)).toString("base64");
    }
    return {upload, read: {}};
  }
  if (type === "SSE-C") {
    if (keyPath === "") throw f.bad("encryption_key is needed for SSE-C");
    let key: Buffer;
    try {
      key = readFileSync(keyPath);
    } catch (err) {
      throw f.bad(`encryption_key: ${(err as Error).message}`);
    }
    if (key.length !== 32) throw f.bad(`encryption_key: the key has ${key.length} bytes instead of 32`);
    const headers = {
      SSECustomerAlgorithm: "AES256",
      SSECustomerKey: key.toString("base64"),
      SSECustomerKeyMD5: createHash("md5").update(key).digest("base64"),
    };
    return {upload: headers, read: headers};
  }
  return {upload: {}, read: {}};
}
