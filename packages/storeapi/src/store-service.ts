import {type ByteBudget, StrataError, unlimited} from "@strata/base";
import {type Codec, hints, type Init, info, thanos} from "@strata/proto";
import {
  type Caller,
  type LabelAnswer,
  plainChunks,
  type Queryable,
  type SeriesBatch,
  SeriesFrameWriter,
} from "@strata/series";
import {formatTraceparent, type Registry} from "@strata/telemetry";
import type {CallContext} from "./call-context.ts";
import {MESSAGE_HEADER} from "./grpc-internals.ts";
import type {GrpcServer} from "./grpc-server.ts";
import type {MakeMatcher} from "./matcher-cache.ts";
import {labelQueryOf, selectOf} from "./store-request.ts";

/** Per Series call; 0 is no limit. */
export type StoreLimits = {readonly series: number; readonly samples: number};

export type StoreServiceOptions = {
  readonly queryable: Queryable;
  /** What Info answers now; throws `unavailable` until the component is ready. */
  readonly info: () => Init<info.InfoResponse>;
  readonly limits?: StoreLimits | undefined;
  readonly registry: Registry;
  /** A budget for each call; unlimited when left out. */
  readonly newBudget?: (() => ByteBudget) | undefined;
  /** How matchers of requests are made; one that keeps them saves compiling them. */
  readonly makeMatcher?: MakeMatcher | undefined;
  /** Whether LabelValues refuses an empty label name; the store gateway does not. */
  readonly checkLabelName?: boolean | undefined;
};

/** The most samples a chunk has, by which sample limits are counted. */
const SAMPLES_PER_CHUNK = 120;

/** Serves a Queryable as thanos.Store and its description as thanos.info.Info. */
export function serveStore(server: GrpcServer, options: StoreServiceOptions): void {
  const {queryable, makeMatcher} = options;
  const metrics = storeMetrics(options.registry);
  const newBudget = options.newBudget ?? unlimited;
  serveInfo(server, options.info);
  server.rawStream(thanos.StoreService.Series, async function* (request, ctx) {
    const q = selectOf(request, newBudget(), callerOf(ctx), makeMatcher);
    const meter = new Meter(options.limits, metrics);
    const writer = new SeriesFrameWriter({
      batchSeries: request.responseBatchSize,
      hashes: !ctx.noHashes,
      headroom: MESSAGE_HEADER,
    });
    metrics.pending.inc();
    try {
      for await (const batch of queryable.select(q, ctx.signal)) {
        meter.count(batch);
        yield* writer.frames(ctx.startTimes ? batch : plainChunks(batch));
      }
      meter.done();
    } finally {
      metrics.pending.dec();
    }
  });
  server.unary(thanos.StoreService.LabelNames, async (request, ctx) => {
    const answer = await queryable.labelNames(labelQueryOf(request, callerOf(ctx), makeMatcher), ctx.signal);
    return {names: answer.values, warnings: answer.warnings, hints: labelHints(hints.LabelNamesResponseHints, answer)};
  });
  server.unary(thanos.StoreService.LabelValues, async (request, ctx) => {
    if (request.label === "" && (options.checkLabelName ?? true)) {
      throw new StrataError("bad_data", "label name parameter cannot be empty");
    }
    const q = labelQueryOf(request, callerOf(ctx), makeMatcher);
    const answer = await queryable.labelValues(request.label, q, ctx.signal);
    return {...answer, hints: labelHints(hints.LabelValuesResponseHints, answer)};
  });
}

/** Which blocks a source of blocks looked at; other sources say nothing. */
function labelHints(
  codec: Codec<hints.LabelNamesResponseHints>,
  answer: LabelAnswer,
): Init<thanos.LabelNamesResponse>["hints"] {
  if (answer.queriedBlocks === undefined) return undefined;
  const value = codec.encode({queriedBlocks: answer.queriedBlocks.map((id) => ({id}))});
  return {typeUrl: `type.googleapis.com/${codec.typeName}`, value};
}

/** Serves thanos.info.Info alone: for components without a store. */
export function serveInfo(server: GrpcServer, answer: () => Init<info.InfoResponse>): void {
  server.unary(info.InfoService.Info, async () => answer());
}

/** On whose behalf the call's work is done, for Queryables that pass it on. */
export function callerOf(ctx: CallContext): Caller {
  const traceparent = ctx.parent === undefined ? undefined : formatTraceparent(ctx.parent);
  return {tenant: ctx.tenant, requestId: ctx.requestId, traceparent};
}

type StoreMetrics = ReturnType<typeof storeMetrics>;
const storeMetrics = (r: Registry) => ({
  series: r.histogram({
    name: "thanos_store_server_series_requested",
    help: "Series sent by a Series call.",
    buckets: [1, 10, 100, 1e3, 1e4, 1e5, 1e6],
  }),
  chunks: r.histogram({
    name: "thanos_store_server_chunks_requested",
    help: "Chunks sent by a Series call.",
    buckets: [1, 100, 1e3, 1e4, 1e5, 1e7, 1e8, 1e9],
  }),
  pending: r.gauge({name: "thanos_store_server_pending_series_requests", help: "Series calls that are running."}),
  dropped: r.counter({
    name: "thanos_store_selects_dropped_total",
    help: "Series calls that were broken off because of a limit.",
    labels: ["reason"],
    preset: [{reason: "series"}, {reason: "chunks"}],
  }),
});

/** Counts what one Series call sends, and enforces the limits. */
class Meter {
  readonly #limits: StoreLimits;
  readonly #metrics: StoreMetrics;
  #series = 0;
  #chunks = 0;

  constructor(limits: StoreLimits | undefined, metrics: StoreMetrics) {
    this.#limits = limits ?? {series: 0, samples: 0};
    this.#metrics = metrics;
  }

  count(batch: SeriesBatch): void {
    this.#series += batch.labels.length;
    this.#chunks += chunkCount(batch);
    this.#check("series", "series", this.#limits.series, this.#series);
    this.#check("samples", "chunks", this.#limits.samples, this.#chunks * SAMPLES_PER_CHUNK);
  }

  done(): void {
    this.#metrics.series.observe(this.#series);
    this.#metrics.chunks.observe(this.#chunks);
  }

  #check(what: string, reason: "series" | "chunks", limit: number, got: number): void {
    if (limit === 0 || got <= limit) return;
    this.#metrics.dropped.with({reason}).inc();
    throw new StrataError("limit", `failed to send ${what}: limit ${limit} violated (got ${got})`, {
      fields: {limit, got},
    });
  }
}

/** The columns of one downsampled chunk count once. */
function chunkCount(batch: SeriesBatch): number {
  let chunks = 0;
  for (let row = 0; row < batch.labels.length; row++) {
    const end = batch.firstChunk[row + 1]!;
    for (let i = batch.firstChunk[row]!; i < end; i++) {
      const column =
        i > batch.firstChunk[row]! &&
        batch.aggregate[i]! > batch.aggregate[i - 1]! &&
        batch.mint[i] === batch.mint[i - 1] &&
        batch.maxt[i] === batch.maxt[i - 1];
      if (!column) chunks++;
    }
  }
  return chunks;
}
