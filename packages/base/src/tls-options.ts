import {readFileSync} from "node:fs";
import type {SecureVersion} from "node:tls";
import type {ConfigFields} from "./config-fields.ts";
import {errorText} from "./errors.ts";

/** What `tls_config` says, in the words of `node:tls`. */
export type TlsOptions = {
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
};

const VERSIONS = {"": undefined, TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3"} as const;

/**
 * Reads a `tls_config` block; files are read at once. `skipVerify` true overrides the block's own word. With `inline` the
 * block may hold the text of certificates itself and a `max_version`, as Prometheus' may.
 */
export function tlsOptions(fields: ConfigFields, skipVerify = false, inline = false): TlsOptions {
  const ca = pem(fields, "ca", inline);
  const cert = pem(fields, "cert", inline);
  const key = pem(fields, "key", inline);
  const servername = fields.text("server_name");
  const skip = fields.flag("insecure_skip_verify") || skipVerify;
  const minVersion = version(fields, "min_version");
  const maxVersion = inline ? version(fields, "max_version") : undefined;
  return {
    rejectUnauthorized: !skip,
    ...(ca === undefined ? {} : {ca}),
    ...(cert === undefined ? {} : {cert}),
    ...(key === undefined ? {} : {key}),
    ...(servername === "" ? {} : {servername}),
    ...(minVersion === undefined ? {} : {minVersion}),
    ...(maxVersion === undefined ? {} : {maxVersion}),
  };
}

function version(fields: ConfigFields, key: string): SecureVersion | undefined {
  const names = Object.keys(VERSIONS) as (keyof typeof VERSIONS)[];
  return VERSIONS[fields.choice(key, names, "")];
}

/** PEM text at `key` where it may stand there, or in the file at `key_file`. */
function pem(fields: ConfigFields, key: string, inline: boolean): Buffer | undefined {
  const text = inline ? fields.text(key) : "";
  const path = fields.text(`${key}_file`);
  if (text !== "" && path !== "") throw fields.bad(`at most one of ${key} and ${key}_file must be configured`);
  if (path === "") return text === "" ? undefined : Buffer.from(text);
  try {
    return readFileSync(path);
  } catch (err) {
    throw fields.bad(`${key}_file: ${errorText(err)}`);
  }
}
