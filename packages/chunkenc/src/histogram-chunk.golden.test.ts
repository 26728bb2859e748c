import assert from "node:assert/strict";
import {test} from "node:test";
import {type Encoding, isHistogramEncoding} from "./encoding.ts";
import {decodeFloatHistograms, decodeHistograms, histogramAt} from "./histogram-chunk.ts";
import {encodeHistograms, HistogramChunkWriter} from "./histogram-writer.ts";
import {goldenChunks} from "./testing/golden-chunks.ts";
import {floatForm, goldenHistograms} from "./testing/golden-form.ts";

const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

for (const folder of ["blocks", "compaction", "downsampling", "bucket"]) {
  test(`histogram chunks of golden ${folder} read as dumped, and are written again byte for byte`, () => {
    let chunks = 0;
    for (const golden of goldenChunks("storage", folder)) {
      if (!isHistogramEncoding(golden.encodingByte)) continue;
      const encoding = golden.encodingByte as Encoding;
      const columns = decodeHistograms(encoding, golden.data, 0, golden.data.length);
      assert.deepEqual(goldenHistograms(columns), golden.samples, golden.where);
      const names = ["unknown", "reset", "not_reset", "gauge"];
      assert.equal(names[columns.resetHeader], golden.resetHeader, golden.where);
      const again = encodeHistograms(columns);
      assert.equal(again.encoding, encoding);
      assert.equal(hex(again.data), hex(golden.data), golden.where);
      // Sample by sample, the decisions of the Go original come out the same; only the header may need what lies before.
      const writer = new HistogramChunkWriter(columns.kind, {perChunk: 65535, startTimes: columns.st !== undefined});
      for (let i = 0; i < columns.n; i++) {
        writer.append(columns.t[i] as number, histogramAt(columns, i), columns.st?.[i]);
      }
      const written = writer.finish();
      assert.equal(written.length, 1, golden.where);
      const [chunk] = written;
      const headerAt = columns.st === undefined ? 2 : 0;
      chunk!.data[headerAt] = golden.data[headerAt] as number;
      assert.equal(hex(chunk!.data), hex(golden.data), golden.where);
      const asFloat = decodeFloatHistograms(encoding, golden.data, 0, golden.data.length);
      assert.deepEqual(floatForm(asFloat), floatForm(columns), golden.where);
      chunks++;
    }
    if (folder === "blocks") assert.ok(chunks > 0);
  });
}
