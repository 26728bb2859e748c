import type {ByteBudget, Gate} from "@strata/base";
import type {Bucket} from "@strata/objstore";
import type {CachingBucket} from "./caching-bucket.ts";
import type {IndexCache} from "./index-cache.ts";
import type {LazyPostings} from "./lazy-postings.ts";
import type {MemoryWarden} from "./memory-warden.ts";
import type {RequestLimits} from "./request-limits.ts";
import type {RowCache} from "./row-cache.ts";
import type {StoreMetrics} from "./store-metrics.ts";

/** How ranges of objects are read: what another request costs against what is read in vain. */
export type ReadTuning = {
  /** Ranges nearer than this are read as one, bytes. */
  readonly gap: number;
  /** Expected size of a series entry and of a chunk; larger ones take a second read. */
  readonly seriesBytes: number;
  readonly chunkBytes: number;
  /** What a block's meta.json says of them is not believed beyond this. */
  readonly maxSeriesBytes: number;
  readonly maxChunkBytes: number;
  /** Range requests of one block under way at once. */
  readonly parallel: number;
  /** About how many bytes of chunks are read before they are handed out. */
  readonly unitBytes: number;
  /** Batches of all calls that are read at once; 0 is no limit. */
  readonly batches: number;
  /** Rows of all blocks together that are held for merging. */
  readonly heldRows: number;
  /** Rows of one block read together, at the most. */
  readonly blockRows: number;
  /** Whether series entries go through the index cache; pointless where the operating system caches the file. */
  readonly cacheSeries: boolean;
  /** Whether posting lists of all matchers are asked for at once, needed or not, to save round trips. */
  readonly prefetchPostings: boolean;
};

/** Enough for several hundred blocks to read entries in stretches; some 10 MB. */
const HELD_ROWS = 32_768;

/** Some 100 kB of the index. */
const BLOCK_ROWS = 1024;

/** A chunk of 120 samples or of histograms is smaller, and so is a series entry but for very long ones. */
const MAX_GUESS = 64 << 10;

/**
 * A local disk answers as fast as batches are put together, which one thread does: with more of them on the way at once their
 * memory is cold when it is needed. Sixteen calls at once took a fifth more CPU time than one after the other.
 */
const LOCAL_BATCHES = 2;

/** A local disk: requests cost microseconds, so nothing is read in vain. */
export const LOCAL_TUNING: ReadTuning = {
  gap: 16 << 10,
  seriesBytes: 1 << 10,
  chunkBytes: 1280,
  maxSeriesBytes: MAX_GUESS,
  maxChunkBytes: MAX_GUESS,
  parallel: 4,
  unitBytes: 4 << 20,
  batches: LOCAL_BATCHES,
  heldRows: HELD_ROWS,
  blockRows: BLOCK_ROWS,
  cacheSeries: false,
  prefetchPostings: false,
};

/** Object storage: a request costs as much time as half a megabyte. The estimates are those of Thanos. */
export const REMOTE_TUNING: ReadTuning = {
  gap: 512 << 10,
  seriesBytes: 64 << 10,
  chunkBytes: 16_000,
  maxSeriesBytes: MAX_GUESS,
  maxChunkBytes: MAX_GUESS,
  parallel: 8,
  unitBytes: 16 << 20,
  batches: 0,
  heldRows: HELD_ROWS,
  blockRows: BLOCK_ROWS,
  cacheSeries: true,
  prefetchPostings: true,
};

/** The `--debug.*` sizes; what is left out is left to the tuning. */
export type TuningOverrides = {
  readonly seriesBytes?: number | undefined;
  readonly chunkBytes?: number | undefined;
  readonly blockRows?: number | undefined;
};

/** Less would not hold the length of what is read. */
const MIN_GUESS = 64;

/** `tuning` with sizes that somebody set by hand. */
export function overridden(tuning: ReadTuning, {seriesBytes, chunkBytes, blockRows}: TuningOverrides): ReadTuning {
  const guess = (bytes: number) => Math.max(MIN_GUESS, bytes);
  return {
    ...tuning,
    ...(seriesBytes === undefined ? {} : {seriesBytes: guess(seriesBytes), maxSeriesBytes: guess(seriesBytes)}),
    ...(chunkBytes === undefined ? {} : {chunkBytes: guess(chunkBytes), maxChunkBytes: guess(chunkBytes)}),
    ...(blockRows === undefined ? {} : {blockRows: Math.max(1, blockRows)}),
  };
}

/** What all reads for one call share. */
export type ReadContext = {
  readonly bucket: Bucket;
  /** The same bucket where it has a cache in front, which may give wrong bytes. */
  readonly cachingBucket: CachingBucket | undefined;
  readonly tuning: ReadTuning;
  readonly limits: RequestLimits;
  /** Passed by each batch of chunks while it is read, whichever call it is of. */
  readonly reading: Gate;
  /** Set where posting lists are weighed against series before they are fetched. */
  readonly lazyPostings: LazyPostings | undefined;
  /** What the call holds is counted here: rows, posting lists, and bytes from before they are read. */
  readonly budget: ByteBudget;
  /** Told of what was dropped, where memory is bounded. */
  readonly warden: MemoryWarden | undefined;
  readonly cache: IndexCache;
  /** Rows of selections that were asked for before. */
  readonly rowCache: RowCache | undefined;
  readonly metrics: StoreMetrics;
  readonly stats: QueryStats;
  /** Equal texts of all blocks as one string, so that comparing labels of a series in several blocks costs nothing. */
  readonly texts: TextPool;
  readonly signal: AbortSignal;
};

type DataStats = {touched: number; touchedBytes: number; fetched: number; fetchedBytes: number};
const noData = (): DataStats => ({touched: 0, touchedBytes: 0, fetched: 0, fetchedBytes: 0});

/** What one call used and downloaded, by kind. */
export class QueryStats {
  blocks = 0;
  series = 0;
  chunkBytes = 0;
  readonly postings = noData();
  readonly entries = noData();
  readonly chunks = noData();
}

/** Beyond so many texts or characters a pool starts afresh: it only saves time and memory. */
const MAX_TEXTS = 200_000;
const MAX_CHARACTERS = 8 << 20;

export class TextPool {
  readonly #texts = new Map<string, string>();
  #characters = 0;

  /** The pool's own string equal to `text`. */
  one(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= MAX_TEXTS || this.#characters > MAX_CHARACTERS) {
      this.#texts.clear();
      this.#characters = 0;
    }
    this.#texts.set(text, text);
    this.#characters += text.length;
    return text;
  }
}
