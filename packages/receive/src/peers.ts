import {type ClientTls, type Compression, GrpcClient, rpcMetrics, type Transport} from "@strata/storeapi";
import type {Registry} from "@strata/telemetry";
import type {Endpoint} from "./endpoint.ts";
import {Peer} from "./peer.ts";

export type PeersOptions = {
  readonly tls: ClientTls | undefined;
  readonly compression: Compression;
  /** See GrpcClientOptions. */
  readonly serviceConfig: string;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly maxBackoffMs: number;
  readonly artificialDelayMs: number;
  readonly registry: Registry;
};

/** The other receivers, each connected to when it is first written to. */
export class Peers {
  readonly #o: PeersOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #delay;
  readonly #forwards;

  constructor(options: PeersOptions) {
    this.#o = options;
    const {registry} = options;
    this.#delay = registry.histogram({
      name: "thanos_receive_forward_delay_seconds",
      help: "How long a forwarded write waited for a free worker.",
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    });
    const forwards = registry.counter({
      name: "thanos_receive_forward_requests_total",
      help: "Writes handed to receivers of the hashring.",
      labels: ["result"],
      preset: [{result: "success"}, {result: "error"}],
    });
    this.#forwards = {success: forwards.with({result: "success"}), error: forwards.with({result: "error"})};
  }

  /** How messages are to travel. */
  get compression(): Compression {
    return this.#o.compression;
  }

  get(endpoint: Endpoint): Peer {
    let peer = this.#peers.get(endpoint.address);
    if (peer === undefined) {
      peer = new Peer({
        endpoint,
        transport: this.#connect(endpoint.address),
        workers: Math.max(1, this.#o.workers),
        timeoutMs: this.#o.timeoutMs,
        maxBackoffMs: this.#o.maxBackoffMs,
        artificialDelayMs: this.#o.artificialDelayMs,
        delay: this.#delay,
        forwards: this.#forwards,
      });
      this.#peers.set(endpoint.address, peer);
    }
    return peer;
  }

  #connect(address: string): Transport {
    const {tls, compression, serviceConfig, registry} = this.#o;
    return new GrpcClient({address, tls, compression, serviceConfig, metrics: rpcMetrics(registry, "client")});
  }

  /** Lets go of all but these. */
  keep(endpoints: readonly Endpoint[]): void {
    const addresses = new Set(endpoints.map((e) => e.address));
    for (const [address, peer] of this.#peers) {
      if (addresses.has(address)) continue;
      this.#peers.delete(address);
      peer.close();
    }
  }

  /** Counts a write that stayed here like those that went out. */
  countLocal(succeeded: boolean): void {
    (succeeded ? this.#forwards.success : this.#forwards.error).inc();
  }

  close(): void {
    this.keep([]);
  }
}
