import {xxhash64} from "@strata/bytes";

/**
 * Servers in natural order: runs of digits compare as numbers, all else by bytes, and a shorter name that begins a longer
 * one comes first. Gateways with the same list so agree on the server of a key.
 */
export function naturalOrder(servers: readonly string[]): readonly string[] {
  return [...servers].sort(compareNatural);
}

function compareNatural(a: string, b: string): number {
  const partsOfA = a.match(/\d+|\D+/g) ?? [];
  const partsOfB = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(partsOfA.length, partsOfB.length); i++) {
    const x = partsOfA[i] as string;
    const y = partsOfB[i] as string;
    const numbers = /^\d/.test(x) && /^\d/.test(y);
    if (numbers && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (!numbers && x !== y) return x < y ? -1 : 1;
  }
  return partsOfA.length - partsOfB.length;
}

/**
 * The server of a key, by number: jump consistent hash (Lamping and Veach) over XXH64, as Thanos chooses, so that a cache
 * can be shared with it and adding a server moves only its share of the keys.
 */
export function serverOf(key: string, servers: number): number {
  if (servers <= 1) return 0;
  const bytes = Buffer.from(key);
  let state = xxhash64(bytes, 0, bytes.length);
  let bucket = -1;
  let next = 0;
  while (next < servers) {
    bucket = next;
    state = BigInt.asUintN(64, state * 2862933555777941757n + 1n);
    next = Math.floor((bucket + 1) * (2 ** 31 / (Number(state >> 33n) + 1)));
  }
  return bucket;
}
