import {externalLabels, groupKey, resolutionOf} from "@strata/block";
import type {Labels} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb/blocks";

/** Blocks of equal resolution and external labels, which may be merged. */
export type Group = {
  readonly key: string;
  readonly labels: Labels;
  /** ms. */
  readonly resolution: number;
  /** Ascending by minTime. */
  readonly metas: readonly BlockMeta[];
  /** What the blocks agree on of their free extensions. */
  readonly extensions: unknown;
};

/** The groups of all blocks, by key. */
export function groupBlocks(metas: Iterable<BlockMeta>): Group[] {
  const byKey = new Map<string, BlockMeta[]>();
  for (const meta of metas) {
    const key = groupKey(meta);
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [meta]);
    else list.push(meta);
  }
  const groups = [...byKey].map(([key, list]) => {
    const ordered = list.sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
    const first = ordered[0] as BlockMeta;
    return {
      key,
      labels: externalLabels(first),
      resolution: resolutionOf(first),
      metas: ordered,
      extensions: sharedExtensions(ordered),
    };
  });
  return groups.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/**
 * The keys that the extensions of all blocks have that have any, with the values of the first; undefined when there are
 * none.
 */
export function sharedExtensions(metas: readonly BlockMeta[]): unknown {
  let shared: Map<string, unknown> | undefined;
  for (const {thanos} of metas) {
    const own = thanos?.extensions;
    if (typeof own !== "object" || own === null || Array.isArray(own)) continue;
    if (shared === undefined) shared = new Map(Object.entries(own));
    else for (const key of shared.keys()) if (!Object.hasOwn(own, key)) shared.delete(key);
  }
  return shared === undefined || shared.size === 0 ? undefined : Object.fromEntries(shared);
}
