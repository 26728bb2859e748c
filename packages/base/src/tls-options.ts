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
};

const VERSIONS = {"": undefined, TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3"} as const;

/** Reads a `tls_config` block; files are read at once. `skipVerify` true overrides the block's own word. */
export function tlsOptions(fields: ConfigFields, skipVerify = false): TlsOptions {
  const ca = file(fields, "ca_file");
  const cert = file(fields, "cert_file");
  const key = file(fields, "key_file");
  const servername = fields.text("server_name");
  const skip = fields.flag("insecure_skip_verify") || skipVerify;
  const names = Object.keys(VERSIONS) as (keyof typeof VERSIONS)[];
  const minVersion = VERSIONS[fields.choice("min_version", names, "")];
  return {
    rejectUnauthorized: !skip,
    ...(ca === undefined ? {} : {ca}),
    ...(cert === undefined ? {} : {cert}),
    ...(key === undefined ? {} : {key}),
    ...(servername === "" ? {} : {servername}),
    ...(minVersion === undefined ? {} : {minVersion}),
  };
}

function file(fields: ConfigFields, key: string): Buffer | undefined {
  const path = fields.text(key);
  if (path === "") return undefined;
  try {
    return readFileSync(path);
  } catch (err) {
    throw fields.bad(`${key}: ${errorText(err)}`);
  }
}
