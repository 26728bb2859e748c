import {type Matcher, type MatchOp, matcher} from "@strata/model";
import type {Registry} from "@strata/telemetry";

/** Makes the matcher of a request; throws `bad_data` for a faulty expression. */
export type MakeMatcher = (name: string, op: MatchOp, value: string) => Matcher;

const metricsOf = (r: Registry) => ({
  requests: r.counter({name: "thanos_matchers_cache_requests_total", help: "Matchers looked up in the cache."}),
  hits: r.counter({name: "thanos_matchers_cache_hits_total", help: "Matchers that the cache had."}),
  evicted: r.counter({name: "thanos_matchers_cache_evicted_total", help: "Matchers put out for newer ones."}),
  items: r.gauge({name: "thanos_matchers_cache_items", help: "Matchers in the cache."}),
  maxItems: r.gauge({name: "thanos_matchers_cache_max_items", help: "Most matchers that the cache may have."}),
});

/**
 * `--matcher-cache-size`: keeps the last `maxItems` compiled regular expressions of requests; those of dashboards come
 * again and again, with long alternations that take milliseconds to compile. 0 keeps none.
 */
export function matcherCache(maxItems: number, registry: Registry): MakeMatcher {
  if (maxItems <= 0) return matcher;
  const metrics = metricsOf(registry);
  metrics.maxItems.set(maxItems);
  /** In the order of last use: a Map keeps insertion order, and a use inserts anew. */
  const kept = new Map<string, Matcher>();
  return (name, op, value) => {
    // Comparing for equality needs nothing compiled.
    if (op === "=" || op === "!=") return matcher(name, op, value);
    metrics.requests.inc();
    const key = `${op}${name.length} ${name}${value}`;
    const known = kept.get(key);
    if (known !== undefined) {
      metrics.hits.inc();
      kept.delete(key);
    }
    const found = known ?? matcher(name, op, value);
    kept.set(key, found);
    if (kept.size > maxItems) {
      kept.delete(kept.keys().next().value as string);
      metrics.evicted.inc();
    }
    metrics.items.set(kept.size);
    return found;
  };
}
