import type {ByteBudget} from "@strata/base";
import {type ChunkDecoder, decodeChunk} from "./decode-chunk.ts";

/** Switches that change answers; all off by default, as in Prometheus 3.14. */
export type Features = {
  /** Names go at the very end of a query instead of at each function. */
  readonly delayedNameRemoval: boolean;
  /** Counter functions look at start timestamps. */
  readonly startTimestamps: boolean;
};

/** How replicas are merged; ignored while `replicaLabels` is empty. */
export type DedupOptions = {
  readonly enabled: boolean;
  readonly replicaLabels: readonly string[];
  readonly func: "penalty" | "chain";
};

export type EngineOptions = {
  readonly lookbackMs: number;
  /** Most points held at a time. */
  readonly maxSamples: number;
  /** 0: none (the signal may still carry one). */
  readonly timeoutMs: number;
  /** Step of `[5m:]`. */
  readonly defaultSubqueryStepMs: number;
  readonly dedup: DedupOptions;
  /** Coarsest resolution to read, ms; 0 is raw only. */
  readonly maxResolution: number;
  readonly partialResponse: boolean;
  readonly features: Features;
  /** What the query's own budget draws on. */
  readonly budget: ByteBudget | undefined;
  /** Most bytes this query may hold; 0: no limit of its own. */
  readonly maxBytes: number;
  /** The query's text, for positions in annotations. */
  readonly query: string | undefined;
  /** Count the samples of each step, too. */
  readonly perStepStats: boolean;
  /** Rewrite the plan so that less is read; off to compare. Answers are the same. */
  readonly optimise: boolean;
  /** Slide range functions over a series' samples; off to call them window by window, and compare. */
  readonly slide: boolean;
  /** Measure what each operator costs. */
  readonly analyze: boolean;
  /**
   * Told how far the query is, at batch boundaries and after every million samples and points in between: samples
   * decoded, bytes held now and at the most. false ends it as canceled, where a signal would not be heard in time.
   */
  readonly progress: ((samples: number, bytes: number, peakBytes: number) => boolean) | undefined;
  /** How chunks other than plain XOR ones are read. */
  readonly decodeChunk: ChunkDecoder;
};

export const DEFAULT_OPTIONS: EngineOptions = {
  lookbackMs: 300_000,
  maxSamples: 50_000_000,
  timeoutMs: 0,
  defaultSubqueryStepMs: 60_000,
  dedup: {enabled: false, replicaLabels: [], func: "penalty"},
  maxResolution: 0,
  partialResponse: false,
  features: {delayedNameRemoval: false, startTimestamps: false},
  budget: undefined,
  maxBytes: 0,
  query: undefined,
  perStepStats: false,
  optimise: true,
  slide: true,
  analyze: false,
  progress: undefined,
  decodeChunk,
};
