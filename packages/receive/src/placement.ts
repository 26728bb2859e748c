import {kernel, SERIES_FIELD, SERIES_WORDS, type WriteWindow} from "@strata/kernels";
import type {Endpoint} from "./endpoint.ts";
import {PLACED_FIELD} from "./grpc-writes.ts";
import type {Hashrings} from "./hashrings.ts";
import {PLACED} from "./peer.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {ringHashes} from "./ring-hashes.ts";

/** What goes to one endpoint as one replica. */
export type Placement = {
  readonly endpoint: Endpoint;
  /** From 0; PLACED for several in one. */
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
  const groupOf = (endpoint: Endpoint, replica: number): Placement => {
    const key = `${replica} ${endpoint.address}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = {endpoint, replica, parts: [], classes: new Set()};
      groups.set(key, group);
    }
    return group;
  };
  let classes = 0;
  for (const part of parts) {
    const {nodes, owners} = ownersOf(window, part.tenant, replicas, rings);
    const numbers = part.list ?? all(window.series);
    for (const combination of combinationsOf(numbers, owners, nodes.length)) {
      combination.forEach((node, r) => {
        groupOf(nodes[node] as Endpoint, replicas[r] as number).classes.add(classes);
      });
      classes++;
    }
    owners.forEach((column, r) => {
      for (const [node, list] of bucketsOf(numbers, column, nodes.length)) {
        const whole = list.length === window.series;
        const group = groupOf(nodes[node] as Endpoint, replicas[r] as number);
        group.parts.push({tenant: part.tenant, list: whole ? undefined : list});
      }
    });
  }
  return {groups: [...groups.values()], classes};
}

/**
 * One group for all replicas of an endpoint that `joins` allows it for: a series has each endpoint once. `series` are in the
 * window.
 */
export function joinReplicas(
  groups: readonly Placement[],
  joins: (group: Placement) => boolean,
  series: number,
): Placement[] {
  const out: Placement[] = [];
  const joined = new Map<string, Placement>();
  for (const group of groups) {
    if (!joins(group)) {
      out.push(group);
      continue;
    }
    const known = joined.get(group.endpoint.address);
    if (known === undefined) {
      const first = {...group, replica: PLACED, parts: [...group.parts], classes: new Set(group.classes)};
      joined.set(group.endpoint.address, first);
      out.push(first);
      continue;
    }
    for (const c of group.classes) known.classes.add(c);
    for (const part of group.parts) addPart(known.parts, part, series);
  }
  return out;
}

function addPart(parts: TenantPart[], part: TenantPart, series: number): void {
  const at = parts.findIndex(({tenant}) => tenant === part.tenant);
  const known = parts[at];
  if (known?.list === undefined || part.list === undefined) {
    if (known === undefined) parts.push(part);
    return;
  }
  const list = new Uint32Array(known.list.length + part.list.length);
  list.set(known.list);
  list.set(part.list, known.list.length);
  // In the request's order, which those who look series up expect to be the same each time.
  list.sort();
  parts[at] = {tenant: part.tenant, list: list.length === series ? undefined : list};
}

/** The numbers below `n`; a view of a column that is kept. */
function all(n: number): Uint32Array {
  if (n > counting.length) counting = Uint32Array.from({length: 2 * n}, (_, i) => i);
  return counting.subarray(0, n);
}

let counting = new Uint32Array(0);

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

/** Up to so many combinations are looked up in an array, which is several times quicker than a map. */
const MAX_TABLE = 1 << 16;

/** The distinct combinations of nodes, one for each class of series. */
function combinationsOf(numbers: Uint32Array, owners: readonly Uint32Array[], nodes: number): number[][] {
  const size = nodes ** owners.length;
  const table = size <= MAX_TABLE ? new Uint8Array(size) : undefined;
  const seen = new Set<number>();
  const found: number[][] = [];
  for (const i of numbers) {
    let key = 0;
    for (const column of owners) key = key * nodes + (column[i] as number);
    if (table === undefined) {
      if (seen.has(key)) continue;
      seen.add(key);
    } else {
      if (table[key] === 1) continue;
      table[key] = 1;
    }
    found.push(owners.map((column) => column[i] as number));
  }
  return found;
}

/** The series of each node, in the request's order. */
function bucketsOf(numbers: Uint32Array, owner: Uint32Array, nodes: number): Map<number, Uint32Array> {
  const sizes = new Uint32Array(nodes);
  for (const i of numbers) {
    const node = owner[i] as number;
    sizes[node] = (sizes[node] as number) + 1;
  }
  const buckets = new Map<number, Uint32Array>();
  const first = owner[numbers[0] as number] as number;
  if (sizes[first] === numbers.length) return buckets.set(first, numbers);
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

/**
 * One tenant's series as field 4 of a peer's request, { 1 series…   2 tenant }, and whose copy they are. Several behind one
 * another are a request, too.
 */
export function encodeTuple(window: WriteWindow, {tenant, list}: TenantPart, replica: number): Buffer {
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
  const tail = replica === PLACED ? PLACED_FIELD : head(0x18, replica);
  const out = Buffer.allocUnsafe(tupleHead.length + size + nameHead.length + name.length + tail.length);
  out.set(tupleHead, 0);
  out.set(k.u8().subarray(target, target + size), tupleHead.length);
  out.set(nameHead, tupleHead.length + size);
  out.set(name, tupleHead.length + size + nameHead.length);
  out.set(tail, out.length - tail.length);
  return out;
}

/** A field's tag and a varint: the length of its content, or its value. */
function head(tag: number, length: number): number[] {
  const bytes = [tag];
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}
