import assert from "node:assert/strict";
import {test} from "node:test";
import {type Compression, compressed, uncompressed} from "./value-compression.ts";

const text = Buffer.from(Array.from({length: 2000}, (_, i) => `[${1_790_000_000 + i * 60},"${i % 7}.25"]`).join());
const noise = Buffer.from(Array.from({length: 4096}, (_, i) => (i * i * 31 + i * 7 + (i >> 3) * 131) & 0xff));

for (const how of ["none", "snappy", "lz4"] satisfies Compression[]) {
  test(`${how}: values come back as they were`, async () => {
    for (const value of [text, noise, Buffer.alloc(0), text.subarray(0, 100)]) {
      const stored = await compressed(value, how);
      assert.deepEqual(Buffer.from(await uncompressed(stored)), value);
    }
    const stored = await compressed(text, how);
    assert.ok(how === "none" ? stored === text : stored.length < text.length / 2);
    const small = text.subarray(0, 100);
    assert.equal(await compressed(small, how), small);
  });
}

test("damaged values are errors, and make no room for what they claim", async () => {
  const stored = Buffer.from(await compressed(text, "lz4"));
  await assert.rejects(uncompressed(stored.subarray(0, 6)));
  await assert.rejects(uncompressed(stored.subarray(0, stored.length / 2)));
  stored.writeUInt32LE(0xffff_ffff, 4);
  await assert.rejects(uncompressed(stored), /cannot unpack the cached answer: it is damaged/);
});
