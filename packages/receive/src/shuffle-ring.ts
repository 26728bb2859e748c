import {createHash} from "node:crypto";
import {StrataError} from "@strata/base";
import {compareUtf8} from "@strata/model";
import type {Gauge, Registry} from "@strata/telemetry";
import type {Endpoint} from "./endpoint.ts";
import {GoRandom} from "./go-random.ts";
import {KetamaRing, type Ring} from "./hashring.ts";
import type {ShuffleConfig} from "./ring-config.ts";
import {matchesTenant} from "./tenant-match.ts";

export type ShuffleMetrics = ReturnType<typeof shuffleMetrics>;

export const shuffleMetrics = (r: Registry) => ({
  requests: r.counter({
    name: "thanos_shuffle_shard_cache_requests_total",
    help: "Look-ups of tenants' rings.",
    labels: ["hashring"],
  }),
  hits: r.counter({
    name: "thanos_shuffle_shard_cache_hits_total",
    help: "Look-ups that found the ring made already.",
    labels: ["hashring"],
  }),
  evicted: r.counter({
    name: "thanos_shuffle_shard_cache_evicted_total",
    help: "Rings that were dropped to make room.",
    labels: ["hashring"],
  }),
  items: r.gauge({name: "thanos_shuffle_shard_cache_items", help: "Tenants' rings kept.", labels: ["hashring"]}),
  maxItems: r.gauge({
    name: "thanos_shuffle_shard_cache_max_items",
    help: "Tenants' rings kept at the most.",
    labels: ["hashring"],
  }),
});

/** Rings over a few nodes for each tenant, chosen by its name. */
export class ShuffleRing {
  readonly nodes: readonly Endpoint[];
  readonly #base: KetamaRing;
  readonly #name: string;
  readonly #config: ShuffleConfig;
  readonly #replication: number;
  readonly #metrics: ShuffleMetrics;
  /** By tenant, the one used longest ago first. */
  readonly #rings = new Map<string, KetamaRing>();

  constructor(base: KetamaRing, name: string, config: ShuffleConfig, replication: number, metrics: ShuffleMetrics) {
    const unique = new Map(base.nodes.map((node) => [node.address, node]));
    this.nodes = [...unique.values()].sort((a, b) => compareUtf8(a.address, b.address));
    if (config.shardSize > this.nodes.length) {
      throw new StrataError(
        "bad_data",
        `shard size ${config.shardSize} is larger than number of nodes in hashring ${name} (${this.nodes.length})`,
      );
    }
    this.#base = base;
    this.#name = name;
    this.#config = config;
    this.#replication = replication;
    this.#metrics = metrics;
    metrics.maxItems.with({hashring: name}).set(config.cacheSize);
  }

  /** The ring of a tenant. Throws `internal` when a zone is too small for its share. */
  ringOf(tenant: string): Ring {
    const labels = {hashring: this.#name};
    this.#metrics.requests.with(labels).inc();
    let ring = this.#rings.get(tenant);
    if (ring !== undefined) {
      this.#metrics.hits.with(labels).inc();
      this.#rings.delete(tenant);
    } else ring = this.#shard(tenant);
    this.#rings.set(tenant, ring);
    if (this.#rings.size > this.#config.cacheSize) this.#evict();
    (this.#metrics.items.with(labels) as Gauge).set(this.#rings.size);
    return ring;
  }

  #evict(): void {
    const [oldest, ring] = this.#rings.entries().next().value as [string, KetamaRing];
    this.#rings.delete(oldest);
    ring.close();
    this.#metrics.evicted.with({hashring: this.#name}).inc();
  }

  #shard(tenant: string): KetamaRing {
    const {zoneAware, overrides} = this.#config;
    const size = overrides.find((o) => matchesTenant(o, tenant))?.shardSize ?? this.#config.shardSize;
    const zoneOf = (node: Endpoint): string => (zoneAware ? node.az : "");
    const zones = new Map<string, number>();
    for (const node of this.nodes) zones.set(zoneOf(node), (zones.get(zoneOf(node)) ?? 0) + 1);
    const take = zoneAware ? Math.ceil(size / zones.size) : size;
    const chosen: Endpoint[] = [];
    for (const [zone, count] of zones) {
      if (take > count) {
        throw new StrataError("internal", `shard size ${size} is larger than number of nodes in AZ ${zone} (${count})`);
      }
      chosen.push(...this.#draw(tenant, zone, take, zoneOf));
    }
    return new KetamaRing(chosen, this.#replication);
  }

  /** `take` nodes of a zone: from points on the ring that the tenant's name decides, on to the next node not yet taken. */
  #draw(tenant: string, zone: string, take: number, zoneOf: (node: Endpoint) => string): Endpoint[] {
    const {hashes, owners, nodes} = this.#base;
    const sections = [...owners.keys()].filter((i) => zoneOf(nodes[owners[i] as number] as Endpoint) === zone);
    const random = new GoRandom(shuffleSeed(tenant, zone));
    const taken = new Set<number>();
    for (let i = 0; i < take; i++) {
      const draw = random.uint64();
      const first = sections.findIndex((s) => (hashes[s] as bigint) >= draw);
      const start = Math.max(first, 0);
      for (let step = 0; step < sections.length; step++) {
        const node = owners[sections[(start + step) % sections.length] as number] as number;
        if (taken.has(node)) continue;
        taken.add(node);
        break;
      }
    }
    return [...taken].map((node) => nodes[node] as Endpoint);
  }

  close(): void {
    for (const ring of this.#rings.values()) ring.close();
    this.#rings.clear();
    this.#base.close();
  }
}

/** What a tenant's draws in a zone start from. */
export function shuffleSeed(tenant: string, zone: string): bigint {
  const hash = createHash("md5").update(tenant);
  if (zone !== "") hash.update("\0").update(zone);
  return hash.digest().readBigInt64BE(0);
}
