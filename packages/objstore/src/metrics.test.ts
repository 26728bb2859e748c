import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {newRegistry} from "@strata/telemetry";
import {metered} from "./metrics.ts";
import {readObject, uploadBytes} from "./object-io.ts";
import {bucketAcceptance, FaultyBucket, MemoryBucket} from "./testing/index.ts";

const never = new AbortController().signal;

bucketAcceptance("metered", async () => ({
  bucket: metered(new MemoryBucket(), newRegistry()),
  remove: async () => {},
}));

test("operations, failures and bytes are counted; missing objects and callers who left are no failures", async () => {
  const registry = newRegistry();
  const faulty = new FaultyBucket(new MemoryBucket("m"));
  const bucket = metered(faulty, registry);
  await uploadBytes(bucket, "k", new Uint8Array(100), never);
  await readObject(bucket, "k", 1000, never);
  await bucket.getRange("k", 10, 20, never);
  await assert.rejects(bucket.attributes("none", never));
  await assert.rejects(bucket.exists("k", AbortSignal.abort()));
  faulty.before = () => {
    throw new StrataError("unavailable", "503");
  };
  await assert.rejects(bucket.getRange("k", 0, 1, never));

  const value = await samples(registry);
  const of = (name: string, operation: string) => value(`thanos_objstore_bucket_${name}`, operation);
  assert.equal(of("operations_total", "upload"), 1);
  assert.equal(of("operations_total", "get"), 1);
  assert.equal(of("operations_total", "get_range"), 2);
  assert.equal(of("operations_total", "iter"), 0);
  assert.equal(of("operation_failures_total", "get_range"), 1);
  assert.equal(of("operation_failures_total", "attributes"), 0);
  assert.equal(of("operation_failures_total", "exists"), 0);
  assert.equal(of("operation_fetched_bytes_total", "get"), 100);
  assert.equal(of("operation_fetched_bytes_total", "get_range"), 20);
  assert.equal(of("operation_duration_seconds_count", "get"), 1);
  assert.equal(of("operation_transferred_bytes_sum", "upload"), 100);
});

async function samples(registry: ReturnType<typeof newRegistry>) {
  const all = (await registry.gather()).flatMap((family) => family.samples);
  return (name: string, operation: string): number | undefined =>
    all.find((s) => s.name === name && s.labels.some(([n, v]) => n === "operation" && v === operation))?.value;
}
