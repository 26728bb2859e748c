import {errorText} from "@strata/base";
import {type Init, info, thanos} from "@strata/proto";
import {
  BATCH_SERIES,
  type Caller,
  type LabelAnswer,
  type LabelQuery,
  type Queryable,
  type Select,
  type SeriesBatch,
} from "@strata/series";
import type {Connection} from "./connection.ts";
import {type FrameGroup, framesToBatches} from "./frame-stream.ts";
import type {CallOptions, Transport} from "./grpc-client.ts";
import {labelNamesRequest, labelValuesRequest, seriesRequest} from "./store-request.ts";

/** A remote StoreAPI as a Queryable, and its raw frames for those who parse them elsewhere. */
export class StoreClient implements Queryable {
  readonly #transport: Transport;

  /** Whoever made the transport closes it. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get address(): string {
    return this.#transport.address;
  }

  /** How another thread makes the same client. */
  get connection(): Connection {
    return this.#transport.connection;
  }

  select(q: Select, signal: AbortSignal): AsyncIterable<SeriesBatch> {
    const options = {what: this.address, source: 0, stripLabels: [], shard: undefined};
    return framesToBatches(this.openSeries(seriesRequest(q, BATCH_SERIES), q.caller, signal), options, q.budget);
  }

  async labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    const reply = await this.#transport.unary(
      thanos.StoreService.LabelNames,
      labelNamesRequest(q),
      callOptions(q.caller, signal),
    );
    return {values: reply.names, warnings: reply.warnings};
  }

  async labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    const request = labelValuesRequest(name, q);
    return this.#transport.unary(thanos.StoreService.LabelValues, request, callOptions(q.caller, signal));
  }

  /** The encoded replies to a Series call, read as fast as the consumer does. */
  openSeries(
    request: Init<thanos.SeriesRequest>,
    caller: Caller | undefined,
    signal: AbortSignal,
  ): AsyncIterable<FrameGroup> {
    return this.#transport.rawStream(thanos.StoreService.Series, request, callOptions(caller, signal));
  }

  /** Waits for a connection, at most `timeoutMs`. */
  info(timeoutMs: number, signal: AbortSignal): Promise<info.InfoResponse> {
    return this.#transport.unary(info.InfoService.Info, {}, {signal, timeoutMs, waitForReady: true});
  }

  /** Why there is no connection, once one was waited for in vain; undefined when that is not known. */
  async connectionFault(signal: AbortSignal): Promise<string | undefined> {
    try {
      // A call that does not wait fails at once, with what went wrong when the connection was last tried.
      await this.#transport.unary(info.InfoService.Info, {}, {signal, timeoutMs: FAULT_TIMEOUT_MS});
      return undefined;
    } catch (err) {
      return /connection error: desc = "(.*)"$/.exec(errorText(err))?.[1];
    }
  }
}

/** How long to wait for a fault that is known already; between two attempts to connect it is not told. */
const FAULT_TIMEOUT_MS = 100;

export function callOptions(caller: Caller | undefined, signal: AbortSignal): CallOptions {
  return {signal, tenant: caller?.tenant, requestId: caller?.requestId, traceparent: caller?.traceparent};
}
