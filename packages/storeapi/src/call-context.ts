import {StrataError} from "@strata/base";
import {parseTraceparent, type SpanContext, TRACEPARENT} from "@strata/telemetry";

/** Metadata keys of the StoreAPI's callers. */
export const TENANT_KEY = "thanos-tenant";
export const DEFAULT_TENANT = "default-tenant";
export const REQUEST_ID_KEY = "request-id";
/** Set by our own clients, which need no chunk hashes; computing them would double the cost of writing frames. */
export const NO_HASHES_KEY = "strata-no-hashes";
/** Set by clients that know chunks with start times; for others those are encoded anew without them. */
export const START_TIMES_KEY = "strata-start-times";

/** What a gRPC method knows of its call besides the request. */
export type CallContext = {
  /** Aborted when the caller left, its deadline passed or the server is stopping; the reason is a StrataError. */
  readonly signal: AbortSignal;
  readonly tenant: string;
  readonly requestId: string | undefined;
  /** The span of this call where calls are traced, else the caller's: what goes into calls made for this one. */
  readonly parent: SpanContext | undefined;
  /** Unix milliseconds; Infinity for none. */
  readonly deadline: number;
  /** Whether the caller does without chunk hashes in series frames. */
  readonly noHashes: boolean;
  /** Whether the caller knows chunks that carry start times. */
  readonly startTimes: boolean;
  /** Address of the caller. */
  readonly peer: string;
};

/** The metadata a context is made of; the get of grpc-js' Metadata. */
type Values = {get(key: string): readonly (string | Buffer)[]};

const first = (metadata: Values, key: string): string | undefined => metadata.get(key)[0]?.toString();

export function callContext(metadata: Values, signal: AbortSignal, deadline: number, peer: string): CallContext {
  return {
    signal,
    tenant: first(metadata, TENANT_KEY) || DEFAULT_TENANT,
    requestId: first(metadata, REQUEST_ID_KEY),
    parent: parseTraceparent(first(metadata, TRACEPARENT)),
    deadline,
    noHashes: first(metadata, NO_HASHES_KEY) !== undefined,
    startTimes: first(metadata, START_TIMES_KEY) !== undefined,
    peer,
  };
}

/** Why a call's signal was aborted. */
export function abortReason(deadline: number): StrataError {
  return Date.now() >= deadline
    ? new StrataError("timeout", "cannot go on: the call's deadline passed")
    : new StrataError("canceled", "cannot go on: the caller canceled the call");
}
