import {readFileSync, statSync} from "node:fs";
import {createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion} from "node:tls";
import {errorText, StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import {ReloadableCredentials} from "./grpc-internals.ts";

/** `1.0` … `1.3`, as the flags name them. */
export type TlsVersion = "1.0" | "1.1" | "1.2" | "1.3";

/** Paths of PEM files; "" where not set. */
export type ServerTls = {
  readonly cert: string;
  readonly key: string;
  /** Clients must then show a certificate signed by it. */
  readonly clientCa?: string | undefined;
  readonly minVersion?: TlsVersion | undefined;
  /** OpenSSL or Go names, colon-separated for node:tls. */
  readonly ciphers?: string | undefined;
  /** Curve names as node:tls has them (`X25519`, `P-256`…), colon-separated. */
  readonly curves?: string | undefined;
};

export type ClientTls = {
  /** "" for the system's authorities. */
  readonly ca?: string | undefined;
  /** Both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
  readonly skipVerify?: boolean | undefined;
  readonly minVersion?: TlsVersion | undefined;
};

const version = (v: TlsVersion | undefined): SecureVersion => (v === "1.0" ? "TLSv1" : `TLSv${v ?? "1.3"}`);

function read(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (err) {
    throw new StrataError("bad_data", `cannot read ${what} ${path}: ${errorText(err)}`, {cause: err});
  }
}

function serverContext(tls: ServerTls): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: read(tls.cert, "server certificate"),
    key: read(tls.key, "server key"),
    minVersion: version(tls.minVersion),
    ...(tls.clientCa ? {ca: read(tls.clientCa, "client CA")} : {}),
    ...(tls.ciphers ? {ciphers: tls.ciphers} : {}),
    ...(tls.curves ? {ecdhCurve: tls.curves} : {}),
  };
  try {
    createSecureContext(options);
  } catch (err) {
    throw new StrataError("bad_data", `cannot use server certificate ${tls.cert}: ${errorText(err)}`, {cause: err});
  }
  return options;
}

/** The server's credentials, following its files: `close` stops that. */
export class ServerTlsFiles {
  readonly credentials: ReloadableCredentials;
  readonly #tls: ServerTls;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #stamp: string;

  /** Reads the files at once: a faulty pair fails the start. */
  constructor(tls: ServerTls, logger: Logger) {
    if (tls.cert === "" || tls.key === "") {
      throw new StrataError("bad_data", "cannot serve TLS: both server certificate and key must be given");
    }
    this.#tls = tls;
    this.#logger = logger;
    this.credentials = new ReloadableCredentials(serverContext(tls), Boolean(tls.clientCa));
    this.#stamp = this.#stampNow();
    this.#timer = setInterval(() => this.reload(), RELOAD_MS);
    this.#timer.unref();
  }

  /** Takes over changed files; a faulty new pair is logged, and the one in use stays. */
  reload(): void {
    try {
      const stamp = this.#stampNow();
      if (stamp === this.#stamp) return;
      this.credentials.replace(serverContext(this.#tls));
      this.#stamp = stamp;
      this.#logger.info("reloaded gRPC server certificate", {cert: this.#tls.cert});
    } catch (err) {
      this.#logger.warn("cannot reload gRPC server certificate", {err});
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #stampNow(): string {
    const files = [this.#tls.cert, this.#tls.key, this.#tls.clientCa].filter((f) => f);
    return files.map((f) => statSync(f as string).mtimeMs).join(" ");
  }
}

/** How soon a replaced certificate is noticed; three stat calls each time. */
const RELOAD_MS = 2000;

/** The client's secure context; `bad_data` names the file that cannot be used. */
export function clientContext(tls: ClientTls): SecureContext {
  const pair =
    tls.cert && tls.key ? {cert: read(tls.cert, "client certificate"), key: read(tls.key, "client key")} : {};
  const ca = tls.ca ? {ca: read(tls.ca, "CA certificate")} : {};
  try {
    return createSecureContext({...pair, ...ca, minVersion: version(tls.minVersion)});
  } catch (err) {
    throw new StrataError("bad_data", `cannot use TLS files of the gRPC client: ${errorText(err)}`, {cause: err});
  }
}
