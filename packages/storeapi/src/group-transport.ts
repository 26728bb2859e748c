import {errorCode} from "@strata/base";
import type {Init, MethodDef} from "@strata/proto";
import type {Connection} from "./connection.ts";
import {type CallOptions, type Compression, GrpcClient, type Transport} from "./grpc-client.ts";
import type {RpcMetrics} from "./grpc-metrics.ts";
import {fromGrpcStatus, GRPC_CODE} from "./grpc-status.ts";
import type {ClientTls} from "./tls-config.ts";

/** How often a call of a group is tried, and how long it waits before the second and third time. */
export type RetryPolicy = {
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly multiplier: number;
};

const DEFAULT_RETRY: RetryPolicy = {maxAttempts: 3, initialBackoffMs: 100, multiplier: 2};

export type GroupOptions = {
  /** Name of the group. */
  readonly address: string;
  readonly tls?: ClientTls | undefined;
  readonly compression?: Compression | undefined;
  /** Asked at each call. */
  readonly addresses: () => readonly string[];
  readonly retry?: RetryPolicy | undefined;
};

/**
 * One endpoint that stands for several equal servers: calls go to them in turn, and one that finds a server unavailable
 * before anything was received goes to the next. Connections follow the list of addresses.
 */
export class GroupTransport implements Transport {
  readonly address: string;
  readonly #options: GroupOptions;
  readonly #metrics: RpcMetrics;
  readonly #retry: RetryPolicy;
  readonly #members = new Map<string, Transport>();
  #next = 0;

  constructor(options: GroupOptions, metrics: RpcMetrics) {
    this.address = options.address;
    this.#options = options;
    this.#metrics = metrics;
    this.#retry = options.retry ?? DEFAULT_RETRY;
  }

  get connection(): Connection {
    const {address, tls, compression, addresses} = this.#options;
    return {address, tls, compression, group: {addresses: addresses(), retry: this.#retry}};
  }

  async unary<Req, Res>(method: MethodDef<Req, Res>, request: Init<Req>, options: CallOptions): Promise<Res> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pick().unary(method, request, options);
      } catch (err) {
        await this.#again(err, attempt, options.signal);
      }
    }
  }

  async *rawStream<Req, Res>(
    method: MethodDef<Req, Res>,
    request: Init<Req>,
    options: CallOptions,
  ): AsyncGenerator<readonly Buffer[], void, undefined> {
    for (let attempt = 1; ; attempt++) {
      let received = false;
      try {
        for await (const group of this.#pick().rawStream(method, request, options)) {
          received = true;
          yield group;
        }
        return;
      } catch (err) {
        if (received) throw err;
        await this.#again(err, attempt, options.signal);
      }
    }
  }

  close(): void {
    for (const member of this.#members.values()) member.close();
    this.#members.clear();
  }

  /** Waits before another attempt, or throws what was caught. */
  async #again(err: unknown, attempt: number, signal: AbortSignal): Promise<void> {
    if (errorCode(err) !== "unavailable" || attempt >= this.#retry.maxAttempts || signal.aborted) throw err;
    const wait = this.#retry.initialBackoffMs * this.#retry.multiplier ** (attempt - 1);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      // Up to a fifth more, so that callers that failed together do not come back together.
      const timer = setTimeout(done, wait * (1 + Math.random() / 5));
      signal.addEventListener("abort", done);
    });
    signal.throwIfAborted();
  }

  #pick(): Transport {
    const addresses = this.#options.addresses();
    for (const [address, member] of this.#members) {
      if (addresses.includes(address)) continue;
      this.#members.delete(address);
      member.close();
    }
    const address = addresses[this.#next++ % Math.max(addresses.length, 1)];
    if (address === undefined) throw fromGrpcStatus(GRPC_CODE.Unavailable, `no addresses of ${this.address} are known`);
    let member = this.#members.get(address);
    if (member === undefined) {
      const {tls, compression} = this.#options;
      member = new GrpcClient({address, tls, compression, metrics: this.#metrics});
      this.#members.set(address, member);
    }
    return member;
  }
}
