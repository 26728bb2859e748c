import {type Init, thanos} from "@strata/proto";
import type {Caller} from "@strata/series";
import type {Transport} from "../grpc-client.ts";
import {MESSAGE_HEADER} from "../grpc-internals.ts";
import type {GrpcServer} from "../grpc-server.ts";
import {callOptions} from "../store-client.ts";
import {callerOf} from "../store-service.ts";

/**
 * What evaluates queries for thanos.Query. Both methods give messages that are encoded already, with MESSAGE_HEADER bytes
 * of room before each in its Buffer: QueryResponse and QueryRangeResponse are the same on the wire.
 */
export type QueryApi = {
  query(request: thanos.QueryRequest, caller: Caller, signal: AbortSignal): AsyncIterable<Buffer>;
  queryRange(request: thanos.QueryRangeRequest, caller: Caller, signal: AbortSignal): AsyncIterable<Buffer>;
};

/** Serves thanos.Query. */
export function serveQuery(server: GrpcServer, api: QueryApi): void {
  server.rawStream(thanos.QueryService.Query, (request, ctx) => api.query(request, callerOf(ctx), ctx.signal));
  server.rawStream(thanos.QueryService.QueryRange, (request, ctx) =>
    api.queryRange(request, callerOf(ctx), ctx.signal),
  );
}

/** One message of a query's answer with the room that `QueryApi` wants. */
export function queryMessage(response: Init<thanos.QueryResponse>): Buffer {
  const bytes = thanos.QueryResponse.encode(response);
  const out = Buffer.allocUnsafeSlow(MESSAGE_HEADER + bytes.length);
  bytes.copy(out, MESSAGE_HEADER);
  return out;
}

/** A remote querier. */
export class QueryClient {
  readonly #transport: Transport;

  /** Whoever made the transport closes it. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get address(): string {
    return this.#transport.address;
  }

  /** Encoded messages of the answer, as fast as they are taken. */
  query(request: Init<thanos.QueryRequest>, caller: Caller, signal: AbortSignal): AsyncIterable<readonly Buffer[]> {
    return this.#transport.rawStream(thanos.QueryService.Query, request, callOptions(caller, signal));
  }

  queryRange(
    request: Init<thanos.QueryRangeRequest>,
    caller: Caller,
    signal: AbortSignal,
  ): AsyncIterable<readonly Buffer[]> {
    return this.#transport.rawStream(thanos.QueryService.QueryRange, request, callOptions(caller, signal));
  }
}
