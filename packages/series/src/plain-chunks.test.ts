import assert from "node:assert/strict";
import {test} from "node:test";
import {appendFloatChunk, ENCODING, encodeFloatChunks, newFloatColumns} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {plainChunks} from "./plain-chunks.ts";
import {AGGREGATE, SeriesBatchBuilder} from "./series-batch.ts";

const N = 250;
const t = Float64Array.from({length: N}, (_, i) => 1_700_000_000_000 + i * 15_000);
const v = Float64Array.from({length: N}, (_, i) => (i % 50) * 1.5);
const st = t.map((time) => time - 60_000);

/** One series with the samples as chunks of each encoding: with start times, and without. */
function batch() {
  const out = new SeriesBatchBuilder();
  out.startSeries(Labels.fromObject({__name__: "m"}));
  for (const columns of [
    {t, v, st, n: N},
    {t, v, n: N},
  ]) {
    for (const {mint, maxt, encoding, data} of encodeFloatChunks({...columns, st: columns.st}, 0, N, N)) {
      out.addChunk(mint, maxt, encoding, 0, AGGREGATE.raw, data, 0, data.length);
    }
  }
  return out.finish();
}

test("chunks with start times become plain ones of the same samples; others stay as they are", () => {
  const before = batch();
  assert.deepEqual([...before.encoding], [ENCODING.xor2, ENCODING.xor]);
  const after = plainChunks(before);
  assert.deepEqual([...after.encoding], [ENCODING.xor, ENCODING.xor]);
  for (const chunk of [0, 1]) {
    const got = newFloatColumns(N);
    const from = after.offset[chunk] as number;
    const count = appendFloatChunk(ENCODING.xor, after.bytes, from, after.length[chunk] as number, got);
    assert.equal(count, N);
    assert.deepEqual([...got.t.subarray(0, N)], [...t]);
    assert.deepEqual([...got.v.subarray(0, N)], [...v]);
    assert.equal(after.mint[chunk], t[0]);
  }
  assert.equal(after.offset[1], before.offset[1]);
  assert.equal(plainChunks(after), after, "nothing to do: the same batch");
});

test("a chunk that cannot be decoded is an error, not other samples", () => {
  const before = batch();
  const bytes = before.bytes.slice(0, 40);
  assert.throws(() => plainChunks({...before, bytes, length: before.length.map(() => 30)}), {code: "corrupt"});
});
