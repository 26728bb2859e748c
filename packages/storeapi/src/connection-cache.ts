import {QueryClient} from "./apis/query-api.ts";
import type {Connection} from "./connection.ts";
import {GroupTransport} from "./group-transport.ts";
import {GrpcClient, type Transport} from "./grpc-client.ts";
import type {RpcMetrics} from "./grpc-metrics.ts";
import {StoreClient} from "./store-client.ts";

type Open = {
  readonly transport: Transport;
  readonly client: StoreClient;
  readonly queryClient: QueryClient;
  addresses: readonly string[];
  used: number;
};

/** A connection that nobody asked for in so long is closed; calls that still run on it are finished. */
const UNUSED_MS = 10 * 60_000;

/**
 * Bytes that may be on the way on one connection. PERF: a thread that evaluates reads its sockets some hundred times a
 * second; what a source can send meanwhile is what the two can do at once. With 1 MiB a day of rates took the time of the
 * store and of the querier one after the other.
 */
const MOST_WINDOW = 4 << 20;
/** What all of them share, as far as the library's usual window leaves anything to share. */
const ALL_WINDOWS = 32 << 20;
const LEAST_WINDOW = 1 << 20;

/** The connections of one thread that is told by another which endpoints there are: one for each way to reach one. */
export class ConnectionCache {
  readonly #metrics: RpcMetrics;
  readonly #now: () => number;
  readonly #open = new Map<string, Open>();

  constructor(metrics: RpcMetrics, now: () => number = Date.now) {
    this.#metrics = metrics;
    this.#now = now;
  }

  /** The client of a connection, made where there is none. */
  client(c: Connection): StoreClient {
    return this.#use(c).client;
  }

  /** The same for a querier. */
  queryClient(c: Connection): QueryClient {
    return this.#use(c).queryClient;
  }

  #use(c: Connection): Open {
    this.#closeUnused();
    const key = JSON.stringify([c.address, c.tls, c.compression, c.group?.retry]);
    const open = this.#open.get(key) ?? this.#connect(key, c);
    open.addresses = c.group?.addresses ?? [];
    open.used = this.#now();
    return open;
  }

  get size(): number {
    return this.#open.size;
  }

  close(): void {
    for (const {transport} of this.#open.values()) transport.close();
    this.#open.clear();
  }

  #connect(key: string, {address, tls, compression, group}: Connection): Open {
    const metrics = this.#metrics;
    const windowBytes = Math.max(LEAST_WINDOW, Math.min(MOST_WINDOW, Math.floor(ALL_WINDOWS / (this.size + 1))));
    const transport: Transport =
      group === undefined
        ? new GrpcClient({address, tls, compression, windowBytes, metrics})
        : new GroupTransport({address, tls, compression, addresses: () => open.addresses, retry: group.retry}, metrics);
    const open: Open = {
      transport,
      client: new StoreClient(transport),
      queryClient: new QueryClient(transport),
      addresses: [],
      used: 0,
    };
    this.#open.set(key, open);
    return open;
  }

  #closeUnused(): void {
    const before = this.#now() - UNUSED_MS;
    for (const [key, {transport, used}] of this.#open) {
      if (used >= before) continue;
      this.#open.delete(key);
      transport.close();
    }
  }
}
