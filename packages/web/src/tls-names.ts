import type {SecureVersion} from "node:tls";
import {StrataError} from "@strata/base";

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  TLS10: "TLSv1",
  TLS11: "TLSv1.1",
  TLS12: "TLSv1.2",
  TLS13: "TLSv1.3",
  "1.0": "TLSv1",
  "1.1": "TLSv1.1",
  "1.2": "TLSv1.2",
  "1.3": "TLSv1.3",
};

/** Node's name of a TLS version written as in flags (`1.2`) or web configuration (`TLS12`). Throws `bad_data`. */
export function tlsVersionName(name: string): SecureVersion {
  const version = VERSIONS[name];
  if (version === undefined)
    throw bad(`unknown TLS version ${JSON.stringify(name)}; want one of TLS10 TLS11 TLS12 TLS13`);
  return version;
}

/**
 * OpenSSL's cipher list for suites named as in Go (`TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`); undefined for none, which
 * is the default list. Throws `bad_data` for a name of another form.
 */
export function cipherList(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.map(cipherName).join(":");
}

function cipherName(go: string): string {
  // The suites of TLS 1.3 have the same names in OpenSSL.
  if (/^TLS_(AES|CHACHA20)_/.test(go)) return go;
  const match = /^TLS_(?:(ECDHE_RSA|ECDHE_ECDSA)|RSA)_WITH_(.+)$/.exec(go);
  if (match === null) throw bad(`unknown cipher suite ${go}`);
  const [, exchange, rest = ""] = match;
  const cipher = rest
    .replace(/^AES_(\d+)_GCM_(SHA\d+)$/, "AES$1-GCM-$2")
    .replace(/^AES_(\d+)_CBC_(SHA\d*)$/, "AES$1-$2")
    .replace(/^CHACHA20_POLY1305(_SHA256)?$/, "CHACHA20-POLY1305")
    .replace(/^3DES_EDE_CBC_SHA$/, "DES-CBC3-SHA");
  if (cipher.includes("_")) throw bad(`unknown cipher suite ${go}`);
  return exchange === undefined ? cipher : `${exchange.replace("_", "-")}-${cipher}`;
}

const CURVES: Readonly<Record<string, string>> = {
  CurveP256: "prime256v1",
  CurveP384: "secp384r1",
  CurveP521: "secp521r1",
  X25519: "X25519",
};

/** OpenSSL's curve list for curves named as in Go; undefined for none. Throws `bad_data`. */
export function curveList(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return names
    .map((name) => {
      const curve = CURVES[name];
      if (curve === undefined) throw bad(`unknown curve ${name}; want one of ${Object.keys(CURVES).join(" ")}`);
      return curve;
    })
    .join(":");
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
