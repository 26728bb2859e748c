import {
  Channel,
  ChannelCredentials,
  type ChannelOptions,
  logVerbosity,
  Metadata,
  type StatusObject,
  setLogVerbosity,
} from "@grpc/grpc-js";
import {errorText, StrataError} from "@strata/base";
import type {Init, MethodDef} from "@strata/proto";
import {TRACEPARENT} from "@strata/telemetry";
import {DEFAULT_TENANT, NO_HASHES_KEY, REQUEST_ID_KEY, START_TIMES_KEY, TENANT_KEY} from "./call-context.ts";
import type {Connection} from "./connection.ts";
import {NO_COMPRESS, teachChannelSnappy, withoutIpServerName} from "./grpc-internals.ts";
import {methodLabels, type RpcMetrics} from "./grpc-metrics.ts";
import {fromGrpcStatus, GRPC_CODE} from "./grpc-status.ts";
import {type ClientTls, clientContext} from "./tls-config.ts";

export type Compression = "none" | "snappy";

export type GrpcClientOptions = {
  /** `host:port`. */
  readonly address: string;
  /** Plaintext when left out. */
  readonly tls?: ClientTls | undefined;
  readonly compression?: Compression | undefined;
  /** gRPC's service configuration as JSON: retries, time-outs, balancing between the addresses of a name. */
  readonly serviceConfig?: string | undefined;
  /** Flow-control window of the connection and of each stream; WINDOW when left out. */
  readonly windowBytes?: number | undefined;
  readonly metrics: RpcMetrics;
};

export type CallOptions = {
  readonly signal: AbortSignal;
  /** From now; none when left out. */
  readonly timeoutMs?: number | undefined;
  /** Wait for a connection instead of failing while there is none. */
  readonly waitForReady?: boolean | undefined;
  readonly tenant?: string | undefined;
  readonly requestId?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The request is compressed already: it goes as it is. */
  readonly isCompressed?: boolean | undefined;
};

/** What a StoreClient speaks through: one connection, or several that share the work. */
export type Transport = {
  readonly address: string;
  /** How another thread makes the same. */
  readonly connection: Connection;
  unary<Req, Res>(method: MethodDef<Req, Res>, request: Init<Req>, options: CallOptions): Promise<Res>;
  /** Encoded replies, all that have come at once as one group; the Buffers belong to the consumer. */
  rawStream<Req, Res>(
    method: MethodDef<Req, Res>,
    request: Init<Req>,
    options: CallOptions,
  ): AsyncIterable<readonly Buffer[]>;
  close(): void;
};

/**
 * One channel to one address. Connects on the first call, keeps the connection alive (ping every 10 s, 5 s to answer),
 * and reads a stream only as fast as its consumer does: about 1 MiB waits here, and a window's bytes in the connection.
 */
export class GrpcClient implements Transport {
  readonly address: string;
  readonly connection: Connection;
  readonly #channel: Channel;
  readonly #metrics: RpcMetrics;

  constructor(options: GrpcClientOptions) {
    const {address, tls, compression} = options;
    this.address = address;
    this.connection = {address, tls, compression, group: undefined};
    this.#metrics = options.metrics;
    setLogVerbosity(logVerbosity.NONE);
    this.#channel = new Channel(options.address, credentials(options.tls), channelOptions(options));
    teachChannelSnappy(this.#channel, options.compression === "snappy");
  }

  async unary<Req, Res>(method: MethodDef<Req, Res>, request: Init<Req>, options: CallOptions): Promise<Res> {
    for await (const group of this.rawStream(method, request, options)) {
      const [message] = group;
      if (message !== undefined) return method.response.decode(message);
    }
    throw fromGrpcStatus(GRPC_CODE.Internal, "no message in reply to a unary call");
  }

  /** Typed replies of a server stream. */
  async *stream<Req, Res>(method: MethodDef<Req, Res>, request: Init<Req>, options: CallOptions): AsyncGenerator<Res> {
    for await (const group of this.rawStream(method, request, options)) {
      for (const message of group) yield method.response.decode(message);
    }
  }

  async *rawStream<Req, Res>(
    method: MethodDef<Req, Res>,
    request: Init<Req>,
    options: CallOptions,
  ): AsyncGenerator<readonly Buffer[], void, undefined> {
    options.signal.throwIfAborted();
    const deadline = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.timeoutMs;
    const call = this.#channel.createCall(method.path, deadline, null, null, null);
    const rpc = this.#metrics.start(methodLabels(method));
    const replies = new Replies(() => call.startRead());
    const cancel = (): void => call.cancelWithStatus(GRPC_CODE.Canceled, "Call cancelled");
    options.signal.addEventListener("abort", cancel);
    try {
      call.start(metadataOf(options), {
        onReceiveMetadata: () => {},
        onReceiveMessage: (message: Buffer) => {
          rpc.received();
          replies.push(message);
        },
        onReceiveStatus: (status) => {
          rpc.end(status.code);
          replies.end(status);
        },
      });
      rpc.sent();
      const flags = options.isCompressed === true ? {flags: NO_COMPRESS} : {};
      call.sendMessageWithContext(flags, method.request.encode(request));
      call.halfClose();
      for (let group = await replies.take(); group !== undefined; group = await replies.take()) yield group;
      const status = replies.status as StatusObject;
      if (status.code === GRPC_CODE.OK) return;
      options.signal.throwIfAborted();
      throw fromGrpcStatus(status.code, status.details);
    } finally {
      options.signal.removeEventListener("abort", cancel);
      // Does nothing to a call that has ended; ends one whose consumer stopped early.
      cancel();
    }
  }

  /** Lets running calls finish, refuses new ones. */
  close(): void {
    this.#channel.close();
  }
}

/** Throws `bad_data` for what is no service configuration: the library would tell at the first call only. */
export function checkServiceConfig(text: string): void {
  if (text === "") return;
  try {
    // Channels connect when they are first used.
    new Channel("127.0.0.1:1", credentials(undefined), channelOptions({serviceConfig: text})).close();
  } catch (err) {
    throw new StrataError("bad_data", `cannot use gRPC service configuration: ${errorText(err)}`, {cause: err});
  }
}

/** Messages of one call, between the connection that pushes and the consumer that takes. */
class Replies {
  readonly #read: () => void;
  #messages: Buffer[] = [];
  #bytes = 0;
  #reading = true;
  #wake: (() => void) | undefined;
  status: StatusObject | undefined;

  /** `read` asks the connection for one message more. Asks for the first at once. */
  constructor(read: () => void) {
    this.#read = read;
    queueMicrotask(() => this.#ask());
  }

  push(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += message.length;
    this.#reading = false;
    if (this.#bytes < READ_AHEAD_BYTES) this.#ask();
    this.#wake?.();
  }

  end(status: StatusObject): void {
    this.status = status;
    this.#wake?.();
  }

  /** All messages that have come; waits for one. undefined once the call has ended and all are taken. */
  async take(): Promise<readonly Buffer[] | undefined> {
    while (this.#messages.length === 0 && this.status === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#messages.length === 0) return undefined;
    const group = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    if (!this.#reading) this.#ask();
    return group;
  }

  #ask(): void {
    this.#reading = true;
    this.#read();
  }
}

/** Messages are asked for ahead of the consumer up to here: enough to keep the connection busy. */
const READ_AHEAD_BYTES = 1 << 20;

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata({waitForReady: options.waitForReady ?? false});
  metadata.set(TENANT_KEY, headerValue(options.tenant || DEFAULT_TENANT, "tenant"));
  metadata.set(NO_HASHES_KEY, "1");
  metadata.set(START_TIMES_KEY, "1");
  if (options.requestId) metadata.set(REQUEST_ID_KEY, headerValue(options.requestId, "request id"));
  if (options.traceparent) metadata.set(TRACEPARENT, options.traceparent);
  return metadata;
}

/** Header values are printable ASCII; anything else would be refused deep inside the library, or smuggle headers. */
function headerValue(value: string, what: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  throw new StrataError("bad_data", `cannot send ${what} ${JSON.stringify(value)}: not printable ASCII`);
}

function credentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const verify = tls.skipVerify ? {rejectUnauthorized: false, checkServerIdentity: () => undefined} : {};
  return withoutIpServerName(ChannelCredentials.createFromSecureContext(clientContext(tls), verify));
}

/** See grpc-server.ts: both sides need a window of 1 MiB at the least, else 64 KiB messages wait for each other. */
const WINDOW = 1 << 20;

type Channelled = Pick<GrpcClientOptions, "tls" | "serviceConfig" | "windowBytes">;

function channelOptions({tls, serviceConfig = "", windowBytes = WINDOW}: Channelled): ChannelOptions {
  return {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc-node.flow_control_window": windowBytes,
    // A store that came back is found within seconds; the library would wait up to two minutes.
    "grpc.initial_reconnect_backoff_ms": 500,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    // Stores are reached directly; a proxy meant for the web would get their addresses otherwise.
    "grpc.enable_http_proxy": 0,
    ...(serviceConfig === "" ? {} : {"grpc.service_config": serviceConfig}),
    ...(tls?.serverName ? {"grpc.ssl_target_name_override": tls.serverName} : {}),
  };
}
