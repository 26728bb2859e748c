import assert from "node:assert/strict";
import {test} from "node:test";
import {crc32c} from "@strata/bytes";
import {ENCODING, encodingName, isFloatEncoding} from "./encoding.ts";
import {appendFloatChunk, encodeFloatChunks, newFloatColumns} from "./float-chunk.ts";
import {goldenChunks} from "./testing/golden-chunks.ts";
import {goldenFloats} from "./testing/golden-form.ts";

const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

for (const folder of ["blocks", "compaction", "downsampling", "bucket"]) {
  test(`sums and float chunks of golden ${folder} read as dumped, and are written again byte for byte`, () => {
    let chunks = 0;
    for (const golden of goldenChunks("storage", folder)) {
      assert.equal(encodingName(golden.encodingByte), golden.encoding, golden.where);
      assert.equal(
        crc32c(golden.data, 0, golden.data.length, crc32c(Uint8Array.of(golden.encodingByte))),
        golden.crc32c,
      );
      assert.equal(golden.storedCrc32c, golden.crc32c, golden.where);
      const encoding = golden.encodingByte;
      if (!isFloatEncoding(encoding)) continue;
      const columns = newFloatColumns(0);
      appendFloatChunk(encoding, golden.data, 0, golden.data.length, columns);
      assert.deepEqual(goldenFloats(columns), golden.samples, golden.where);
      const [again] = encodeFloatChunks(
        columns,
        0,
        columns.n,
        65535,
        encoding === ENCODING.xor ? ENCODING.xor : ENCODING.xor2,
      );
      assert.equal(hex(again!.data), hex(golden.data), golden.where);
      chunks++;
    }
    if (folder !== "downsampling") assert.ok(chunks > 0);
  });
}
