import {matcherText} from "@strata/model";
import {jsonCodec} from "./cache-codec.ts";
import {encodeLabels} from "./downstream-request.ts";
import type {AskDownstream} from "./frontend.ts";
import {type LabelsAnswer, mergeLabels, readLabelsAnswer} from "./labels-answer.ts";
import {mapLimit} from "./map-limit.ts";
import type {FrontendMetrics} from "./metrics.ts";
import type {LabelsRequest} from "./request.ts";
import {type Cacheable, cachedAnswer, type ResultsCache} from "./results-cache.ts";
import {splitPlain} from "./split.ts";

export type LabelsPipelineOptions = {
  /** `--labels.split-interval`, ms; 0 is off. */
  readonly intervalMs: number;
  readonly parallelism: number;
  readonly tries: number;
  readonly cache: ResultsCache | undefined;
  readonly ask: AskDownstream;
  readonly metrics: FrontendMetrics;
};

/** Splits and caches calls for label names, label values and series. */
export class LabelsPipeline {
  readonly #o: LabelsPipelineOptions;

  constructor(options: LabelsPipelineOptions) {
    this.#o = options;
  }

  async run(request: LabelsRequest, signal: AbortSignal): Promise<LabelsAnswer> {
    const {intervalMs, parallelism, metrics} = this.#o;
    if (intervalMs <= 0) return mergeLabels([await this.#cached(request, signal)]);
    const parts = splitPlain(request.start, request.end, intervalMs);
    metrics.split.with({tripperware: "labels"}).inc(parts.length);
    const answers = await mapLimit(parts, parallelism, signal, (part, s) => this.#cached({...request, ...part}, s));
    return mergeLabels(answers);
  }

  #cached(request: LabelsRequest, signal: AbortSignal): Promise<LabelsAnswer> {
    const {cache, intervalMs} = this.#o;
    return cachedAnswer(cache, request, intervalMs, labelsKind(intervalMs), (r) => this.#ask(r, signal), signal);
  }

  async #ask(request: LabelsRequest, signal: AbortSignal): Promise<LabelsAnswer> {
    const {body, headers} = await this.#o.ask(encodeLabels(request), {
      org: request.org,
      tries: this.#o.tries,
      tripperware: "labels",
      signal,
    });
    return readLabelsAnswer(body, headers["cache-control"] === "no-store");
  }
}

/** How such answers are cached. Compat: an answer stands for every part of its time range, which may be too much. */
const labelsKind = (interval: number): Cacheable<LabelsRequest, LabelsAnswer> => ({
  keys: (r) => [
    [
      "fe",
      r.org,
      r.op,
      r.label,
      r.matchers.map((set) => set.map(matcherText)),
      interval,
      Math.floor(r.start / interval),
      r.partialResponse,
      [...r.replicaLabels].sort(),
      r.headers["thanos-tenant"] ?? "",
    ]
      .map((part) => JSON.stringify(part))
      .join(":"),
  ],
  codec: jsonCodec<LabelsAnswer>(),
  step: () => 1,
  slice: (answer) => answer,
  merge: mergeLabels,
  mayKeep: (_request, answer) => !answer.noStore,
});
