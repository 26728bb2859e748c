/** A pair that is not in the table. */
export const NO_RANGE = -1;

/** Values of one label with their posting lists: byte ranges [start, end) in the index, from the count to the CRC. */
export type ValueRanges = {
  readonly values: readonly string[];
  /** start and end of value i at 2·i and 2·i + 1. */
  readonly ranges: Float64Array;
};

/** Where the posting lists of label pairs lie in an index, as its index-header says. */
export interface PostingOffsets {
  /** Bytes in memory, about. */
  readonly byteLength: number;
  /** All label names, sorted by bytes; the name "" of the list of all series is left out. */
  labelNames(): string[];
  has(name: string): boolean;
  /** How many values `name` has; 0 when it is not there. */
  valueCount(name: string): number;
  /** Ranges of ascending (by bytes) values of `name`: start and end of value i at 2·i and 2·i + 1, or NO_RANGE twice. */
  ranges(name: string, values: readonly string[]): Promise<Float64Array>;
  /** The values of `name` that start with `prefix` and that `keep` wants, with their ranges, ascending. */
  select(name: string, prefix: string, keep: (value: string) => boolean): Promise<ValueRanges>;
}
