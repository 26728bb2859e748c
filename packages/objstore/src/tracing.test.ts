import assert from "node:assert/strict";
import {test} from "node:test";
import {nullTracer, type Span, type Tracer} from "@strata/telemetry";
import {readObject, uploadBytes} from "./object-io.ts";
import {bucketAcceptance, MemoryBucket} from "./testing/index.ts";
import {traced} from "./tracing.ts";

const never = new AbortController().signal;

/** Notes spans as "name", with "!" once they failed and "." when they ended. */
function notingTracer(): {tracer: Tracer; spans: string[]} {
  const spans: string[] = [];
  const start = (name: string): Span => {
    const at = spans.push(name) - 1;
    const note = (mark: string) => {
      spans[at] += mark;
    };
    return {context: undefined, set: () => {}, fail: () => note("!"), end: () => note(".")};
  };
  const span: Tracer["span"] = (name, _, fn) => {
    const span = start(name);
    const result = fn(span);
    void Promise.resolve(result)
      .catch((err) => span.fail(err))
      .finally(() => span.end());
    return result;
  };
  return {tracer: {enabled: true, span, start, current: () => undefined, close: async () => {}}, spans};
}

bucketAcceptance("traced", async () => ({
  bucket: traced(new MemoryBucket(), notingTracer().tracer),
  remove: async () => {},
}));

test("every operation has a span, which ends and says whether it failed", async () => {
  const {tracer, spans} = notingTracer();
  const bucket = traced(new MemoryBucket(), tracer);
  await uploadBytes(bucket, "k", new Uint8Array(3), never);
  await readObject(bucket, "k", 10, never);
  await bucket.getRange("k", 0, 1, never);
  await bucket.exists("k", never);
  await assert.rejects(bucket.attributes("none", never));
  for await (const _ of bucket.list("", {}, never));
  await bucket.delete("k", never);
  await new Promise(setImmediate);
  assert.deepEqual(spans, [
    "bucket_upload.",
    "bucket_get.",
    "bucket_getrange.",
    "bucket_exists.",
    "bucket_attributes!.",
    "bucket_iter.",
    "bucket_delete.",
  ]);
});

test("nothing is wrapped where nothing is traced", () => {
  const inner = new MemoryBucket();
  assert.equal(traced(inner, nullTracer()), inner);
});
