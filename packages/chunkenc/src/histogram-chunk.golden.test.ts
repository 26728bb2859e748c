import assert from "node:assert/strict";
import {test} from "node:test";
import {type Encoding, isHistogramEncoding} from "./encoding.ts";
import {decodeFloatHistograms, decodeHistograms} from "./histogram-chunk.ts";
import {goldenChunks} from "./testing/golden-chunks.ts";
import {floatForm, goldenHistograms} from "./testing/golden-form.ts";

for (const folder of ["blocks", "compaction", "downsampling", "bucket"]) {
  test(`histogram chunks of golden ${folder} read as dumped`, () => {
    let chunks = 0;
    for (const golden of goldenChunks("storage", folder)) {
      if (!isHistogramEncoding(golden.encodingByte)) continue;
      const encoding = golden.encodingByte as Encoding;
      const columns = decodeHistograms(encoding, golden.data, 0, golden.data.length);
      assert.deepEqual(goldenHistograms(columns), golden.samples, golden.where);
      const names = ["unknown", "reset", "not_reset", "gauge"];
      assert.equal(names[columns.resetHeader], golden.resetHeader, golden.where);
      const asFloat = decodeFloatHistograms(encoding, golden.data, 0, golden.data.length);
      assert.deepEqual(floatForm(asFloat), floatForm(columns), golden.where);
      chunks++;
    }
    if (folder === "blocks") assert.ok(chunks > 0);
  });
}
