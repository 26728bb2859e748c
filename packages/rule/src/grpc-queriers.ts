import {DnsProvider, isDynamic} from "@strata/discovery";
import {type ClientTls, GrpcClient, QueryClient, rpcMetrics} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";

export type GrpcQueriersOptions = {
  /** `host:port`, or a name to look up. */
  readonly addresses: readonly string[];
  readonly dnsIntervalMs: number;
  readonly tls?: ClientTls | undefined;
  readonly registry: Registry;
  readonly logger: Logger;
};

/** Queriers over gRPC, a client for each address that names stand for at the moment. */
export class GrpcQueriers {
  readonly #options: GrpcQueriersOptions;
  readonly #dns: DnsProvider;
  readonly #clients = new Map<string, {readonly transport: GrpcClient; readonly client: QueryClient}>();
  readonly #timer: NodeJS.Timeout | undefined;

  private constructor(options: GrpcQueriersOptions) {
    const {registry, logger, addresses, dnsIntervalMs} = options;
    this.#options = options;
    this.#dns = new DnsProvider({metricPrefix: "thanos_rule_grpc_query_apis", registry, logger});
    if (!addresses.some(isDynamic)) return;
    this.#timer = setInterval(() => void this.resolve(), Math.max(dnsIntervalMs, 1));
    this.#timer.unref();
  }

  /** Resolves all names once. */
  static async start(options: GrpcQueriersOptions): Promise<GrpcQueriers> {
    const queriers = new GrpcQueriers(options);
    await queriers.resolve();
    return queriers;
  }

  get clients(): readonly QueryClient[] {
    return [...this.#clients.values()].map(({client}) => client);
  }

  /** Looks all names up again. Never throws. */
  async resolve(): Promise<void> {
    const {addresses, registry, tls} = this.#options;
    if (addresses.length === 0) return;
    await this.#dns.resolve(addresses);
    const now = new Set(this.#dns.addresses());
    for (const [address, {transport}] of this.#clients) {
      if (now.has(address)) continue;
      this.#clients.delete(address);
      transport.close();
    }
    for (const address of now) {
      if (this.#clients.has(address)) continue;
      const transport = new GrpcClient({address, tls, metrics: rpcMetrics(registry, "client")});
      this.#clients.set(address, {transport, client: new QueryClient(transport)});
    }
  }

  /** Safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
    for (const {transport} of this.#clients.values()) transport.close();
    this.#clients.clear();
  }
}
