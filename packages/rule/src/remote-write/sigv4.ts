import {createHash, createHmac, type Hash, type Hmac} from "node:crypto";
import {defaultProvider} from "@aws-sdk/credential-provider-node";
import {AssumeRoleCommand, STSClient} from "@aws-sdk/nested-clients/sts";
import {loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS} from "@smithy/core/config";
import {SignatureV4} from "@smithy/signature-v4";
import type {AwsCredentialIdentity, Provider, SourceData} from "@smithy/types";
import {errorText, StrataError} from "@strata/base";
import {type Credentials, type Lasting, type OutgoingRequest, Renewed} from "@strata/http-client";
import type {SigV4Config} from "./cloud-credentials.ts";

/** Keys are replaced so long before they expire, for requests take time. */
const EARLY_MS = 30_000;

/** Whatever a proxy or a repetition may change on the way is not signed. */
const UNSIGNED = new Set(["accept-encoding", "connection", "retry-attempt", "uber-trace-id"]);

/** Signs requests as Amazon's services want it (AWS Signature Version 4), with keys from where `config` says. */
export async function sigV4Credentials(config: SigV4Config): Promise<Credentials> {
  const region = await regionOf(config);
  const {credentials, close} = keysOf(config, region);
  const signer = new SignatureV4({credentials, region, service: config.service, sha256: Sha256});
  return {headers: (request) => signed(signer, request), close};
}

async function signed(
  signer: SignatureV4,
  {method, url, headers, body}: OutgoingRequest,
): Promise<Record<string, string>> {
  try {
    const request = await signer.sign(
      {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: queryOf(url),
        headers: {...headers, host: url.host},
        body,
      },
      {unsignableHeaders: UNSIGNED},
    );
    return request.headers;
  } catch (err) {
    throw new StrataError("unavailable", `cannot sign a request to ${url.host}: ${errorText(err)}`, {cause: err});
  }
}

function queryOf(url: URL): Record<string, string[]> {
  const query: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) query[name] = [...(query[name] ?? []), value];
  return query;
}

async function regionOf({region, profile}: SigV4Config): Promise<string> {
  if (region !== "") return region;
  const options = {...NODE_REGION_CONFIG_FILE_OPTIONS, ...profileOf(profile)};
  try {
    return await loadConfig(NODE_REGION_CONFIG_OPTIONS, options)();
  } catch (err) {
    throw new StrataError("bad_data", "sigv4 has no region, and neither has the environment", {cause: err});
  }
}

type Keys = {readonly credentials: Provider<AwsCredentialIdentity>; readonly close: () => void};

/** The keys of the configuration, or what the environment has; exchanged for those of a role where one is wanted. */
function keysOf(config: SigV4Config, region: string): Keys {
  const {accessKey, secretKey, profile, roleArn, externalId, fipsSts} = config;
  const own =
    accessKey === ""
      ? defaultProvider(profileOf(profile))
      : async () => ({accessKeyId: accessKey, secretAccessKey: secretKey});
  if (roleArn === "") return {credentials: own, close: () => undefined};
  const sts = new STSClient({region, credentials: own, useFipsEndpoint: fipsSts});
  const role = new Renewed(() => assumed(sts, roleArn, externalId));
  return {credentials: () => role.get(AbortSignal.timeout(ROLE_MS)), close: () => sts.destroy()};
}

/** An exchange of keys that takes longer is begun anew by the next request. */
const ROLE_MS = 30_000;

async function assumed(sts: STSClient, roleArn: string, externalId: string): Promise<Lasting<AwsCredentialIdentity>> {
  const answer = await sts.send(
    new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: `strata-${Date.now()}`,
      ...(externalId === "" ? {} : {ExternalId: externalId}),
    }),
    {abortSignal: AbortSignal.timeout(ROLE_MS)},
  );
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
  } = answer.Credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new StrataError("unavailable", `the role ${roleArn} came without keys`);
  }
  const expires = answer.Credentials?.Expiration?.getTime();
  return {
    value: {accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : {sessionToken})},
    until: expires === undefined ? Number.POSITIVE_INFINITY : expires - EARLY_MS,
  };
}

const profileOf = (profile: string) => (profile === "" ? {} : {profile});

/** SHA-256 in the shape that the signer asks for; with a secret it is an HMAC. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytesOf(data: SourceData): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}
