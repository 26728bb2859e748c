import {StrataError} from "@strata/base";
import {formatGoDuration} from "@strata/model";
import {type Expr, format, type ParseOptions, parseExpr, walk} from "@strata/promql";
import {rangeCodec} from "./cache-codec.ts";
import {encodeRange} from "./downstream-request.ts";
import type {AskDownstream} from "./frontend.ts";
import {mapLimit} from "./map-limit.ts";
import type {FrontendMetrics} from "./metrics.ts";
import {thinned} from "./points.ts";
import {mergeRange, type RangeAnswer, readRangeAnswer, sliceRange} from "./range-answer.ts";
import type {RangeRequest} from "./request.ts";
import {type Cacheable, cachedAnswer, type ResultsCache} from "./results-cache.ts";
import {type ShardAnalyzer, shardInfo} from "./shard-analysis.ts";
import {fixBounds, type SplitConfig, splitInterval, splitRange} from "./split.ts";

export type RangePipelineOptions = {
  /** `--query-range.max-query-length`, ms; 0 is no limit. */
  readonly maxLengthMs: number;
  readonly alignWithStep: boolean;
  readonly requestDownsampled: boolean;
  readonly split: SplitConfig;
  readonly parallelism: number;
  readonly tries: number;
  /** Below 2 none. */
  readonly shards: number;
  readonly analyzer: ShardAnalyzer;
  readonly cache: ResultsCache | undefined;
  readonly language: ParseOptions;
  /** `--query-frontend.force-query-stats`. */
  readonly forceStats: boolean;
  readonly ask: AskDownstream;
  readonly metrics: FrontendMetrics;
};

/** Resolutions that are tried where a finer one has no data, ms. */
const COARSER = [300_000, 3_600_000];
/** Steps of usual dashboards, ms: an answer at a finer one can stand for a coarser one. */
const COMMON_STEPS = [
  43_200_000, 21_600_000, 10_800_000, 7_200_000, 3_600_000, 1_800_000, 900_000, 600_000, 300_000, 120_000, 60_000,
  30_000, 20_000, 15_000, 10_000, 5_000, 1_000,
];

/** Splits, shards and caches range queries, and puts the answers together. */
export class RangePipeline {
  readonly #o: RangePipelineOptions;
  readonly #isSplit: boolean;

  constructor(options: RangePipelineOptions) {
    this.#o = options;
    this.#isSplit = options.split.intervalMs > 0 || options.split.minMs > 0;
  }

  async run(asked: RangeRequest, signal: AbortSignal): Promise<RangeAnswer> {
    this.#checkLength(asked);
    const {alignWithStep, cache, forceStats} = this.#o;
    const {start, end, step} = asked;
    const aligned = alignWithStep
      ? {...asked, start: Math.floor(start / step) * step, end: Math.floor(end / step) * step}
      : asked;
    // Compat: what is cached has no statistics, unless they are forced; and those go only to who asked for them.
    const stats = forceStats ? "all" : cache !== undefined ? "" : asked.stats;
    const answer = await this.#withCoarser({...aligned, stats}, signal);
    return asked.stats === "" ? {...answer, stats: undefined} : answer;
  }

  #checkLength({start, end}: RangeRequest): void {
    const {maxLengthMs} = this.#o;
    if (maxLengthMs === 0 || end - start <= maxLengthMs) return;
    throw new StrataError(
      "bad_data",
      `the query time range exceeds the limit (query length: ${formatGoDuration(end - start)}, limit: ${formatGoDuration(maxLengthMs)})`,
    );
  }

  /** Where raw data has gone already, what is missing in front is asked for at coarser resolutions. */
  async #withCoarser(request: RangeRequest, signal: AbortSignal): Promise<RangeAnswer> {
    if (!this.#o.requestDownsampled || !request.autoResolution) {
      const answer = await this.#splitUp(request, signal);
      return this.#isSplit || this.#o.requestDownsampled ? mergeRange([answer]) : answer;
    }
    const answers: RangeAnswer[] = [];
    let current = request;
    for (let extra = 0; ; extra++) {
      if (extra > 0) this.#o.metrics.downsampled.with({tripperware: "query_range"}).inc();
      const answer = await this.#splitUp(current, signal);
      answers.push(answer);
      const coarser = COARSER.find((resolution) => resolution > current.maxResolution);
      const first = firstTime(answer);
      if (coarser === undefined || first === current.start) break;
      const end = first === undefined ? current.end : first - current.step;
      if (current.start > end) break;
      current = {...current, autoResolution: false, maxResolution: coarser, end};
    }
    return mergeRange(answers);
  }

  async #splitUp(request: RangeRequest, signal: AbortSignal): Promise<RangeAnswer> {
    if (!this.#isSplit) return this.#shardUp(request, request.end - request.start, signal);
    const {split, language, parallelism, metrics} = this.#o;
    const interval = splitInterval(split, request.start, request.end);
    const isWhole = request.start === request.end;
    const expr = parsed(request.query, language);
    const query = isWhole ? request.query : format(fixBounds(expr, request.start, request.end));
    const parts = splitRange(request.start, request.end, request.step, interval);
    metrics.split.with({tripperware: "query_range"}).inc(parts.length);
    const answers = await mapLimit(parts, parallelism, signal, (part, s) =>
      this.#shardUp({...request, ...part, query}, interval, s),
    );
    return answers.length === 1 ? (answers[0] as RangeAnswer) : mergeRange(answers);
  }

  async #shardUp(request: RangeRequest, interval: number, signal: AbortSignal): Promise<RangeAnswer> {
    const {shards, analyzer, metrics, parallelism} = this.#o;
    const sharding = shards < 2 ? undefined : analyzer.analyze(request.query);
    if (shards >= 2) {
      metrics.sharding.with({shardable: String(sharding !== undefined), tripperware: "query_range"}).inc();
    }
    if (sharding === undefined) return this.#cached(request, interval, signal);
    const indexes = Array.from({length: shards}, (_, i) => i);
    const answers = await mapLimit(indexes, parallelism, signal, (i, s) =>
      this.#cached({...request, shardInfo: shardInfo(i, shards, sharding)}, interval, s),
    );
    return mergeRange(answers, "shards");
  }

  #cached(request: RangeRequest, interval: number, signal: AbortSignal): Promise<RangeAnswer> {
    const {cache, language} = this.#o;
    return cachedAnswer(cache, request, interval, rangeKind(interval, language), (r) => this.#ask(r, signal), signal);
  }

  async #ask(request: RangeRequest, signal: AbortSignal): Promise<RangeAnswer> {
    const {body, headers} = await this.#o.ask(encodeRange(request), {
      org: request.org,
      tries: this.#o.tries,
      tripperware: "query_range",
      signal,
    });
    return readRangeAnswer(body, headers["cache-control"] === "no-store");
  }
}

/** Compat: a query that cannot be parsed is refused in a form of its own. */
function parsed(query: string, language: ParseOptions): Expr {
  try {
    return parseExpr(query, language);
  } catch (err) {
    throw new StrataError("bad_data", (err as Error).message, {cause: err, fields: {parse: true}});
  }
}

/** Time of the first point of all, ms; undefined where the first series has none. Compat: as the original looks. */
function firstTime({series}: RangeAnswer): number | undefined {
  let first: number | undefined;
  for (const {floats, histograms} of series) {
    for (const piece of [floats[0], histograms[0]]) {
      const t = piece?.points.times[piece.from];
      if (t !== undefined && (first === undefined || t < first)) first = t;
    }
  }
  return first;
}

/** How answers to range queries are cached, split into parts of `interval` ms. */
function rangeKind(interval: number, language: ParseOptions): Cacheable<RangeRequest, RangeAnswer> {
  return {
    keys: (request) => cacheKeys(request, interval),
    codec: rangeCodec,
    step: ({step}) => step,
    slice(answer, request, start, end, key) {
      const part = sliceRange(answer, start, end);
      return key === 0 ? part : {...part, series: part.series.map((one) => thinnedSeries(one, request))};
    },
    merge: (answers) => mergeRange(answers),
    mayKeep: (request, answer, freshUntil) => !answer.noStore && looksBackOnly(request, language, freshUntil),
  };
}

function thinnedSeries(series: RangeAnswer["series"][number], {start, step}: RangeRequest) {
  const thin = (pieces: typeof series.floats) =>
    pieces
      .map((piece) => thinned(piece.points, start, step, piece.from, piece.to))
      .filter(({times}) => times.length > 0)
      .map((points) => ({points, from: 0, to: points.times.length}));
  return {...series, floats: thin(series.floats), histograms: thin(series.histograms)};
}

/** The request's own key, then those of finer steps whose points include its own. */
function cacheKeys(r: RangeRequest, interval: number): readonly string[] {
  const finer = COMMON_STEPS.includes(r.step)
    ? COMMON_STEPS.filter((step) => step < r.step && r.step % step === 0 && r.start % step === 0)
    : [];
  return [r.step, ...finer].map((step) => cacheKey(r, step, interval));
}

function cacheKey(r: RangeRequest, step: number, interval: number): string {
  const resolution = [3_600_000, 300_000, 0].findIndex((one) => one <= r.maxResolution);
  const parts: readonly (string | number | boolean)[] = [
    "fe",
    r.org,
    r.query,
    step,
    interval,
    Math.floor(r.start / interval),
    r.autoResolution ? "auto" : resolution,
    r.shardInfo || "-",
    r.lookbackMs,
    r.engine,
    r.partialResponse,
    [...r.replicaLabels].sort().join(","),
    r.analyze,
    // Not of the original, where queries whose steps do not meet share answers: points of other times would be used.
    r.start % step,
    r.headers["thanos-tenant"] ?? "",
    r.stats,
  ];
  return parts.map((part) => JSON.stringify(part)).join(":");
}

/** Whether nothing of the query looks at what may still change: times fixed ahead, or offsets into the future. */
function looksBackOnly(request: RangeRequest, language: ParseOptions, freshUntil: number): boolean {
  if (!/[@]|offset/.test(request.query)) return true;
  let safe = true;
  try {
    const expr = fixBounds(parseExpr(request.query, language), request.start, request.end);
    walk(expr, (node) => {
      if (node.kind !== "vector" && node.kind !== "subquery") return safe;
      if (node.at?.kind === "time" && (node.at.t > request.end || node.at.t > freshUntil)) safe = false;
      if (node.offset < 0 || node.offsetExpr !== undefined) safe = false;
      return safe;
    });
  } catch {
    return false;
  }
  return safe;
}
