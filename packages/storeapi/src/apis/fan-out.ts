import {errorText, StrataError} from "@strata/base";
import {formatGoDuration} from "@strata/model";
import type {Init} from "@strata/proto";
import type {Caller} from "@strata/series";
import type {EndpointHandle} from "../endpoint-set.ts";
import {withFrameTimeout} from "../frame-timeout.ts";
import {asGrpcError, GRPC_CODE, isConnectionError, toGrpcStatus} from "../grpc-status.ts";
import {callOptions} from "../store-client.ts";
import {arrivalOrder} from "./arrival-order.ts";
import type {ApiAnswer, ApiKind, ApiSource} from "./read-api.ts";

/** An endpoint of a fan-out. */
export type ApiEndpoint = Pick<EndpointHandle, "address" | "transport" | "away">;

/** One endpoint and what to ask of it. */
export type ApiCall<Req> = {readonly endpoint: ApiEndpoint; readonly request: Req};

/** PartialResponseStrategy of the StoreAPI. */
const ABORT = 1;

/**
 * Many endpoints as one source: all that `calls` names are asked at once. One that fails, or says nothing for
 * `timeoutMs` (0: for ever), becomes a warning in Thanos' words, or fails the whole where the request wants that.
 */
export function fanOut<Req extends {partialResponseStrategy: number}, T, Res extends {warning: string | undefined}>(
  kind: ApiKind<Req, T, Res>,
  calls: (request: Req) => readonly ApiCall<Req>[],
  timeoutMs: number,
): ApiSource<Req, T> {
  return async function* (request, caller, signal) {
    const abort = new AbortController();
    const all = AbortSignal.any([signal, abort.signal]);
    try {
      yield* arrivalOrder(calls(request).map((call) => ask(kind, call, caller, timeoutMs, all)));
    } finally {
      abort.abort(new StrataError("canceled", "cannot go on: the call is over"));
    }
  };
}

async function* ask<Req extends {partialResponseStrategy: number}, T, Res extends {warning: string | undefined}>(
  kind: ApiKind<Req, T, Res>,
  {endpoint, request}: ApiCall<Req>,
  caller: Caller,
  timeoutMs: number,
  signal: AbortSignal,
): AsyncGenerator<ApiAnswer<T>> {
  const {method} = kind;
  const {away} = endpoint;
  if (away !== undefined) {
    const words = `fetching ${sourceText(kind, endpoint.address)}: ${away}`;
    if (request.partialResponseStrategy !== ABORT) yield {warning: words};
    return;
  }
  const timeout = {expired: false};
  const open = (s: AbortSignal) => endpoint.transport.rawStream(method, request as Init<Req>, callOptions(caller, s));
  try {
    for await (const group of withFrameTimeout(open, timeoutMs, signal, timeout)) {
      for (const message of group) {
        const response = method.response.decode(message);
        const value = kind.unwrap(response);
        if (value !== undefined) yield {value};
        else if (response.warning) yield {warning: response.warning};
      }
    }
  } catch (err) {
    signal.throwIfAborted();
    const text = failureText(kind, endpoint.address, err, timeout.expired ? timeoutMs : undefined);
    const code = timeout.expired ? GRPC_CODE.Aborted : toGrpcStatus(err).code;
    if (request.partialResponseStrategy === ABORT) throw asGrpcError(code, text, err);
    yield {warning: text};
  }
}

type Words = {readonly words: {readonly what: string; readonly client: string}};

/** Compat: the words of Thanos, with the address where it prints a pointer. */
function failureText(kind: Words, address: string, err: unknown, timeoutMs: number | undefined): string {
  const source = sourceText(kind, address);
  if (timeoutMs !== undefined) return `receiving ${source}: no answer within ${formatGoDuration(timeoutMs)}`;
  return `${isConnectionError(err) ? "fetching" : "receiving"} ${source}: ${errorText(err)}`;
}

const sourceText = ({words}: Words, address: string): string => `${words.what} from ${words.client} client ${address}`;

/** All that a source answers: values and warnings (each once), in the order they came. */
export async function collect<T>(answers: AsyncIterable<ApiAnswer<T>>): Promise<Collected<T>> {
  const values: T[] = [];
  const warnings = new Set<string>();
  for await (const answer of answers) {
    if ("value" in answer) values.push(answer.value);
    else warnings.add(answer.warning);
  }
  return {values, warnings: [...warnings]};
}

export type Collected<T> = {readonly values: readonly T[]; readonly warnings: readonly string[]};
