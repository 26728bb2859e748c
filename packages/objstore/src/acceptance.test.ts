import {mkdtemp, rm} from "node:fs/promises";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {FilesystemBucket} from "./filesystem.ts";
import {prefixed} from "./prefix.ts";
import {bucketAcceptance, FaultyBucket, MemoryBucket} from "./testing/index.ts";

const nothing = async () => {};

bucketAcceptance("memory", async () => ({bucket: new MemoryBucket(), remove: nothing}));

bucketAcceptance("filesystem", async () => {
  const directory = await mkdtemp(join(tmpdir(), "strata-bucket-"));
  return {
    bucket: new FilesystemBucket(join(directory, "not", "there", "yet")),
    remove: () => rm(directory, {recursive: true}),
  };
});

bucketAcceptance("prefix", async () => {
  const inner = new MemoryBucket();
  inner.put("tenant-b/k", "not visible");
  return {bucket: prefixed(inner, "/tenant/deep/"), remove: nothing};
});

bucketAcceptance("faulty without faults", async () => ({
  bucket: new FaultyBucket(new MemoryBucket()),
  remove: nothing,
}));
