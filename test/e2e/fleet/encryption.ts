import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import tls from "node:tls";
import {type Certificates, makeCertificates} from "@strata/base/testing";

/** One authority with a certificate for servers and one for clients, and what each kind of program is told of them. */
export class Encryption {
  readonly server: Certificates;
  readonly client: Certificates;
  /** The file of `--http.config`, and of `--web.config.file` of Prometheus and Alertmanager. */
  readonly webConfig: string;

  /** Makes this process trust the authority, too. */
  constructor(dir: string) {
    this.server = makeCertificates(dir, "server");
    this.client = makeCertificates(dir, "client");
    this.webConfig = join(dir, "web.yml");
    const {cert, key} = this.server;
    writeFileSync(this.webConfig, JSON.stringify({tls_server_config: {cert_file: cert, key_file: key}}));
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(this.server.ca, "utf8")]);
  }

  /** Flags of a gRPC server that wants to see certificates. */
  get grpcServer(): readonly string[] {
    const {ca, cert, key} = this.server;
    return [`--grpc-server-tls-cert=${cert}`, `--grpc-server-tls-key=${key}`, `--grpc-server-tls-client-ca=${ca}`];
  }

  /** The block of configuration files for clients of HTTP servers. */
  get httpClient(): {readonly tls_config: {readonly ca_file: string}} {
    return {tls_config: {ca_file: this.server.ca}};
  }

  /** The block of configuration files for clients of those gRPC servers. */
  get grpcClient(): {readonly tls_config: Readonly<Record<string, string>>} {
    return {tls_config: {ca_file: this.client.ca, cert_file: this.client.cert, key_file: this.client.key}};
  }
}
