import {EMPTY_LAYOUT} from "@strata/chunkenc";
import {type Histogram, RESET_HINT} from "@strata/model";

/** The words of the float that marks the end of a series. */
export const STALE_HIGH = 0x7ff00000;
export const STALE_LOW = 2;
const NONE = new Float64Array(0);
const NO_DIFFERENCES = new BigInt64Array(0);

/** The stale marker of a series of histograms. */
export function staleHistogram(kind: Histogram["kind"]): Histogram {
  const base = {...EMPTY_LAYOUT, resetHint: RESET_HINT.unknown, sum: Number.NaN, stale: true};
  return kind === "float"
    ? {kind, ...base, count: 0, zeroCount: 0, positiveBuckets: NONE, negativeBuckets: NONE}
    : {kind, ...base, count: 0n, zeroCount: 0n, positiveBuckets: NO_DIFFERENCES, negativeBuckets: NO_DIFFERENCES};
}
