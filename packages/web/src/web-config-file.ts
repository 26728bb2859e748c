import {dirname, resolve} from "node:path";
import {errorText, StrataError} from "@strata/base";
import {parsePrometheusDuration} from "@strata/model";
import {parse as parseYaml} from "yaml";

export type ClientAuth =
  | "NoClientCert"
  | "RequestClientCert"
  | "RequireAnyClientCert"
  | "VerifyClientCertIfGiven"
  | "RequireAndVerifyClientCert";

/** A PEM that stands in a file, or in the configuration itself. */
export type Pem = {readonly file?: string | undefined; readonly text?: string | undefined};

export type TlsServerConfig = {
  readonly cert: Pem;
  readonly key: Pem;
  readonly clientCa: Pem | undefined;
  readonly clientAuth: ClientAuth;
  readonly clientAllowedSans: readonly string[];
  readonly minVersion: string;
  readonly maxVersion: string;
  readonly cipherSuites: readonly string[];
  readonly curves: readonly string[];
  readonly preferServerCiphers: boolean;
};

/** The document of `--http.config`, checked, with paths made absolute. */
export type WebConfigFile = {
  readonly tls: TlsServerConfig | undefined;
  readonly http2: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** User to bcrypt hash. Empty: everybody is let in. */
  readonly users: ReadonlyMap<string, string>;
  /** Requests that may come at once, refilled one every `intervalMs`; 0 is no limit. */
  readonly burst: number;
  readonly intervalMs: number;
};

const CLIENT_AUTH: Readonly<Record<string, ClientAuth>> = {
  "": "NoClientCert",
  NoClientCert: "NoClientCert",
  RequestClientCert: "RequestClientCert",
  RequireClientCert: "RequireAnyClientCert",
  RequireAnyClientCert: "RequireAnyClientCert",
  VerifyClientCertIfGiven: "VerifyClientCertIfGiven",
  RequireAndVerifyClientCert: "RequireAndVerifyClientCert",
};

/** The only headers that the configuration may set. */
const HEADERS = [
  "Content-Security-Policy",
  "X-Frame-Options",
  "X-Content-Type-Options",
  "X-XSS-Protection",
  "Strict-Transport-Security",
];

/** Reads the document. `path` is for messages and to resolve relative paths. Throws `bad_data`. */
export function parseWebConfigFile(text: string, path: string): WebConfigFile {
  const fail = (reason: string): never => {
    throw new StrataError("bad_data", `cannot use ${path}: ${reason}`);
  };
  let document: unknown;
  try {
    document = parseYaml(text) ?? {};
  } catch (err) {
    // Only the first line: the others quote the document, which holds password hashes.
    fail(errorText(err).split("\n", 1)[0]?.replace(/:$/, "") ?? "");
  }
  const fields = (value: unknown, what: string, keys: readonly string[]): Record<string, unknown> => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) fail(`${what} is not a mapping`);
    const unknown = Object.keys(value as object).find((key) => keys.length > 0 && !keys.includes(key));
    if (unknown !== undefined) fail(`${what} has the unknown key ${unknown}; known are ${keys.join(", ")}`);
    return value as Record<string, unknown>;
  };
  const root = fields(document, "the document", [
    "tls_server_config",
    "http_server_config",
    "basic_auth_users",
    "rate_limit",
  ]);
  const http = fields(root.http_server_config ?? {}, "http_server_config", ["http2", "headers"]);
  const headers = fields(http.headers ?? {}, "headers", []) as Record<string, string>;
  const strange = Object.keys(headers).find((h) => !HEADERS.some((known) => known.toLowerCase() === h.toLowerCase()));
  if (strange !== undefined) fail(`header ${strange} cannot be set; those that can are ${HEADERS.join(", ")}`);
  const users = fields(root.basic_auth_users ?? {}, "basic_auth_users", []);
  for (const [user, hash] of Object.entries(users)) {
    if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(String(hash)))
      fail(`the password of user ${user} is not a bcrypt hash`);
  }
  const rate = fields(root.rate_limit ?? {}, "rate_limit", ["burst", "interval"]);
  return {
    tls: tlsConfig(root.tls_server_config, dirname(resolve(path)), fields, fail),
    http2: http.http2 !== false,
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== "")),
    users: new Map(Object.entries(users).map(([user, hash]) => [user, String(hash)])),
    burst: Number(rate.burst ?? 0),
    intervalMs: rate.interval === undefined ? 0 : parsePrometheusDuration(String(rate.interval)),
  };
}

const TLS_KEYS = [
  "cert_file",
  "key_file",
  "cert",
  "key",
  "client_ca_file",
  "client_ca",
  "client_auth_type",
  "client_allowed_sans",
  "min_version",
  "max_version",
  "cipher_suites",
  "curve_preferences",
  "prefer_server_cipher_suites",
];

function tlsConfig(
  value: unknown,
  dir: string,
  fields: (value: unknown, what: string, keys: readonly string[]) => Record<string, unknown>,
  fail: (reason: string) => never,
): TlsServerConfig | undefined {
  if (value === undefined || value === null) return undefined;
  const tls = fields(value, "tls_server_config", TLS_KEYS);
  if (Object.keys(tls).length === 0) return undefined;
  const pem = (file: string, inline: string): Pem | undefined => {
    if (typeof tls[file] === "string" && tls[file] !== "") return {file: resolve(dir, tls[file])};
    return typeof tls[inline] === "string" && tls[inline] !== "" ? {text: tls[inline]} : undefined;
  };
  const cert = pem("cert_file", "cert") ?? fail("tls_server_config has no cert_file");
  const key = pem("key_file", "key") ?? fail("tls_server_config has no key_file");
  const clientCa = pem("client_ca_file", "client_ca");
  const authName = String(tls.client_auth_type ?? "");
  const clientAuth =
    CLIENT_AUTH[authName] ??
    fail(`client_auth_type is ${authName}; want one of ${Object.keys(CLIENT_AUTH).slice(1).join(", ")}`);
  if (clientCa !== undefined && clientAuth === "NoClientCert") {
    fail("client_ca_file is given, but client_auth_type is NoClientCert");
  }
  if (clientCa === undefined && clientAuth === "RequireAndVerifyClientCert") {
    fail(`client_auth_type is ${clientAuth}, but there is no client_ca_file`);
  }
  const list = (name: string): readonly string[] => (Array.isArray(tls[name]) ? tls[name].map(String) : []);
  return {
    cert,
    key,
    clientCa,
    clientAuth,
    clientAllowedSans: list("client_allowed_sans"),
    minVersion: String(tls.min_version ?? "TLS12"),
    maxVersion: String(tls.max_version ?? "TLS13"),
    cipherSuites: list("cipher_suites"),
    curves: list("curve_preferences"),
    preferServerCiphers: tls.prefer_server_cipher_suites !== false,
  };
}
