import type {Socket} from "node:net";
import {
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerListener,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
} from "@grpc/grpc-js";
import {StrataError} from "@strata/base";
import type {Codec, Init, MethodDef} from "@strata/proto";
import {
  type Counter,
  formatTraceparent,
  type Logger,
  type Registry,
  type SpanContext,
  TRACEPARENT,
} from "@strata/telemetry";
import {abortReason, type CallContext, callContext} from "./call-context.ts";
import {
  ACCEPTED,
  MESSAGE_HEADER,
  prepareServerCall,
  SNAPPY,
  setServerStreamWindow,
  trackSockets,
  widenServerWindow,
} from "./grpc-internals.ts";
import {type MethodLabels, methodLabels, type RpcMetrics, rpcMetrics} from "./grpc-metrics.ts";
import {GRPC_CODE, toGrpcStatus} from "./grpc-status.ts";
import {HealthService} from "./health-service.ts";
import {serveReflection} from "./reflection-service.ts";
import {type ServerTls, ServerTlsFiles} from "./tls-config.ts";

export type GrpcServerOptions = {
  /** `host:port`; an empty host is all addresses, port 0 one that is free. */
  readonly address: string;
  /** Plaintext when left out. */
  readonly tls?: ServerTls | undefined;
  /** Connections are told to go after this long (±10 %); 0 never. */
  readonly maxConnectionAgeMs?: number | undefined;
  /** What is left of them is cut off after this long more; 0 never. */
  readonly maxConnectionAgeGraceMs?: number | undefined;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Told of each call as its metadata arrives. */
  readonly observe?: ((call: ObservedCall) => CallObserver) | undefined;
};

/** A call as logs and traces see it. */
export type ObservedCall = {
  readonly service: string;
  readonly method: string;
  readonly peer: string;
  readonly requestId: string | undefined;
  /** The caller's span. */
  readonly parent: SpanContext | undefined;
};

/** Follows one call until it ends. */
export type CallObserver = {
  /** The span of the call, which becomes the parent of whatever its handler asks of others. */
  readonly span: SpanContext | undefined;
  /** Told once, with the status code. */
  end(code: number): void;
};

export type UnaryHandler<Req, Res> = (request: Req, ctx: CallContext) => Promise<Init<Res>>;
export type StreamHandler<Req, Res> = (request: Req, ctx: CallContext) => AsyncIterable<Init<Res>>;
/**
 * Yields messages that are encoded already, each with MESSAGE_HEADER bytes of room before it in the same Buffer (the
 * Buffer's first five bytes are the server's to fill). The Buffers belong to the server from then on.
 */
export type RawStreamHandler<Req> = (request: Req, ctx: CallContext) => AsyncIterable<Buffer>;

/** Bytes of replies of one call that may wait for a slow reader, before the source is asked for more. */
const PENDING_BYTES = 2 << 20;

/** Flow-control window of connections and streams towards us (remote writes are large). */
const WINDOW = 4 << 20;

/**
 * A gRPC server with health and reflection. Handlers are async functions and generators over typed messages; what they
 * throw becomes a status by `grpc-status.ts`. A reader that is slow stops the generator after about 2 MiB; a caller that
 * leaves aborts `ctx.signal`.
 */
export class GrpcServer {
  readonly #server: Server;
  readonly #options: GrpcServerOptions;
  readonly #metrics: RpcMetrics;
  readonly #panics: Counter;
  readonly #health = new HealthService();
  readonly #tls: ServerTlsFiles | undefined;
  readonly #methods = new Map<string, {labels: MethodLabels; headroom: boolean}>();
  readonly #stopping = new AbortController();
  #sockets: ReadonlySet<Socket> = new Set();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#metrics = rpcMetrics(options.registry, "server");
    this.#panics = options.registry.counter({
      name: "grpc_req_panics_recovered_total",
      help: "RPCs that failed because of a fault in the program.",
    });
    this.#tls = options.tls === undefined ? undefined : new ServerTlsFiles(options.tls, options.logger);
    // What goes wrong is in the errors we get; the library would print it to stderr besides.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server({
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.enable_channelz": 0,
      ...(options.maxConnectionAgeMs ? {"grpc.max_connection_age_ms": options.maxConnectionAgeMs} : {}),
      ...(options.maxConnectionAgeGraceMs ? {"grpc.max_connection_age_grace_ms": options.maxConnectionAgeGraceMs} : {}),
      interceptors: [(_method, call) => this.#intercept(call)],
    });
    setServerStreamWindow(this.#server, WINDOW);
    this.#health.serve(this);
    serveReflection(this);
  }

  /** Full names of the services registered so far. */
  get services(): readonly string[] {
    return [...new Set([...this.#methods.values()].map((m) => m.labels.grpc_service))];
  }

  /** Aborted once `stop` is called; streams that wait for events end by it. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** What health checks answer: NOT_SERVING until told otherwise. */
  setServing(serving: boolean): void {
    this.#health.set(serving);
  }

  unary<Req, Res>(method: MethodDef<Req, Res>, handler: UnaryHandler<Req, Res>): void {
    const run = async (call: ServerUnaryCall<Req, Res>, reply: sendUnaryData<Res>): Promise<void> => {
      const {ctx, done} = this.#context(call);
      try {
        reply(null, (await handler(call.request, ctx)) as Res);
      } catch (err) {
        reply(this.#status(err, method.path));
      } finally {
        done();
      }
    };
    this.#register(method, false, "unary", method.response.encode as (m: Res) => Buffer, run);
  }

  stream<Req, Res>(method: MethodDef<Req, Res>, handler: StreamHandler<Req, Res>): void {
    const encode = method.response.encode;
    this.rawStream(method, async function* (request, ctx) {
      for await (const message of handler(request, ctx)) {
        const bytes = encode(message);
        const out = Buffer.allocUnsafeSlow(MESSAGE_HEADER + bytes.length);
        bytes.copy(out, MESSAGE_HEADER);
        yield out;
      }
    });
  }

  rawStream<Req, Res>(method: MethodDef<Req, Res>, handler: RawStreamHandler<Req>): void {
    const run = async (call: ServerWritableStream<Req, Buffer>): Promise<void> => {
      const {ctx, done} = this.#context(call);
      try {
        const writer = new MessageWriter(call, ctx.signal);
        for await (const message of handler(call.request, ctx)) await writer.write(message);
        call.end();
      } catch (err) {
        if (!call.cancelled) call.emit("error", this.#status(err, method.path));
      } finally {
        done();
      }
    };
    this.#register(method, true, "serverStream", (m: Buffer) => m, run);
  }

  /** For reflection: one answer to each message. */
  bidi<Req, Res>(method: MethodDef<Req, Res>, answer: (request: Req) => Init<Res>): void {
    const run = (call: import("@grpc/grpc-js").ServerDuplexStream<Req, Res>): void => {
      call.on("data", (request: Req) => call.write(answer(request) as Res));
      call.on("end", () => call.end());
    };
    this.#register(method, false, "bidi", method.response.encode as (m: Res) => Buffer, run);
  }

  /** Binds the address; returns the port. */
  async listen(): Promise<number> {
    const {address} = this.#options;
    const credentials = this.#tls?.credentials ?? ServerCredentials.createInsecure();
    const target = address.startsWith(":") ? `0.0.0.0${address}` : address;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(target, credentials, (err, port) => {
        if (err) reject(new StrataError("unavailable", `cannot listen on ${address}: ${err.message}`, {cause: err}));
        else {
          this.#sockets = trackSockets(this.#server);
          resolve(port);
        }
      });
    });
  }

  /** Stops accepting, lets running calls finish for `graceMs`, then cuts them off. Safe to call twice. */
  async stop(graceMs: number): Promise<void> {
    this.setServing(false);
    this.#stopping.abort(new StrataError("unavailable", "cannot go on: the server is stopping"));
    const timer = setTimeout(() => {
      this.#server.forceShutdown();
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(timer);
    this.#tls?.close();
  }

  #register<Req, Res, Out>(
    method: MethodDef<Req, Res>,
    headroom: boolean,
    type: "unary" | "serverStream" | "bidi",
    serialize: (message: Out) => Buffer,
    run: (...args: never[]) => void | Promise<void>,
  ): void {
    const labels = methodLabels(method);
    this.#metrics.preset(labels);
    this.#methods.set(method.path, {labels, headroom});
    const decode = method.request.decode as Codec<Req>["decode"];
    if (!this.#server.register(method.path, run as never, serialize, decode, type)) {
      throw new StrataError("internal", `BUG: gRPC method ${method.path} is served twice`);
    }
  }

  #context(call: {
    metadata: Metadata;
    getDeadline(): Date | number;
    getPeer(): string;
    on(event: "cancelled", listener: () => void): unknown;
  }): {ctx: CallContext; done: () => void} {
    const deadline = Number(call.getDeadline());
    const abort = new AbortController();
    let open = true;
    call.on("cancelled", () => {
      if (open) abort.abort(abortReason(deadline));
    });
    const ctx = callContext(call.metadata, abort.signal, deadline, call.getPeer());
    return {
      ctx,
      done: () => {
        open = false;
      },
    };
  }

  #status(err: unknown, path: string): {code: number; details: string} {
    // A fault of ours: no peer's answer, no judged input.
    if (!(err instanceof StrataError) || err.message.startsWith("BUG:")) {
      this.#panics.inc();
      this.#options.logger.error("gRPC method failed", {method: path, err});
    }
    return toGrpcStatus(err);
  }

  /** Handlers find the call's own span where the caller's stood: in the metadata. */
  #observe(labels: MethodLabels, metadata: Metadata, peer: string): CallObserver | undefined {
    const {observe} = this.#options;
    if (observe === undefined) return undefined;
    const {requestId, parent} = callContext(metadata, this.stopping, Number.POSITIVE_INFINITY, peer);
    const observer = observe({service: labels.grpc_service, method: labels.grpc_method, peer, requestId, parent});
    if (observer.span !== undefined) metadata.set(TRACEPARENT, formatTraceparent(observer.span));
    return observer;
  }

  #intercept(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const path = (call as unknown as {handler?: {path?: string}}).handler?.path ?? "";
    const method = this.#methods.get(path);
    if (method === undefined) return new ServerInterceptingCall(call);
    const encoding = prepareServerCall(call, method.headroom);
    widenServerWindow(call, WINDOW);
    const rpc = this.#metrics.start(method.labels);
    let observed: CallObserver | undefined;
    let ended = false;
    const end = (code: number): void => {
      ended = true;
      rpc.end(code);
      observed?.end(code);
      observed = undefined;
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            observed = this.#observe(method.labels, metadata, call.getPeer());
            pass(metadata);
          },
          onReceiveMessage: (message, pass) => {
            rpc.received();
            pass(message);
          },
          // After a deadline the library answers by itself, past the interceptors. It tells of calls that have ended, too.
          onCancel: () => {
            if (!ended) end(toGrpcStatus(abortReason(Number(call.getDeadline()))).code);
          },
        } satisfies ServerListener),
      sendMetadata: (metadata, next) => {
        metadata.set("grpc-accept-encoding", ACCEPTED);
        if (encoding === SNAPPY) metadata.set("grpc-encoding", SNAPPY);
        next(metadata);
      },
      sendMessage: (message, next) => {
        rpc.sent();
        next(message);
      },
      sendStatus: (status, next) => {
        end(status.code ?? GRPC_CODE.OK);
        next(status);
      },
    });
  }
}

type Writable = {write(message: Buffer, done: () => void): boolean};

/** Writes the messages of one call, and waits while more than PENDING_BYTES of them have not reached the connection. */
class MessageWriter {
  readonly #call: Writable;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #wake: (() => void) | undefined;

  constructor(call: Writable, signal: AbortSignal) {
    this.#call = call;
    this.#signal = signal;
    // A message that never gets out (its stream is gone) is never called back: then the signal wakes us.
    signal.addEventListener("abort", () => this.#wake?.());
  }

  async write(message: Buffer): Promise<void> {
    this.#bytes += message.length;
    this.#call.write(message, () => {
      this.#bytes -= message.length;
      this.#wake?.();
    });
    while (this.#bytes > PENDING_BYTES && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#signal.throwIfAborted();
  }
}
