import {type ByteBudget, errorCode, errorText, StrataError} from "@strata/base";
import {formatGoDuration} from "@strata/model";
import type {Init, thanos} from "@strata/proto";
import {BATCH_SERIES, type Caller, type Select, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";
import type {Connection} from "./connection.ts";
import {type FrameGroup, type FrameStreamOptions, framesToBatches} from "./frame-stream.ts";
import {withFrameTimeout} from "./frame-timeout.ts";
import {asGrpcError, GRPC_CODE, isConnectionError, toGrpcStatus} from "./grpc-status.ts";
import type {StoreClient} from "./store-client.ts";
import {labelSetsText, type StoreHandle, storeText} from "./store-handle.ts";
import {seriesRequest} from "./store-request.ts";

/** How one store's stream is to be read. Plain data, so that it can be sent to a worker along with the frames. */
export type StoreStreamOptions = FrameStreamOptions & {
  /** Failures and warnings of the store become warnings, else they fail the stream. */
  readonly partialResponse: boolean;
};

/** One remote store's part of a select as plain data: whichever thread reads it makes the call. */
export type StorePlan = {
  readonly connection: Connection;
  readonly request: Init<thanos.SeriesRequest>;
  readonly caller: Caller | undefined;
  readonly options: StoreStreamOptions;
  /** What the store is called when it cannot be reached. */
  readonly labels: string;
  /** Why it is not asked at all. */
  readonly away: string | undefined;
  /** ms to wait for each frame; 0 for ever. */
  readonly responseTimeoutMs: number;
};

export type OpenOptions = {
  readonly source: number;
  /** ms to wait for each frame; 0 for ever. */
  readonly responseTimeoutMs: number;
  readonly onEmpty: () => void;
};

/** What of a store says how it is asked and called. */
type Described = Omit<StoreHandle, "source" | "tsdbInfos">;

/** What to ask a remote store, and how to read its answer. */
export function planStore(
  store: Described,
  connection: Connection,
  q: Select,
  source: number,
  responseTimeoutMs: number,
): StorePlan {
  const {tenant = "", requestId, traceparent} = q.caller ?? {};
  return {
    connection,
    request: seriesRequest(q, BATCH_SERIES),
    caller: {tenant, requestId, traceparent},
    options: streamOptions(store, q, source),
    labels: failingLabels(store),
    away: store.away,
    responseTimeoutMs,
  };
}

/**
 * The frames of a planned store, from a client of its connection. Nothing is sent before they are asked for; errors have
 * their final text and code. `onEmpty` is called when no frame came.
 */
export async function* openPlan(
  client: StoreClient,
  plan: StorePlan,
  signal: AbortSignal,
  onEmpty: () => void,
): AsyncGenerator<FrameGroup, void, undefined> {
  const {request, caller, responseTimeoutMs, away} = plan;
  if (away !== undefined) {
    throw final(asGrpcError(GRPC_CODE.Unavailable, unreachable(plan.labels, plan.options.what, away)));
  }
  const timeout = {expired: false};
  let empty = true;
  try {
    const frames = (s: AbortSignal) => client.openSeries(request, caller, s);
    for await (const group of withFrameTimeout(frames, responseTimeoutMs, signal, timeout)) {
      empty = false;
      yield group;
    }
  } catch (err) {
    signal.throwIfAborted();
    throw storeError(plan.options.what, plan.labels, err, timeout.expired ? responseTimeoutMs : undefined);
  } finally {
    if (empty) onEmpty();
  }
}

/** A remote store's batches. */
export function remoteBatches(
  store: StoreHandle,
  q: Select,
  signal: AbortSignal,
  {source, responseTimeoutMs, onEmpty}: OpenOptions,
): AsyncIterable<SeriesBatch> {
  const client = remoteClient(store);
  const plan = planStore(store, client.connection, q, source, responseTimeoutMs);
  return storeBatches(openPlan(client, plan, signal, onEmpty), plan.options, q.budget);
}

/** The client of a store in another process. */
export function remoteClient(store: StoreHandle): StoreClient {
  if (store.source.kind === "remote") return store.source.client;
  throw new StrataError("internal", `BUG: ${store.address} has no frames`);
}

const unreachable = (labels: string, name: string, why: string): string => `fetch series for ${labels} ${name}: ${why}`;

const failingLabels = (store: Described): string => labelSetsText(store.labelSets) || "Store Gateway";

function streamOptions(store: Described, q: Select, source: number): StoreStreamOptions {
  return {
    what: storeText(store),
    source,
    stripLabels: store.supportsWithoutReplicaLabels ? [] : q.withoutReplicaLabels,
    shard: store.supportsSharding ? undefined : q.shard,
    partialResponse: q.partialResponse,
  };
}

/** Batches of an in-process store, under the same rules as those of a remote one. */
export async function* localBatches(
  store: StoreHandle,
  q: Select,
  signal: AbortSignal,
  open: OpenOptions,
): AsyncGenerator<SeriesBatch, void, undefined> {
  if (store.source.kind !== "local") throw new StrataError("internal", `BUG: ${store.address} is not local`);
  const {queryable} = store.source;
  const timeout = {expired: false};
  const batches = async function* (): AsyncGenerator<SeriesBatch> {
    try {
      yield* withFrameTimeout((s) => queryable.select(q, s), open.responseTimeoutMs, signal, timeout);
    } catch (err) {
      signal.throwIfAborted();
      throw storeError(
        storeText(store),
        failingLabels(store),
        err,
        timeout.expired ? open.responseTimeoutMs : undefined,
      );
    }
  };
  yield* underStrategy(batches(), streamOptions(store, q, open.source));
}

/**
 * Batches of an opened store, in label order. With partial responses a failure ends it with a warning, after all series
 * that came before; without, a failure or a warning of the store is thrown. Running out of `budget` always is.
 */
export function storeBatches(
  groups: AsyncIterable<FrameGroup>,
  options: StoreStreamOptions,
  budget: ByteBudget,
): AsyncIterable<SeriesBatch> {
  return underStrategy(framesToBatches(groups, options, budget), options);
}

async function* underStrategy(
  batches: AsyncIterable<SeriesBatch>,
  {what, partialResponse}: StoreStreamOptions,
): AsyncGenerator<SeriesBatch, void, undefined> {
  try {
    for await (const batch of batches) {
      const [warning] = batch.warnings;
      if (warning !== undefined && !partialResponse) throw final(asGrpcError(GRPC_CODE.Aborted, warning));
      yield batch;
    }
  } catch (err) {
    const failure = isFinal(err) ? err : finalError(err, what);
    if (!partialResponse || failure === undefined) throw failure ?? err;
    const builder = new SeriesBatchBuilder();
    builder.addWarning(failure.message);
    yield builder.finish();
  }
}

/** What a faulty frame makes of a stream; undefined for what is not the store's fault (limits, the caller's leaving). */
function finalError(err: unknown, what: string): StrataError | undefined {
  if (errorCode(err) !== "corrupt") return undefined;
  return asGrpcError(GRPC_CODE.Aborted, `receive series from ${what}: ${errorText(err)}`, err);
}

/** A store's failure in Thanos' words. A failure to open keeps its code, a later one is Aborted. */
function storeError(name: string, labels: string, err: unknown, timeoutMs: number | undefined): StrataError {
  if (timeoutMs !== undefined) {
    const text = `failed to receive any data in ${formatGoDuration(timeoutMs)} from ${name}`;
    return final(asGrpcError(GRPC_CODE.Aborted, `${text}: rpc error: code = Canceled desc = context canceled`, err));
  }
  if (isConnectionError(err)) {
    return final(asGrpcError(toGrpcStatus(err).code, unreachable(labels, name, errorText(err)), err));
  }
  return final(asGrpcError(GRPC_CODE.Aborted, `receive series from ${name}: ${errorText(err)}`, err));
}

/** Marks an error whose text needs nothing more; the mark survives the way to a worker. */
const final = (err: StrataError): StrataError =>
  new StrataError(err.code, err.message, {cause: err.cause, fields: {...err.fields, storeFailure: true}});

const isFinal = (err: unknown): err is StrataError => err instanceof StrataError && err.fields.storeFailure === true;
