import {BaseFetcher, MetaFetcher, type MetaFilter} from "@strata/block";
import {type Bucket, bucketFromConfig} from "@strata/objstore";
import {type Logger, newLogger, newRegistry} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";
import type {Content} from "../flags/content.ts";
import type {globalFlags} from "../flags/shared.ts";
import type {FlagTable, FlagValues} from "../flags/spec.ts";
import type {CommandContext} from "./tree.ts";

/** Metas read at once. Compat: the original's number, which no flag changes. */
const CONCURRENCY = 32;

type BucketFlags = {readonly "objstore.config": Content; readonly timeout: number};

/**
 * The blocks of the bucket that pass the filters, by ULID; `filters` may read the bucket. Throws when a meta.json cannot
 * be read in time; blocks without a usable one are left out.
 */
export async function bucketBlocks<T extends FlagTable>(
  {flags}: CommandContext<T>,
  signal: AbortSignal,
  filters: (bucket: Bucket, log: Logger) => readonly MetaFilter[] | Promise<readonly MetaFilter[]>,
): Promise<BlockMeta[]> {
  const {"objstore.config": config, timeout} = flags as unknown as BucketFlags;
  const globals = flags as unknown as FlagValues<typeof globalFlags>;
  const logger = newLogger({
    level: globals["log.level"],
    format: globals["log.format"],
    name: globals["debug.name"],
  });
  const bucket = await bucketFromConfig(await config.read());
  try {
    const base = new BaseFetcher({bucket, concurrency: CONCURRENCY, logger});
    const fetcher = new MetaFetcher(base, await filters(bucket, logger), newRegistry());
    const {metas, incomplete} = await fetcher.fetch(AbortSignal.any([signal, AbortSignal.timeout(timeout)]));
    if (incomplete !== undefined) throw incomplete;
    return [...metas.values()].sort((a, b) => (a.ulid < b.ulid ? -1 : 1));
  } finally {
    await bucket.close();
  }
}
