import type {Metric} from "../format.ts";

/** A block as the API gives it: its meta.json. Times in Unix milliseconds, `maxTime` exclusive. */
export type Block = {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: {readonly numSamples?: number; readonly numSeries?: number; readonly numChunks?: number};
  readonly compaction: {
    readonly level: number;
    readonly sources?: readonly string[];
    readonly parents?: readonly {readonly ulid: string}[];
  };
  readonly thanos?: {
    readonly labels?: Metric;
    readonly downsample?: {readonly resolution: number};
    readonly source?: string;
    readonly files?: readonly {readonly rel_path: string; readonly size_bytes?: number}[];
  };
};

/** The answer of `/api/v1/blocks`. */
export type Blocks = {
  /** External label by which blocks are grouped; "" for all of them. */
  readonly label: string;
  readonly blocks: readonly Block[];
  readonly refreshedAt: string;
  readonly err: string | null;
};

export const resolutionOf = (block: Block): number => block.thanos?.downsample?.resolution ?? 0;

const RESOLUTIONS: Readonly<Record<number, string>> = {0: "raw", 300000: "5m", 3600000: "1h"};
export const resolutionName = (ms: number): string => RESOLUTIONS[ms] ?? `${ms} ms`;

export const labelsOf = (block: Block): Metric => block.thanos?.labels ?? {};

/** Bytes of all its files; undefined where the meta does not tell. */
export function bytesOf(block: Block): number | undefined {
  const files = block.thanos?.files ?? [];
  const sizes = files.map(({size_bytes: size}) => size).filter((size) => size !== undefined);
  return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

/** Sums of what blocks hold. */
export const totals = (blocks: readonly Block[]): {samples: number; bytes: number} => ({
  samples: blocks.reduce((sum, {stats}) => sum + (stats.numSamples ?? 0), 0),
  bytes: blocks.reduce((sum, block) => sum + (bytesOf(block) ?? 0), 0),
});

/** Everything about a block that a filter may name. */
export const blockText = (block: Block): string =>
  [
    block.ulid,
    block.thanos?.source ?? "",
    `level:${block.compaction.level}`,
    resolutionName(resolutionOf(block)),
    ...Object.entries(labelsOf(block)).map(([name, value]) => `${name}=${value}`),
  ].join(" ");
