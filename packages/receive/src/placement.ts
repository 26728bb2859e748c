import {kernel, SERIES_FIELD, SERIES_WORDS, type WriteWindow} from "@strata/kernels";
import type {Endpoint} from "./endpoint.ts";
import type {Hashrings} from "./hashrings.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {ringHashes} from "./ring-hashes.ts";

/** What goes to one endpoint as one replica. */
export type Placement = {
  readonly endpoint: Endpoint;
  /** From 0. */
  readonly replica: number;
  readonly parts: TenantPart[];
  /** Classes of the series in it; see Placements. */
  readonly classes: Set<number>;
};

/** Where a request goes. Series that share all their endpoints are one class: they succeed and fail together. */
export type Placements = {readonly groups: readonly Placement[]; readonly classes: number};

/** Finds the endpoints of all series. Throws `internal` when a tenant has no ring, or a ring too few nodes. */
export function placeSeries(
  window: WriteWindow,
  parts: readonly TenantPart[],
  replicas: readonly number[],
  rings: Hashrings,
): Placements {
  const groups = new Map<string, Placement>();
  let classes = 0;
  for (const part of parts) {
    const {nodes, owners} = ownersOf(window, part.tenant, replicas, rings);
    const numbers = part.list ?? all(window.series);
    const {classOf, count} = classify(numbers, owners, nodes.length, classes);
    classes += count;
    owners.forEach((column, r) => {
      const replica = replicas[r] as number;
      for (const [node, list] of bucketsOf(numbers, column, nodes.length)) {
        const endpoint = nodes[node] as Endpoint;
        const key = `${replica} ${endpoint.address}`;
        let group = groups.get(key);
        if (group === undefined) {
          group = {endpoint, replica, parts: [], classes: new Set()};
          groups.set(key, group);
        }
        for (const i of list) group.classes.add(classOf[i] as number);
        group.parts.push({tenant: part.tenant, list: list.length === window.series ? undefined : list});
      }
    });
  }
  return {groups: [...groups.values()], classes};
}

const all = (n: number): Uint32Array => Uint32Array.from({length: n}, (_, i) => i);

/** For each replica the node of each of the window's series. */
function ownersOf(
  window: WriteWindow,
  tenant: string,
  replicas: readonly number[],
  rings: Hashrings,
): {nodes: readonly Endpoint[]; owners: Uint32Array[]} {
  const ring = rings.ringOf(tenant);
  const {series} = window;
  const hashes = ringHashes(window, tenant);
  const out = hashes + 8 * series;
  const owners = replicas.map((replica) => {
    ring.place(hashes, series, replica, out);
    return kernel()
      .u32()
      .slice(out >>> 2, (out >>> 2) + series);
  });
  return {nodes: ring.nodes, owners};
}

/** Numbers the combinations of nodes from `first` on. */
function classify(
  numbers: Uint32Array,
  owners: readonly Uint32Array[],
  nodes: number,
  first: number,
): {classOf: Uint32Array; count: number} {
  const classOf = new Uint32Array(owners[0]?.length ?? 0);
  const known = new Map<number, number>();
  for (const i of numbers) {
    let key = 0;
    for (const column of owners) key = key * nodes + (column[i] as number);
    let found = known.get(key);
    if (found === undefined) {
      found = first + known.size;
      known.set(key, found);
    }
    classOf[i] = found;
  }
  return {classOf, count: known.size};
}

/** The series of each node, in the request's order. */
function bucketsOf(numbers: Uint32Array, owner: Uint32Array, nodes: number): Map<number, Uint32Array> {
  const sizes = new Uint32Array(nodes);
  for (const i of numbers) {
    const node = owner[i] as number;
    sizes[node] = (sizes[node] as number) + 1;
  }
  const buckets = new Map<number, Uint32Array>();
  sizes.forEach((size, node) => {
    if (size > 0) buckets.set(node, new Uint32Array(size));
  });
  sizes.fill(0);
  for (const i of numbers) {
    const node = owner[i] as number;
    const at = sizes[node] as number;
    (buckets.get(node) as Uint32Array)[at] = i;
    sizes[node] = at + 1;
  }
  return buckets;
}

/** One tenant's series as field 4 of a peer's request: { 1 series…   2 tenant }. */
export function encodeTuple(window: WriteWindow, {tenant, list}: TenantPart): Buffer {
  const k = kernel();
  const numbers = list ?? all(window.series);
  let u32 = k.u32();
  const first = window.entries >>> 2;
  let size = 0;
  for (const i of numbers) {
    const entry = first + SERIES_WORDS * i;
    size += (u32[entry + SERIES_FIELD.to] as number) - (u32[entry + SERIES_FIELD.from] as number);
  }
  const name = Buffer.from(tenant);
  const nameHead = head(0x12, name.length);
  const tupleHead = head(0x22, size + nameHead.length + name.length);
  const listAt = k.scratch(4 * numbers.length + 16 + size);
  const target = listAt + ((4 * numbers.length + 15) & ~15);
  u32 = k.u32();
  u32.set(numbers, listAt >>> 2);
  k.exports.writeGather(window.src, window.entries, listAt, numbers.length, target);
  const out = Buffer.allocUnsafe(tupleHead.length + size + nameHead.length + name.length);
  out.set(tupleHead, 0);
  out.set(k.u8().subarray(target, target + size), tupleHead.length);
  out.set(nameHead, tupleHead.length + size);
  out.set(name, tupleHead.length + size + nameHead.length);
  return out;
}

/** A field's tag and the length of its content. */
function head(tag: number, length: number): number[] {
  const bytes = [tag];
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}
