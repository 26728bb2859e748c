import {BaseFetcher, MetaFetcher, type MetaFilter} from "@strata/block";
import {type Bucket, bucketFromConfig} from "@strata/objstore";
import {type Logger, newLogger, newRegistry} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";
import type {Content} from "../flags/content.ts";
import type {globalFlags} from "../flags/shared.ts";
import type {FlagTable, FlagValues} from "../flags/spec.ts";
import {type Output, toolCommand} from "./tools-output.ts";
import type {CommandContext, CommandModule} from "./tree.ts";

/** Metas read at once. Compat: the original's number, which no flag changes. */
const CONCURRENCY = 32;

/** What a tool over a bucket works with. */
export type BucketWork = {
  readonly bucket: Bucket;
  readonly log: Logger;
  readonly out: Output;
  readonly signal: AbortSignal;
};

/** A tool over the bucket of `--objstore.config`, which is opened for it and closed after it. */
export function bucketTool<T extends FlagTable>(
  flags: T,
  run: (context: CommandContext<T>, work: BucketWork) => Promise<void>,
): CommandModule {
  return toolCommand(flags, [], async (context, {out, signal}) => {
    const values = context.flags as unknown as FlagValues<typeof globalFlags> & {readonly "objstore.config": Content};
    const log = newLogger({
      level: values["log.level"],
      format: values["log.format"],
      name: values["debug.name"],
    });
    const bucket = await values["objstore.config"].parse(bucketFromConfig);
    try {
      await run(context, {bucket, log, out, signal});
    } finally {
      await bucket.close();
    }
  });
}

/**
 * The blocks of the bucket that pass the filters, by ULID. Throws when a meta.json cannot be read within `timeoutMs`;
 * blocks without a usable one are left out.
 */
export async function bucketBlocks(
  {bucket, log, signal}: BucketWork,
  timeoutMs: number,
  filters: readonly MetaFilter[],
): Promise<BlockMeta[]> {
  const base = new BaseFetcher({bucket, concurrency: CONCURRENCY, logger: log});
  const fetcher = new MetaFetcher(base, filters, newRegistry());
  const {metas, incomplete} = await fetcher.fetch(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  if (incomplete !== undefined) throw incomplete;
  return [...metas.values()].sort((a, b) => (a.ulid < b.ulid ? -1 : 1));
}
