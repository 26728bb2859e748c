import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {kernel} from "./kernel.ts";
import {snappyDecode, snappyEncode, snappyLength, snappyStreamDecode, snappyStreamEncode} from "./snappy.ts";
import {snappyDecodeTwin, snappyEncodeTwin, snappyLengthTwin, snappyStreamDecodeTwin} from "./snappy-twin.ts";

const LIMIT = 1 << 20;
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const isCorrupt = (e: unknown): boolean => e instanceof StrataError && e.code === "corrupt";

/** Bytes with repeats at all distances and of all lengths: pieces of noise and copies of what came before. */
const content = fc
  .array(fc.oneof(fc.uint8Array({maxLength: 90}), fc.tuple(fc.nat(), fc.integer({min: 1, max: 300}))), {maxLength: 40})
  .map((parts) => {
    const out: number[] = [];
    for (const part of parts) {
      if (part instanceof Uint8Array) out.push(...part);
      else if (out.length > 0) {
        const offset = 1 + (part[0] % out.length);
        for (let i = 0; i < part[1]; i++) out.push(out[out.length - offset]!);
      }
    }
    return Uint8Array.from(out);
  });

/** The kernel's answer for a block, with its own error codes. */
function kernelDecode(data: Uint8Array): Uint8Array | number {
  const k = kernel();
  const stated = snappyLengthTwin(data, 0, data.length);
  if (stated > LIMIT) return -2;
  const room = Math.max(stated, 0) + 32;
  const src = k.scratch(data.length + 64 + room);
  k.write(src, data);
  const dst = src + data.length + 32;
  const n = k.exports.snappyDecode(src, data.length, dst, room);
  return n < 0 ? n : k.read(dst, n);
}

function twinDecode(data: Uint8Array): Uint8Array | number {
  const stated = snappyLengthTwin(data, 0, data.length);
  if (stated > LIMIT) return -2;
  const out = new Uint8Array(Math.max(stated, 0));
  const n = snappyDecodeTwin(data, 0, data.length, out);
  return n < 0 ? n : out;
}

test("blocks round-trip, and each decoder reads what each encoder wrote", () => {
  fc.assert(
    fc.property(content, (data) => {
      for (const block of [snappyEncode(data), snappyEncodeTwin(data, 0, data.length)]) {
        assert.equal(snappyLength(block), data.length);
        assert.equal(hex(snappyDecode(block, LIMIT)), hex(data));
        assert.equal(hex(kernelDecode(block) as Uint8Array), hex(data));
        assert.equal(hex(twinDecode(block) as Uint8Array), hex(data));
      }
    }),
    {numRuns: 300},
  );
});

test("large contents round-trip and repeats shrink", () => {
  const line = 'http_requests_total{job="api",instance="10.0.0.1:9100",code="200"} 1234\n'.repeat(20_000);
  const data = new TextEncoder().encode(line);
  const block = snappyEncode(data);
  assert.ok(block.length < data.length / 15, `${block.length} of ${data.length}`);
  assert.equal(hex(snappyDecode(block, data.length)), hex(data));
  const stream = snappyStreamEncode(data);
  assert.ok(stream.length < data.length / 15);
  assert.equal(hex(snappyStreamDecode(stream, data.length)), hex(data));
  const noise = Uint8Array.from({length: 200_000}, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
  for (const size of [0, 1, 15, 16, 17, 59, 60, 61, 255, 256, 257, 65535, 65536, 65537, 131072, 200_000]) {
    assert.equal(hex(snappyDecode(snappyEncode(noise, 0, size), LIMIT)), hex(noise.subarray(0, size)), `block ${size}`);
    assert.equal(hex(snappyStreamDecode(snappyStreamEncode(noise, 0, size), LIMIT)), hex(noise.subarray(0, size)));
  }
});

test("all element kinds of the format are read", () => {
  const f = (block: string, want: string) => {
    assert.equal(hex(snappyDecode(bytesOf(block), LIMIT)), want);
    assert.equal(hex(kernelDecode(bytesOf(block)) as Uint8Array), want);
  };
  f("00", "");
  f("03 08 616263", "616263");
  f("03 f0 02 616263", "616263"); // literal length in one byte
  f("03 f4 0200 616263", "616263"); // … two
  f("03 f8 020000 616263", "616263"); // … three
  f("03 fc 02000000 616263", "616263"); // … four
  f("07 08 616263 01 03", "61626361626361"); // copy, 1-byte offset
  f("05 08 616263 06 0300", "6162636162"); // copy, 2-byte offset
  f("05 08 616263 07 03000000", "6162636162"); // copy, 4-byte offset
});

test("any bytes give the same content or the same refusal from kernel and twin", () => {
  const damaged = fc.tuple(content, fc.nat(), fc.nat(), fc.boolean()).map(([data, a, b, cut]) => {
    const block = snappyEncode(data);
    block[a % block.length]! ^= 1 << (b % 8);
    return cut ? block.slice(0, b % (block.length + 1)) : block;
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({maxLength: 60})), (data) => {
      const want = twinDecode(data);
      assert.deepEqual(kernelDecode(data), want);
      if (typeof want === "number")
        assert.throws(() => snappyDecode(data, LIMIT), want === -1 ? isCorrupt : StrataError);
      else assert.deepEqual(snappyDecode(data, LIMIT), want);
    }),
    {numRuns: 2000},
  );
});

test("a stated length beyond the limit, or beyond what the bytes could hold, allocates nothing", () => {
  const block = bytesOf("ffffffff0f 08 616263");
  assert.throws(
    () => snappyDecode(block, LIMIT),
    (e) => e instanceof StrataError && e.code === "limit",
  );
  assert.throws(() => snappyDecode(block, 2 ** 33), isCorrupt);
});

test("framed streams: identifier first, sums checked, unknown skippable frames passed over", () => {
  const id = "ff060000734e61507059";
  // "Wikipedia" plain, its masked sum from the format's own definition via the twin below.
  const f = (stream: string, want: string) =>
    assert.equal(Buffer.from(snappyStreamDecode(bytesOf(stream), LIMIT)).toString(), want);
  f("", "");
  f(id, "");
  const plain = hex(snappyStreamEncode(new TextEncoder().encode("Wikipedia")));
  assert.ok(plain.startsWith(`${id}010d0000`), plain);
  f(plain, "Wikipedia");
  f(`${id} 80020000abcd fe010000ff ${plain}`, "Wikipedia");
  f(plain + plain, "WikipediaWikipedia");
  for (const bad of [plain.slice(20), `${id}02000000`, `${id}0003`, `${id}01030000aabbcc`, plain.replace("57", "58")]) {
    assert.throws(() => snappyStreamDecode(bytesOf(bad), LIMIT), isCorrupt, bad);
  }
  assert.throws(
    () => snappyStreamDecode(bytesOf(plain), 8),
    (e) => e instanceof StrataError && e.code === "limit",
  );
});

test("any damage of a stream gives the same answer from kernel and twin", () => {
  fc.assert(
    fc.property(content, fc.nat(), fc.nat(), fc.constantFrom("whole", "flip", "cut"), (data, a, b, how) => {
      let stream = snappyStreamEncode(data);
      if (how === "flip" && stream.length > 0) stream[a % stream.length]! ^= 1 << (b % 8);
      if (how === "cut") stream = stream.slice(0, a % (stream.length + 1));
      const out = new Uint8Array(LIMIT);
      const n = snappyStreamDecodeTwin(stream, 0, stream.length, out);
      if (n < 0) assert.throws(() => snappyStreamDecode(stream, LIMIT), isCorrupt);
      else assert.equal(hex(snappyStreamDecode(stream, LIMIT)), hex(out.subarray(0, n)));
      if (how === "whole") assert.equal(n, data.length);
    }),
    {numRuns: 1000},
  );
});
