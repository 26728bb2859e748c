import {type ParseOptions, parseExpr} from "@strata/promql";
import {encodeInstant} from "./downstream-request.ts";
import type {AskDownstream} from "./frontend.ts";
import {
  type InstantAnswer,
  type InstantOrder,
  instantOrder,
  mergeInstant,
  readInstantAnswer,
} from "./instant-answer.ts";
import {mapLimit} from "./map-limit.ts";
import type {FrontendMetrics} from "./metrics.ts";
import type {InstantRequest} from "./request.ts";
import {type ShardAnalyzer, shardInfo} from "./shard-analysis.ts";

export type InstantPipelineOptions = {
  readonly shards: number;
  readonly analyzer: ShardAnalyzer;
  readonly parallelism: number;
  readonly tries: number;
  readonly language: ParseOptions;
  readonly forceStats: boolean;
  readonly ask: AskDownstream;
  readonly metrics: FrontendMetrics;
};

/** Shards instant queries. */
export class InstantPipeline {
  readonly #o: InstantPipelineOptions;

  constructor(options: InstantPipelineOptions) {
    this.#o = options;
  }

  async run(asked: InstantRequest, signal: AbortSignal): Promise<InstantAnswer> {
    const {shards, analyzer, parallelism, metrics, forceStats, language} = this.#o;
    const request = forceStats ? {...asked, stats: "all"} : asked;
    const sharding = shards < 2 ? undefined : analyzer.analyze(request.query);
    if (shards >= 2) {
      metrics.sharding.with({shardable: String(sharding !== undefined), tripperware: "query_instant"}).inc();
    }
    const answer =
      sharding === undefined
        ? await this.#ask(request, signal)
        : mergeInstant(
            await mapLimit(
              Array.from({length: shards}, (_, i) => i),
              parallelism,
              signal,
              (i, s) => this.#ask({...request, shardInfo: shardInfo(i, shards, sharding)}, s),
            ),
            orderOf(request.query, language),
          );
    return asked.stats === "" ? {...answer, stats: undefined} : answer;
  }

  async #ask(request: InstantRequest, signal: AbortSignal): Promise<InstantAnswer> {
    const {body} = await this.#o.ask(encodeInstant(request), {
      org: request.org,
      tries: this.#o.tries,
      tripperware: "query_instant",
      signal,
    });
    return readInstantAnswer(body);
  }
}

const orderOf = (query: string, language: ParseOptions): InstantOrder => instantOrder(parseExpr(query, language));
