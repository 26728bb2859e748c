import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat, seed} from "@strata/base/testing";
import {encodeXorChunks} from "@strata/chunkenc";
import {FloatChunks} from "./float-chunks.ts";

test("a chunk grown sample by sample is what the encoder makes of all samples", () => {
  const next = random(seed());
  const chunks = new FloatChunks();
  chunks.reserve(4);
  for (let run = 0; run < repeat(3000); run++) {
    const n = 1 + Math.floor(next() * 45);
    const t = new Float64Array(n);
    const v = new Float64Array(n);
    const words = new Uint32Array(v.buffer);
    let at = Math.floor((next() - 0.3) * 2e12);
    for (let i = 0; i < n; i++) {
      at += next() < 0.7 ? 15000 : 1 + Math.floor(next() * 10 ** Math.floor(next() * 12));
      t[i] = at;
      v[i] = next() < 0.3 ? Math.floor(next() * 100) : next() * 1e6;
      if (next() < 0.1) {
        words[2 * i] = next() * 2 ** 32;
        words[2 * i + 1] = next() * 2 ** 32;
      }
      if (next() < 0.05) words.set([2, 0x7ff00000], 2 * i);
      if (i > 0 && next() < 0.2) words.copyWithin(2 * i, 2 * i - 2, 2 * i);
    }
    const slot = run % 4;
    for (let i = 0; i < n; i++) chunks.append(slot, t[i] as number, words[2 * i] as number, words[2 * i + 1] as number);
    const out = Buffer.alloc(chunks.bytes(slot));
    chunks.copy(slot, out, 0);
    const [want] = encodeXorChunks({t, v, n}, 0, n, 1000);
    assert.deepEqual(out, Buffer.from(want?.data ?? []), `run ${run}`);
    chunks.free(slot);
  }
  assert.equal(chunks.poolBytes, 0);
});
