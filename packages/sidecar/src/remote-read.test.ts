import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {crc32c} from "@strata/bytes";
import fc from "fast-check";
import {frames} from "./remote-read.ts";

function frame(body: Uint8Array): Buffer {
  const head: number[] = [];
  let n = body.length;
  for (; n >= 0x80; n = Math.floor(n / 128)) head.push((n & 0x7f) | 0x80);
  head.push(n);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(body, 0, body.length));
  return Buffer.concat([Buffer.from(head), crc, body]);
}

async function* pieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  const out: string[] = [];
  for await (const f of frames(source)) out.push(Buffer.from(f).toString("hex"));
  return out;
}

test("frames come whole, however the network cuts them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({maxLength: 300}), {maxLength: 5}),
      fc.array(fc.nat(), {maxLength: 8}),
      async (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map(frame));
        assert.deepEqual(
          await collect(pieces(stream, cuts)),
          bodies.map((b) => Buffer.from(b).toString("hex")),
        );
      },
    ),
  );
});

const corrupt = (err: unknown): boolean => err instanceof StrataError && err.code === "corrupt";

test("a flipped bit is corrupt", async () => {
  const stream = frame(Buffer.from("hello"));
  stream[7] = (stream[7] as number) ^ 1;
  await assert.rejects(collect(pieces(stream, [])), corrupt);
});

test("a stream that ends inside a frame is corrupt", async () => {
  await assert.rejects(collect(pieces(frame(Buffer.from("hello")).subarray(0, 8), [3])), corrupt);
});

test("any bytes give frames or corrupt", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({maxLength: 60}), async (bytes) => {
      await collect(pieces(bytes, [5])).catch((err) => assert.ok(corrupt(err), String(err)));
    }),
  );
});
