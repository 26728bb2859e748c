import {StrataError} from "@strata/base";
import {kernel, xxhash64} from "@strata/kernels";
import {compareUtf8} from "@strata/model";
import type {Endpoint} from "./endpoint.ts";

/** Where the series of a tenant go. */
export type Ring = {
  readonly nodes: readonly Endpoint[];
  /**
   * For `count` hashes (u64) at `hashes`, the numbers of the nodes that hold replica `replica` (from 0), as u32 at `out`.
   * Throws `internal` when there are too few nodes.
   */
  place(hashes: number, count: number, replica: number, out: number): void;
  /** Gives its memory back; safe to call twice. */
  close(): void;
};

const SECTIONS_PER_NODE = 1000;
/** See ringIndex of the kernels. */
const INDEX_BYTES = 4 << 12;

const byAddress = (a: Endpoint, b: Endpoint): number => compareUtf8(a.address, b.address);

const insufficient = (have: number, replica: number): StrataError =>
  new StrataError("internal", `insufficient nodes; have ${have}, want ${replica + 1}`);

/** Replica n of a hash is on node (hash + n) modulo their number. Throws `bad_data` for endpoints with zones. */
export function hashmodRing(endpoints: readonly Endpoint[]): Ring {
  if (endpoints.some((e) => e.az !== "")) {
    throw new StrataError(
      "bad_data",
      "Hashmod algorithm does not support AZ aware hashring configuration. Either use Ketama or remove AZ configuration.",
    );
  }
  const nodes = [...endpoints].sort(byAddress);
  return {
    nodes,
    place(hashes, count, replica, out) {
      if (replica >= nodes.length) throw insufficient(nodes.length, replica);
      kernel().exports.ringModulo(hashes, count, replica, nodes.length, out);
    },
    close() {},
  };
}

/** A ring of sections, many for each node; replicas go to the next nodes around it, spread over zones. */
export class KetamaRing implements Ring {
  readonly nodes: readonly Endpoint[];
  /** Hashes of the sections, ascending, and the node of each. */
  readonly hashes: BigUint64Array;
  readonly owners: Uint32Array;
  readonly #replication: number;
  /** Nodes of each section, replica after replica. */
  readonly #replicas: Uint32Array;
  #sections: number;

  /** Throws `bad_data` when the nodes or their zones are too few for so many replicas. */
  constructor(endpoints: readonly Endpoint[], replication: number) {
    if (endpoints.length < replication) {
      throw new StrataError("bad_data", "ketama: amount of endpoints needs to be larger than replication factor");
    }
    this.nodes = endpoints;
    this.#replication = replication;
    const points = sectionsOf(endpoints);
    this.hashes = points.hashes;
    this.owners = points.owners;
    this.#replicas = spread(this.owners, endpoints, replication);
    const k = kernel();
    this.#sections = k.alloc(8 * this.hashes.length + INDEX_BYTES);
    k.u64().set(this.hashes, this.#sections >>> 3);
    k.exports.ringIndex(this.#sections, this.hashes.length, this.#sections + 8 * this.hashes.length);
  }

  place(hashes: number, count: number, replica: number, out: number): void {
    if (replica >= this.#replication) throw insufficient(this.#replication, replica);
    const k = kernel();
    const n = this.hashes.length;
    k.exports.ringSections(hashes, count, this.#sections, n, this.#sections + 8 * n, out);
    const u32 = k.u32();
    const replicas = this.#replicas;
    const copies = this.#replication;
    for (let i = out >>> 2, end = i + count; i < end; i++) {
      u32[i] = replicas[(u32[i] as number) * copies + replica] as number;
    }
  }

  close(): void {
    kernel().free(this.#sections);
    this.#sections = 0;
  }
}

function sectionsOf(endpoints: readonly Endpoint[]): {hashes: BigUint64Array; owners: Uint32Array} {
  const n = endpoints.length * SECTIONS_PER_NODE;
  const hashes = new BigUint64Array(n);
  endpoints.forEach(({address}, node) => {
    for (let i = 1; i <= SECTIONS_PER_NODE; i++) {
      hashes[node * SECTIONS_PER_NODE + i - 1] = xxhash64(Buffer.from(`${address}:${i}`));
    }
  });
  const order = Uint32Array.from({length: n}, (_, i) => i);
  order.sort((a, b) => {
    const [x, y] = [hashes[a] as bigint, hashes[b] as bigint];
    return x < y ? -1 : x > y ? 1 : a - b;
  });
  return {
    hashes: BigUint64Array.from(order, (i) => hashes[i] as bigint),
    owners: Uint32Array.from(order, (i) => Math.floor(i / SECTIONS_PER_NODE)),
  };
}

/** For each section the nodes of its replicas: walking on from it, each node once, zones filled evenly. */
function spread(owners: Uint32Array, endpoints: readonly Endpoint[], replication: number): Uint32Array {
  const zones = [...new Set(endpoints.map((e) => e.az))];
  const zoneOf = endpoints.map((e) => zones.indexOf(e.az));
  const replicas = new Uint32Array(owners.length * replication);
  const held = new Uint32Array(zones.length);
  for (let section = 0; section < owners.length; section++) {
    held.fill(0);
    const chosen = replicas.subarray(section * replication, (section + 1) * replication);
    let n = 0;
    for (let step = 0; n < replication; step++) {
      // A whole round without an end: the zones that may take more have no node left. The original goes on for ever.
      if (step >= 2 * owners.length) throw unevenZones(endpoints, replication);
      const node = owners[(section + step) % owners.length] as number;
      if (chosen.subarray(0, n).includes(node)) continue;
      const zone = zoneOf[node] as number;
      const here = held[zone] as number;
      if (zones.length > 1 && here > 0 && here > Math.min(...held)) continue;
      held[zone] = here + 1;
      chosen[n++] = node;
    }
  }
  return replicas;
}

function unevenZones(endpoints: readonly Endpoint[], replication: number): StrataError {
  const sizes = new Map<string, number>();
  for (const {az} of endpoints) sizes.set(az, (sizes.get(az) ?? 0) + 1);
  const text = [...sizes].map(([az, n]) => `${az === "" ? "(none)" : az}: ${n}`).join(", ");
  return new StrataError(
    "bad_data",
    `ketama: cannot spread ${replication} replicas evenly over the zones; endpoints by zone: ${text}`,
  );
}
