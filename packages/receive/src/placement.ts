import {kernel, type WriteWindow} from "@strata/kernels";
import type {Endpoint} from "./endpoint.ts";
import type {Ring} from "./hashring.ts";
import type {Hashrings} from "./hashrings.ts";
import {PLACED} from "./peer-request.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {checkLabels, ringHashes} from "./ring-hashes.ts";

/** What goes to one endpoint as one replica. */
export type Placement = {
  readonly endpoint: Endpoint;
  /** From 0; PLACED for all of them in one. */
  readonly replica: number;
  readonly parts: TenantPart[];
  /** Classes of the series in it; see Placements. */
  readonly classes: Set<number>;
};

/** Where a request goes. Series that share all their endpoints are one class: they succeed and fail together. */
export type Placements = {readonly groups: readonly Placement[]; readonly classes: number};

/**
 * Finds the endpoints of all series. An endpoint that `joins` gets its copies in one group, whatever replicas they are. Throws
 * `internal` when a tenant has no ring, or a ring too few nodes, and `bad_data` for labels that cannot be read.
 */
export function placeSeries(
  window: WriteWindow,
  parts: readonly TenantPart[],
  replicas: readonly number[],
  rings: Hashrings,
  joins: (endpoint: Endpoint) => boolean,
): Placements {
  const groups = new Groups(joins);
  let classes = 0;
  for (const part of parts) {
    const ring = rings.ringOf(part.tenant);
    if (isEverywhere(ring, replicas, groups)) {
      checkLabels(window);
      for (const node of ring.nodes) groups.of(node, 0).add(part, classes);
      classes++;
    } else classes += placeByHash(window, part, replicas, ring, groups, classes);
  }
  return {groups: groups.all, classes};
}

/** Whether each series goes to each node, and which replica it is there does not matter: then no hash is needed. */
function isEverywhere(ring: Ring, replicas: readonly number[], groups: Groups): boolean {
  const {nodes} = ring;
  if (replicas.length === 1 || replicas.length !== nodes.length) return false;
  return nodes.every((node) => groups.joins(node)) && new Set(nodes.map(({address}) => address)).size === nodes.length;
}

class Group implements Placement {
  readonly endpoint: Endpoint;
  readonly replica: number;
  readonly parts: TenantPart[] = [];
  readonly classes = new Set<number>();
  /** The series of the part that is being placed. */
  list: Uint32Array = new Uint32Array(0);
  size = 0;

  constructor(endpoint: Endpoint, replica: number) {
    this.endpoint = endpoint;
    this.replica = replica;
  }

  add(part: TenantPart, ofClass: number): void {
    this.parts.push(part);
    this.classes.add(ofClass);
  }
}

/** Groups by endpoint and, where it does not join them, by replica. */
class Groups {
  readonly #joins: (endpoint: Endpoint) => boolean;
  readonly #groups = new Map<string, Group>();
  /** Asked once: what a request was placed by does not change on the way. */
  readonly #joining = new Map<string, boolean>();

  constructor(joins: (endpoint: Endpoint) => boolean) {
    this.#joins = joins;
  }

  get all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  joins(endpoint: Endpoint): boolean {
    let answer = this.#joining.get(endpoint.address);
    if (answer === undefined) {
      answer = this.#joins(endpoint);
      this.#joining.set(endpoint.address, answer);
    }
    return answer;
  }

  of(endpoint: Endpoint, replica: number): Group {
    const as = this.joins(endpoint) ? PLACED : replica;
    const key = `${as} ${endpoint.address}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(endpoint, as);
      this.#groups.set(key, group);
    }
    return group;
  }
}

/** What becomes of the series with one combination of nodes. */
type Class = {readonly groups: readonly Group[]; size: number};

/** Places a part by its series' hashes; classes get numbers from `firstClass` on. Returns how many there are. */
function placeByHash(
  window: WriteWindow,
  part: TenantPart,
  replicas: readonly number[],
  ring: Ring,
  groups: Groups,
  firstClass: number,
): number {
  const {series} = window;
  const {nodes} = ring;
  const hashes = ringHashes(window, part.tenant);
  const owners = replicas.map((replica) => ownersOf(ring, hashes, series, replica));
  const count = part.list?.length ?? series;
  const classOf = new Uint32Array(count);
  const classes: Class[] = [];
  const known = new ClassTable(nodes.length, owners.length);
  for (let i = 0; i < count; i++) {
    const s = part.list === undefined ? i : (part.list[i] as number);
    let key = 0;
    for (const column of owners) key = key * nodes.length + (column[s] as number);
    let c = known.get(key);
    if (c < 0) {
      c = classes.length;
      known.set(key, c);
      const targets = owners.map((column, r) =>
        groups.of(nodes[column[s] as number] as Endpoint, replicas[r] as number),
      );
      for (const group of targets) group.classes.add(firstClass + c);
      classes.push({groups: [...new Set(targets)], size: 0});
    }
    const found = classes[c] as Class;
    found.size++;
    classOf[i] = c;
  }
  fill(part, classes, classOf, series);
  return classes.length;
}

/** Gives each group the numbers of its series, in the request's order: those who look them up expect it. */
function fill(part: TenantPart, classes: readonly Class[], classOf: Uint32Array, series: number): void {
  const targets = new Set(classes.flatMap(({groups}) => groups));
  for (const group of targets) group.size = 0;
  for (const {groups, size} of classes) for (const group of groups) group.size += size;
  for (const group of targets) {
    group.list = new Uint32Array(group.size);
    group.size = 0;
  }
  for (let i = 0; i < classOf.length; i++) {
    const s = part.list === undefined ? i : (part.list[i] as number);
    const {groups} = classes[classOf[i] as number] as Class;
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g] as Group;
      group.list[group.size++] = s;
    }
  }
  for (const group of targets) {
    group.parts.push({tenant: part.tenant, list: group.size === series ? undefined : group.list});
  }
}

/** The nodes that hold the replica of each of the window's series. */
function ownersOf(ring: Ring, hashes: number, series: number, replica: number): Uint32Array {
  const out = hashes + 8 * series;
  ring.place(hashes, series, replica, out);
  return kernel()
    .u32()
    .slice(out >>> 2, (out >>> 2) + series);
}

/** Up to so many combinations are looked up in an array, which is several times quicker than a map. */
const MAX_TABLE = 1 << 16;

/** Numbers of classes by combination of nodes. */
class ClassTable {
  readonly #table: Int32Array | undefined;
  readonly #map = new Map<number, number>();

  constructor(nodes: number, replicas: number) {
    const size = nodes ** replicas;
    this.#table = size <= MAX_TABLE ? new Int32Array(size).fill(-1) : undefined;
  }

  /** −1 where there is none. */
  get(key: number): number {
    return this.#table === undefined ? (this.#map.get(key) ?? -1) : (this.#table[key] as number);
  }

  set(key: number, value: number): void {
    if (this.#table === undefined) this.#map.set(key, value);
    else this.#table[key] = value;
  }
}
