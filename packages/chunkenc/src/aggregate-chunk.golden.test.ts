import assert from "node:assert/strict";
import {test} from "node:test";
import {AGGREGATES, joinAggregates, splitAggregates} from "./aggregate-chunk.ts";
import {chunkSamples, decodeChunk} from "./decode-chunk.ts";
import {ENCODING, encodingName} from "./encoding.ts";
import {goldenChunks} from "./testing/golden-chunks.ts";
import {goldenFloats, goldenHistograms} from "./testing/golden-form.ts";

test("aggregate chunks of golden downsampled blocks split into the dumped columns, and are joined again", () => {
  let chunks = 0;
  for (const golden of goldenChunks("storage", "downsampling")) {
    if (golden.encodingByte !== ENCODING.aggregate) continue;
    const parts = splitAggregates(golden.data, 0, golden.data.length);
    AGGREGATES.forEach((name, i) => {
      const part = parts[i];
      const want = golden.aggregate?.[name];
      if (part === undefined) {
        assert.equal(want, undefined, `${golden.where} ${name}`);
        return;
      }
      assert.equal(encodingName(part.encoding), want?.encoding, golden.where);
      const decoded = decodeChunk(part.encoding, golden.data, part.from, part.length);
      if (decoded.kind === "floats") assert.deepEqual(goldenFloats(decoded.columns), want?.samples, golden.where);
      else if (decoded.kind === "histograms") assert.deepEqual(goldenHistograms(decoded.columns), want?.samples);
      else assert.fail("an aggregate inside an aggregate");
    });
    const count = golden.aggregate?.count?.samples.length ?? 0;
    assert.equal(chunkSamples(ENCODING.aggregate, golden.data, 0, golden.data.length), count);
    const inner = parts.map((p) => p && {encoding: p.encoding, data: golden.data.subarray(p.from, p.from + p.length)});
    assert.deepEqual(Buffer.from(joinAggregates(inner)), Buffer.from(golden.data));
    chunks++;
  }
  assert.ok(chunks > 0);
});
