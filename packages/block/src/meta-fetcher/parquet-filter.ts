import {errorText, forEachLimit, withContext} from "@strata/base";
import {parseUlid} from "@strata/model";
import {type Bucket, readObject} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb/blocks";
import {groupKey} from "../external-labels.ts";
import type {MetaFilter} from "./filters.ts";

/** One such object beside the files of each day of converted data. */
const CONVERTED_META = "meta.pb";

/** Of its fields the one that names, again and again, the blocks that a day was converted from. */
const SOURCE_BLOCK_FIELD = 6;

/** A day made from ten thousand blocks takes a quarter of it. */
const MAX_CONVERTED_META_BYTES = 1 << 20;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Drops blocks that were converted to Parquet, as the bucket `converted` of those files says: `--objstore-parquet.config`.
 * Conversion cuts at the bounds of days (UTC), so a block goes only when every day that it touches is covered without a
 * gap by converted blocks of its group; what reaches into another day is served on. While the bucket cannot be read, what
 * it said last holds: at the worst a block is served twice. The bucket is not closed.
 */
export function parquetConvertedFilter(converted: Bucket, concurrency: number, logger: Logger): MetaFilter {
  let sources: ReadonlySet<string> = new Set();
  return {
    async apply(metas, counts, signal) {
      try {
        sources = await convertedBlocks(converted, concurrency, signal);
      } catch (err) {
        if (signal.aborted) throw err;
        logger.warn("cannot see which blocks were converted to Parquet", {err: errorText(err)});
      }
      const groups = new Map<string, BlockMeta[]>();
      for (const ulid of sources) {
        const meta = metas.get(ulid);
        if (meta === undefined) continue;
        const key = groupKey(meta);
        groups.set(key, [...(groups.get(key) ?? []), meta]);
      }
      for (const group of groups.values()) {
        for (const ulid of coveredBlocks(group)) {
          metas.delete(ulid);
          counts.add("parquet-converted");
        }
      }
    },
  };
}

/** Ids of all blocks that some day of the bucket was made from. */
async function convertedBlocks(bucket: Bucket, concurrency: number, signal: AbortSignal): Promise<Set<string>> {
  const found = new Set<string>();
  const keys: string[] = [];
  for await (const {name} of bucket.list("", {recursive: true}, signal)) {
    if (name.split("/").at(-1) === CONVERTED_META) keys.push(name);
  }
  await forEachLimit(keys, Math.max(1, concurrency), async (key) => {
    try {
      const bytes = await readObject(bucket, key, MAX_CONVERTED_META_BYTES, signal);
      for (const ulid of await sourcesOf(bytes, key)) found.add(ulid);
    } catch (err) {
      throw withContext(err, `cannot read what was converted to Parquet: ${key}`);
    }
  });
  return found;
}

async function sourcesOf(bytes: Uint8Array, key: string): Promise<string[]> {
  // PERF: files that whoever reads blocks starts without, unless there is such an object.
  const {WireReader} = await import("@strata/proto");
  const reader = new WireReader(bytes, key);
  const ulids: string[] = [];
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag !== ((SOURCE_BLOCK_FIELD << 3) | 2)) {
      reader.skip(tag);
      continue;
    }
    const ulid = reader.string();
    if (parseUlid(ulid) !== ulid) throw reader.fail("a source that is not the id of a block");
    ulids.push(ulid);
  }
  return ulids;
}

/** Of blocks of one group those each of whose days is covered whole by the group. */
function coveredBlocks(group: readonly BlockMeta[]): string[] {
  const sorted = [...group].sort((a, b) => a.minTime - b.minTime);
  // Stretches without a gap, ends exclusive.
  const stretches: {from: number; to: number}[] = [];
  for (const {minTime, maxTime} of sorted) {
    const last = stretches.at(-1);
    if (last !== undefined && minTime <= last.to) last.to = Math.max(last.to, maxTime);
    else stretches.push({from: minTime, to: maxTime});
  }
  return sorted.flatMap(({ulid, minTime, maxTime}) => {
    const from = Math.floor(minTime / DAY_MS) * DAY_MS;
    const to = Math.ceil(maxTime / DAY_MS) * DAY_MS;
    return stretches.some((stretch) => stretch.from <= from && to <= stretch.to) ? [ulid] : [];
  });
}
