import {readFileSync, statSync} from "node:fs";
import type {RequestListener, Server} from "node:http";
import type {SecureContextOptions} from "node:tls";
import {errorText, nodeHttps, nodeTls, StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import {SERVER_LIMITS} from "./server-limits.ts";
import {cipherList, curveList, tlsVersionName} from "./tls-names.ts";
import type {WebConfig} from "./web-config.ts";

/** TLS of a listener as flags give it: paths of PEM files, "" where not set. */
export type ListenerTls = {
  readonly cert: string;
  readonly key: string;
  /** Clients must then show a certificate that it signed. */
  readonly clientCa: string;
  /** `1.0` … `1.3`. */
  readonly minVersion: string;
  /** Go names. */
  readonly ciphers: readonly string[];
  readonly curves: readonly string[];
};

/** The server of a listener with certificates from flags; replaced files are taken over at the next connection. */
export function tlsListener(tls: ListenerTls, log: Logger): WebConfig {
  if (tls.cert === "" || tls.key === "") {
    throw new StrataError("bad_data", "cannot serve TLS: both server certificate and key must be given");
  }
  const options = secureOptions(tls);
  return {
    tls: true,
    createServer: (handle) => serverOf(tls, options, handle, log),
    admit: async () => undefined,
  };
}

function serverOf(tls: ListenerTls, options: SecureContextOptions, handle: RequestListener, log: Logger): Server {
  const verify = tls.clientCa !== "";
  const server = nodeHttps().createServer(
    {...SERVER_LIMITS, ...options, requestCert: verify, rejectUnauthorized: verify},
    handle,
  );
  let stamp = stampOf(tls);
  server.prependListener("connection", () => {
    const now = stampOf(tls);
    if (now === stamp) return;
    stamp = now;
    try {
      server.setSecureContext(secureOptions(tls));
      log.info("certificate renewed", {cert: tls.cert});
    } catch (err) {
      log.error("new certificate not taken over", {cert: tls.cert, err: errorText(err)});
    }
  });
  return server as unknown as Server;
}

function secureOptions(tls: ListenerTls): SecureContextOptions {
  const ciphers = cipherList(tls.ciphers);
  const curves = curveList(tls.curves);
  const options: SecureContextOptions = {
    cert: read(tls.cert),
    key: read(tls.key),
    minVersion: tlsVersionName(tls.minVersion),
    ...(tls.clientCa === "" ? {} : {ca: read(tls.clientCa)}),
    ...(ciphers === undefined ? {} : {ciphers}),
    ...(curves === undefined ? {} : {ecdhCurve: curves}),
  };
  try {
    nodeTls().createSecureContext(options);
  } catch (err) {
    throw new StrataError("bad_data", `cannot use certificate ${tls.cert}: ${errorText(err)}`, {cause: err});
  }
  return options;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (err) {
    throw new StrataError("bad_data", `cannot read ${path}: ${errorText(err)}`, {cause: err});
  }
}

/** When the files were last changed; a file that is away for a moment does not count. */
function stampOf(tls: ListenerTls): string {
  return [tls.cert, tls.key, tls.clientCa]
    .filter((path) => path !== "")
    .map((path) => statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? 0)
    .join(" ");
}
