import assert from "node:assert/strict";
import {test} from "node:test";
import {crc32c} from "@strata/bytes";
import {ENCODING, encodingName} from "./encoding.ts";
import {appendXorChunk, encodeXorChunks, type FloatColumns, newFloatColumns} from "./float-chunk.ts";
import {type GoldenSample, goldenChunks} from "./testing/golden-chunks.ts";

const hexOf = (bits: bigint): string => bits.toString(16).padStart(16, "0");

/** Samples as the dumps write them. */
function rows(columns: FloatColumns): GoldenSample[] {
  const bits = new BigUint64Array(columns.v.buffer, columns.v.byteOffset, columns.n);
  return Array.from(bits, (b, i) => [columns.t[i] as number, hexOf(b)] as const);
}

for (const folder of ["blocks", "compaction", "downsampling", "bucket"]) {
  test(`sums and XOR chunks of golden ${folder} read as dumped, and are written again byte for byte`, () => {
    let chunks = 0;
    for (const golden of goldenChunks("storage", folder)) {
      assert.equal(encodingName(golden.encodingByte), golden.encoding, golden.where);
      assert.equal(
        crc32c(golden.data, 0, golden.data.length, crc32c(Uint8Array.of(golden.encodingByte))),
        golden.crc32c,
      );
      assert.equal(golden.storedCrc32c, golden.crc32c, golden.where);
      if (golden.encodingByte !== ENCODING.xor) continue;
      const columns = newFloatColumns(0);
      appendXorChunk(golden.data, 0, golden.data.length, columns);
      assert.deepEqual(rows(columns), golden.samples, golden.where);
      const [again] = encodeXorChunks(columns, 0, columns.n, 65535);
      assert.equal(Buffer.from(again!.data).toString("hex"), Buffer.from(golden.data).toString("hex"), golden.where);
      chunks++;
    }
    if (folder !== "downsampling") assert.ok(chunks > 0);
  });
}
