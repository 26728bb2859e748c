import {readFileSync, statSync} from "node:fs";
import type {IncomingMessage, RequestListener, Server, ServerResponse} from "node:http";
import type {SecureContextOptions, TLSSocket, Server as TlsServer} from "node:tls";
import {errorText, nodeHttp, nodeHttp2, nodeHttps, StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import {BasicAuth} from "./basic-auth.ts";
import {type HttpResponse, textError} from "./http-types.ts";
import {SERVER_LIMITS} from "./server-limits.ts";
import {cipherList, curveList, tlsVersionName} from "./tls-names.ts";
import {type Pem, parseWebConfigFile, type TlsServerConfig, type WebConfigFile} from "./web-config-file.ts";

/** What `--http.config` makes of a server. The file and the certificates are looked at again for each connection. */
export type WebConfig = {
  readonly tls: boolean;
  createServer(handle: RequestListener): Server;
  /** Sets the configured headers; an answer (401, 429) when the request is not let in. */
  admit(req: IncomingMessage, res: ServerResponse): Promise<HttpResponse | undefined>;
};

/** Reads the file once, so that a mistake shows at start. Throws `bad_data`. */
export function loadWebConfig(path: string, log: Logger): WebConfig {
  return new FileWebConfig(path, log);
}

class FileWebConfig implements WebConfig {
  readonly tls: boolean;
  readonly #path: string;
  readonly #log: Logger;
  #file: WebConfigFile;
  #auth: BasicAuth;
  #stamp: string;
  #bucket = {tokens: 0, at: 0};

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#file = readWebConfig(path);
    this.#auth = new BasicAuth(this.#file.users);
    this.#stamp = stampOf([path]);
    this.#bucket = {tokens: this.#file.burst, at: performance.now()};
    this.tls = this.#file.tls !== undefined;
    if (this.#file.tls !== undefined) secureOptions(this.#file.tls);
  }

  createServer(handle: RequestListener): Server {
    if (this.#file.tls === undefined) return nodeHttp().createServer(SERVER_LIMITS, handle);
    const tls = this.#file.tls;
    const options = {...secureOptions(tls), ...clientOptions(tls)};
    const server = this.#file.http2
      ? nodeHttp2().createSecureServer(
          {...SERVER_LIMITS, ...options, allowHTTP1: true, settings: {maxHeaderListSize: SERVER_LIMITS.maxHeaderSize}},
          handle as never,
        )
      : nodeHttps().createServer({...SERVER_LIMITS, ...options}, handle);
    this.#renewBeforeHandshakes(server as unknown as TlsServer);
    this.#checkClients(server as unknown as TlsServer);
    return server as unknown as Server;
  }

  async admit(req: IncomingMessage, res: ServerResponse): Promise<HttpResponse | undefined> {
    this.#refresh();
    for (const [name, value] of Object.entries(this.#file.headers)) res.setHeader(name, value);
    if (!this.#takeToken()) return textError(429, "Too Many Requests");
    if (this.#file.users.size === 0 || (await this.#auth.allows(req.headers.authorization))) return undefined;
    return textError(401, "Unauthorized", {"www-authenticate": "Basic"});
  }

  /** Takes a changed file over; a broken one is logged and the old settings stay. */
  #refresh(): void {
    const stamp = stampOf([this.#path]);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#file = readWebConfig(this.#path);
      this.#auth = new BasicAuth(this.#file.users);
    } catch (err) {
      this.#log.error("web configuration not taken over", {path: this.#path, err});
    }
  }

  /** Looks at the certificate files before each connection's handshake; three stats cost some 15 µs. */
  #renewBeforeHandshakes(server: TlsServer): void {
    let stamp = this.#pemStamp();
    server.prependListener("connection", () => {
      this.#refresh();
      const now = this.#pemStamp();
      if (now === stamp || this.#file.tls === undefined) return;
      stamp = now;
      try {
        server.setSecureContext(secureOptions(this.#file.tls));
        this.#log.info("certificate renewed", {path: this.#path});
      } catch (err) {
        this.#log.error("new certificate not taken over", {path: this.#path, err});
      }
    });
  }

  #pemStamp(): string {
    const tls = this.#file.tls;
    const files = [tls?.cert.file, tls?.key.file, tls?.clientCa?.file].filter((file) => file !== undefined);
    return `${this.#stamp} ${stampOf(files)}`;
  }

  /** Node either verifies every client or none; what lies between is decided here, right after the handshake. */
  #checkClients(server: TlsServer): void {
    server.on("secureConnection", (socket: TLSSocket) => {
      const tls = this.#file.tls;
      if (tls === undefined || tls.clientAuth === "NoClientCert") return;
      const certificate = socket.getPeerCertificate();
      const given = Object.keys(certificate ?? {}).length > 0;
      const verify = tls.clientAuth === "VerifyClientCertIfGiven" && given;
      const refused =
        (tls.clientAuth === "RequireAnyClientCert" && !given) ||
        (verify && !socket.authorized) ||
        (given && !sanAllowed(certificate.subjectaltname, tls.clientAllowedSans));
      if (refused) socket.destroy();
    });
  }

  /** A bucket of `burst` tokens that gains one every interval. */
  #takeToken(): boolean {
    const {burst, intervalMs} = this.#file;
    if (burst <= 0 || intervalMs <= 0) return true;
    const now = performance.now();
    const tokens = Math.min(burst, this.#bucket.tokens + (now - this.#bucket.at) / intervalMs);
    const allowed = tokens >= 1;
    this.#bucket = {tokens: allowed ? tokens - 1 : tokens, at: now};
    return allowed;
  }
}

function readWebConfig(path: string): WebConfigFile {
  return parseWebConfigFile(readText(path), path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (err) {
    throw new StrataError("bad_data", `cannot read ${path}: ${errorText(err)}`, {cause: err});
  }
}

const pemText = (pem: Pem): string => pem.text ?? readText(pem.file as string);

function secureOptions(tls: TlsServerConfig): SecureContextOptions {
  const ciphers = cipherList(tls.cipherSuites);
  const curves = curveList(tls.curves);
  return {
    cert: pemText(tls.cert),
    key: pemText(tls.key),
    ...(tls.clientCa === undefined ? {} : {ca: pemText(tls.clientCa)}),
    ...(ciphers === undefined ? {} : {ciphers}),
    ...(curves === undefined ? {} : {ecdhCurve: curves}),
    minVersion: tlsVersionName(tls.minVersion),
    maxVersion: tlsVersionName(tls.maxVersion),
    honorCipherOrder: tls.preferServerCiphers,
  };
}

const clientOptions = (tls: TlsServerConfig): {requestCert: boolean; rejectUnauthorized: boolean} => ({
  requestCert: tls.clientAuth !== "NoClientCert",
  rejectUnauthorized: tls.clientAuth === "RequireAndVerifyClientCert",
});

function sanAllowed(names: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const own = (names ?? "").split(", ").map((name) => name.replace(/^[^:]*:/, ""));
  return own.some((name) => allowed.includes(name));
}

/** Changes when one of the files does. A file that is missing has a stamp of its own. */
function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, {throwIfNoEntry: false});
      return stat === undefined ? "-" : `${stat.mtimeMs}:${stat.size}:${stat.ino}`;
    })
    .join(" ");
}
