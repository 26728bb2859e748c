import {compareUtf8} from "@strata/model";
import type {thanos} from "@strata/proto";

/** Metadata of several sources by metric, sorted, each entry once. `limit`: most metrics; below 0 all, 0 none. */
export function mergeMetadata(
  all: readonly thanos.MetricMetadata[],
  limit: number,
): ReadonlyMap<string, readonly thanos.Meta[]> {
  const metrics = new Map<string, thanos.Meta[]>();
  for (const {metadata} of all) {
    for (const [name, {metas}] of metadata) {
      const known = metrics.get(name) ?? [];
      const fresh = metas.filter(
        (m) => !known.some((k) => k.type === m.type && k.help === m.help && k.unit === m.unit),
      );
      metrics.set(name, [...known, ...fresh]);
    }
  }
  const names = [...metrics.keys()].sort(compareUtf8);
  const kept = limit < 0 ? names : names.slice(0, limit);
  return new Map(kept.map((name) => [name, metrics.get(name) ?? []]));
}
