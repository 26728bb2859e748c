import {mkdirSync} from "node:fs";
import {join} from "node:path";
import {Shipper} from "@strata/block";
import {Labels} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {type DemoHistory, writeDemoHistory} from "@strata/standalone";
import {newRegistry, nullLogger} from "@strata/telemetry";

/** External labels of the blocks; `replica` is meant to be the replica label. */
export const EXTERNAL = {cluster: "demo", replica: "a"};

/** A bucket in a directory, and what `--objstore.config` has to say of it. */
export type DemoBucket = {readonly dir: string; readonly objstore: string; readonly history: DemoHistory};

/** Ships the demo history that ends at the last block boundary before `now` (ms) to `<dir>/bucket`. */
export async function demoBucket(dir: string, now: number): Promise<DemoBucket> {
  const source = join(dir, "source");
  const bucket = join(dir, "bucket");
  mkdirSync(source);
  mkdirSync(bucket);
  const history = await writeDemoHistory(source, now);
  const labels = Labels.fromObject(EXTERNAL);
  const shipper = new Shipper({
    dir: source,
    bucket: new FilesystemBucket(bucket),
    labels: () => labels,
    source: "sidecar",
    uploadCompacted: false,
    logger: nullLogger(),
    registry: newRegistry(),
  });
  await shipper.sync(new AbortController().signal);
  return {dir: bucket, objstore: `type: FILESYSTEM\nconfig:\n  directory: ${bucket}\n`, history};
}
