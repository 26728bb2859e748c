import type {ByteBudget} from "@strata/base";
import type {Matcher} from "@strata/model";
import type {Aggregate, SeriesBatch} from "./series-batch.ts";

/** The part of a source that evaluation needs. */
export interface Selectable {
  /** Series in label order, batch after batch. The consumer owns each batch it is given. */
  select(q: Select, signal: AbortSignal): AsyncIterable<SeriesBatch>;
}

/**
 * What every source of series offers: head, block, bucket store, remote StoreAPI, proxy. Failures of a part of the
 * source are warnings in the batches where the request allows partial answers, else the iteration throws StrataError.
 */
export interface Queryable extends Selectable {
  labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer>;
  labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer>;
}

/** On whose behalf a request is made: travels along with it, to other processes too. */
export type Caller = {
  /** "" for the default tenant. */
  readonly tenant: string;
  readonly requestId?: string | undefined;
  /** W3C trace context of the span that asks. */
  readonly traceparent?: string | undefined;
  /** Debug selection of stores by `__address__` and the like: sets are alternatives, a set's matchers must all match. */
  readonly storeMatch?: readonly (readonly Matcher[])[] | undefined;
};

/** Matchers and [mint, maxt] (ms, both inclusive), with all that lets a source do less work. */
export type Select = {
  /** All must match. */
  readonly matchers: readonly Matcher[];
  readonly mint: number;
  readonly maxt: number;
  /** Hints: query step and selector range in ms, enclosing function, grouping. 0, "" and undefined when unknown. */
  readonly step: number;
  readonly range: number;
  readonly func: string;
  readonly by?: boolean | undefined;
  readonly grouping?: readonly string[] | undefined;
  /** Coarsest resolution that may be returned, ms; 0 is raw only. */
  readonly maxResolution: number;
  /** Which columns of downsampled chunks are wanted. */
  readonly aggregates: readonly Aggregate[];
  /** Labels to remove before sorting. */
  readonly withoutReplicaLabels: readonly string[];
  readonly shard?: Shard | undefined;
  /** Labels only, no chunks. */
  readonly skipChunks: boolean;
  /** At most so many series; 0 is no limit. */
  readonly limit: number;
  /** true: a failing part becomes a warning; false: it fails the whole. */
  readonly partialResponse: boolean;
  readonly budget: ByteBudget;
  readonly caller?: Caller | undefined;
  /** On a block's external labels and `__block_id`; only sources of blocks look at them (request hints). */
  readonly blockMatchers?: readonly Matcher[] | undefined;
};

/** One of `total` shards: xxhash64 of the chosen labels modulo total (reference: StoreAPI ShardInfo). */
export type Shard = {
  readonly index: number;
  readonly total: number;
  readonly by: boolean;
  readonly labels: readonly string[];
};

export type LabelQuery = {
  readonly matchers: readonly Matcher[];
  /** ms, both inclusive. */
  readonly mint: number;
  readonly maxt: number;
  readonly withoutReplicaLabels: readonly string[];
  readonly limit: number;
  readonly partialResponse: boolean;
  readonly caller?: Caller | undefined;
  readonly blockMatchers?: readonly Matcher[] | undefined;
};

/** Sorted by UTF-8 bytes, unique. */
export type LabelAnswer = {
  readonly values: readonly string[];
  readonly warnings: readonly string[];
  /** ULIDs of the blocks that were looked at, from sources of blocks (response hints). */
  readonly queriedBlocks?: readonly string[] | undefined;
};
