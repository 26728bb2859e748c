import {createPrivateKey, randomUUID, sign} from "node:crypto";
import {type ConfigFields, errorText, StrataError} from "@strata/base";
import {type Secret, secretField, secretText} from "./secret.ts";

/** A key that vouches for a client by a signed statement (RFC 7523) instead of a secret. */
export type AssertionConfig = {
  readonly key: Secret;
  /** Tells the server which of the client's keys it is; "" where it has one. */
  readonly keyId: string;
  readonly algorithm: "RS256" | "RS384" | "RS512";
  readonly issuer: string;
  readonly audience: string;
  /** What the statement says besides. */
  readonly claims: Readonly<Record<string, unknown>>;
};

/** A statement is good for so long; it is used at once. */
const LIFE_SECONDS = 600;

/** Reads the keys of an `oauth2` block that are for the grant type `jwt-bearer`. Throws `bad_data`. */
export function assertionConfig(fields: ConfigFields, clientId: string, tokenUrl: URL): AssertionConfig {
  const key = secretField(fields, "client_certificate_key");
  if (key === undefined) throw fields.bad("client_certificate_key or client_certificate_key_file must be configured");
  return {
    key,
    keyId: fields.text("client_certificate_key_id"),
    algorithm: fields.choice("signature_algorithm", ["RS256", "RS384", "RS512"], "RS256"),
    issuer: fields.text("iss") || clientId,
    audience: fields.text("audience") || tokenUrl.href,
    claims: fields.mapping("claims"),
  };
}

/** The statement, signed (a JWT). */
export async function assertionOf(config: AssertionConfig, clientId: string, scope: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const header = {alg: config.algorithm, typ: "JWT", ...(config.keyId === "" ? {} : {kid: config.keyId})};
  const claims = {
    ...{iss: config.issuer, sub: clientId, jti: randomUUID(), aud: config.audience, iat: now, exp: now + LIFE_SECONDS},
    ...(scope === "" ? {} : {scope}),
    ...config.claims,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const pem = await secretText(config.key);
  try {
    const signature = sign(`sha${config.algorithm.slice(2)}`, Buffer.from(text), createPrivateKey(pem));
    return `${text}.${signature.toString("base64url")}`;
  } catch (err) {
    throw new StrataError("unavailable", `cannot sign with client_certificate_key: ${errorText(err)}`, {cause: err});
  }
}
