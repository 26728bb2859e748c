import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import type {Endpoint} from "./endpoint.ts";
import {hashmodRing, KetamaRing, type Ring} from "./hashring.ts";
import type {RingConfig} from "./ring-config.ts";
import {type ShuffleMetrics, ShuffleRing} from "./shuffle-ring.ts";
import {matchesTenant} from "./tenant-match.ts";

type Entry = {
  readonly config: RingConfig;
  readonly ringOf: (tenant: string) => Ring;
  readonly nodes: readonly Endpoint[];
  close(): void;
};

/** Tenants whose ring is remembered; beyond, the rings are asked again. */
const MAX_REMEMBERED = 10_000;

/** All hashrings of a configuration, the first that takes a tenant being its own. */
export class Hashrings {
  readonly #entries: readonly Entry[];
  readonly #byTenant = new Map<string, Entry>();

  private constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** Throws `bad_data` for rings that cannot do what they are to. */
  static create(rings: readonly RingConfig[], replication: number, metrics: ShuffleMetrics): Hashrings {
    const entries: Entry[] = [];
    try {
      for (const config of rings) entries.push(entryOf(config, replication, metrics));
    } catch (err) {
      for (const entry of entries) entry.close();
      throw err;
    }
    return new Hashrings(entries);
  }

  /** The ring of a tenant. Throws `internal` when there is none. */
  ringOf(tenant: string): Ring {
    return this.#entryOf(tenant).ringOf(tenant);
  }

  /** Labels that the tenant's ring adds to its series; none when no ring takes it. */
  labelsOf(tenant: string): Labels {
    const entry = this.#entries.find(({config}) => takes(config, tenant));
    return entry === undefined ? Labels.EMPTY : Labels.fromObject(entry.config.externalLabels);
  }

  /** The endpoints of all rings, ring after ring. */
  get nodes(): readonly Endpoint[] {
    return this.#entries.flatMap((e) => e.nodes);
  }

  /** Name, nodes and tenants of each, for metrics. */
  get sizes(): readonly {name: string; nodes: number; tenants: number}[] {
    return this.#entries.map(({config, nodes}) => ({
      name: config.name,
      nodes: nodes.length,
      tenants: config.tenants.length,
    }));
  }

  #entryOf(tenant: string): Entry {
    const known = this.#byTenant.get(tenant);
    if (known !== undefined) return known;
    const entry = this.#entries.find(({config}) => takes(config, tenant));
    if (entry === undefined) throw new StrataError("internal", "no matching hashring to handle tenant");
    if (this.#byTenant.size >= MAX_REMEMBERED) this.#byTenant.clear();
    this.#byTenant.set(tenant, entry);
    return entry;
  }

  close(): void {
    for (const entry of this.#entries) entry.close();
  }
}

const takes = (config: RingConfig, tenant: string): boolean =>
  config.tenants.length === 0 || matchesTenant(config, tenant);

function entryOf(config: RingConfig, replication: number, metrics: ShuffleMetrics): Entry {
  const {algorithm, endpoints, shuffle, name} = config;
  if (algorithm === "hashmod") {
    if (shuffle !== undefined) {
      throw new StrataError(
        "bad_data",
        "hashmod algorithm does not support shuffle sharding. Either use Ketama or remove shuffle sharding configuration",
      );
    }
    const ring = hashmodRing(endpoints);
    return {config, nodes: ring.nodes, ringOf: () => ring, close: () => ring.close()};
  }
  const base = new KetamaRing(endpoints, replication);
  if (shuffle === undefined) return {config, nodes: base.nodes, ringOf: () => base, close: () => base.close()};
  const sharded = new ShuffleRing(base, name, shuffle, replication, metrics);
  return {
    config,
    nodes: sharded.nodes,
    ringOf: (tenant) => sharded.ringOf(tenant),
    close: () => sharded.close(),
  };
}
