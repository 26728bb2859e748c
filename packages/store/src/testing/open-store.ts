import {join} from "node:path";
import {tempDir} from "@strata/base/testing";
import {BaseFetcher, DuplicateFilter, MetaFetcher} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import {newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import {BucketStore, type BucketStoreOptions} from "../bucket-store.ts";

/** A store over `bucket`, synced once, closed with the test. */
export async function openStore(
  t: Parameters<typeof tempDir>[0],
  bucket: Bucket,
  options: Partial<BucketStoreOptions> = {},
): Promise<{store: BucketStore; registry: Registry; dataDir: string}> {
  const registry = options.registry ?? newRegistry();
  const dataDir = options.dataDir ?? join(tempDir(t), "data");
  const base = new BaseFetcher({bucket, cacheDir: dataDir, concurrency: 8, logger: nullLogger()});
  const fetcher = new MetaFetcher(base, [new DuplicateFilter()], registry);
  const store = new BucketStore({bucket, fetcher, dataDir, logger: nullLogger(), registry, ...options});
  t.after(() => store.close());
  await store.sync(new AbortController().signal);
  return {store, registry, dataDir};
}
