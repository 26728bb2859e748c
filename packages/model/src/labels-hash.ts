import {type Hash64, xxhash64, xxhash64Words} from "@strata/bytes";
import type {Labels} from "./labels.ts";

const SEPARATOR = 0xff;

/** A chosen set of labels spreads series over `total` shards: only the listed ones (`by`) or all but them. */
export type ShardLabels = {readonly total: number; readonly by: boolean; readonly labels: readonly string[]};

/**
 * The stable hash of a label set: XXH64 (seed 0) over name 0xFF value 0xFF of each label in order. Equals Prometheus'
 * StableHash and Thanos' Labels.Hash (tsdb-format.md §8).
 */
export function labelsHash(labels: Labels): bigint {
  const end = writeAll(labels); // may replace the scratch buffer
  return xxhash64(scratch, 0, end);
}

/** Which shard of `shard.total` (at least 1) a series belongs to; StoreAPI ShardInfo (grpc.md §4.2). */
export function shardOf(labels: Labels, shard: ShardLabels): number {
  let end = 0;
  const pairs = labels.pairs;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    if (shard.labels.includes(name) === shard.by) end = writePair(name, pairs[i + 1] as string, end);
  }
  xxhash64Words(scratch, 0, end, hash);
  const total = shard.total;
  // hi·2³² + lo modulo total without leaving the exact integers, for any total a request can ask for in earnest.
  if (total < 2 ** 20) return ((hash.hi % total) * (2 ** 32 % total) + hash.lo) % total;
  return Number(((BigInt(hash.hi) << 32n) | BigInt(hash.lo)) % BigInt(total));
}

const encoder = new TextEncoder();
const hash: Hash64 = {hi: 0, lo: 0};
let scratch = new Uint8Array(1024);

function writeAll(labels: Labels): number {
  let end = 0;
  const pairs = labels.pairs;
  for (let i = 0; i < pairs.length; i += 2) end = writePair(pairs[i] as string, pairs[i + 1] as string, end);
  return end;
}

function writePair(name: string, value: string, at: number): number {
  // A UTF-16 unit takes at most three bytes.
  const room = at + (name.length + value.length) * 3 + 2;
  if (room > scratch.length) {
    const grown = new Uint8Array(room * 2);
    grown.set(scratch.subarray(0, at));
    scratch = grown;
  }
  let end = writeText(name, at);
  scratch[end++] = SEPARATOR;
  end = writeText(value, end);
  scratch[end++] = SEPARATOR;
  return end;
}

/** PERF: names and values are short and ASCII; the encoder's call costs more than this loop. */
function writeText(text: string, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return at + encoder.encodeInto(text, scratch.subarray(at)).written;
    scratch[at + i] = unit;
  }
  return at + text.length;
}
