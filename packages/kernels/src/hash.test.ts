import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {crc32c, crc32cKernel, crc32cRanges, crc32cTwin} from "./crc32c.ts";
import {xxhash64, xxhash64Twin, xxhash64Words} from "./xxhash64.ts";

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

test("crc32c gives the published check values", () => {
  // RFC 3720, B.4, and the catalogue's check value.
  const cases: [Uint8Array, number][] = [
    [new Uint8Array(0), 0],
    [text("123456789"), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({length: 32}, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({length: 32}, (_, i) => 31 - i), 0x113fdb5c],
  ];
  for (const [data, want] of cases) {
    assert.equal(crc32cKernel(data, 0, data.length, 0), want);
    assert.equal(crc32cTwin(data, 0, data.length, 0), want);
  }
});

test("crc32c of any range, in one go or continued, is the same from kernel and twin", () => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 1000}), fc.nat(), fc.nat(), fc.nat(), (data, a, b, c) => {
      const [from, mid, to] = [a, b, c].map((x) => x % (data.length + 1)).sort((x, y) => x - y) as [
        number,
        number,
        number,
      ];
      const want = crc32cTwin(data, from, to, 0);
      assert.equal(crc32cKernel(data, from, to, 0), want);
      assert.equal(crc32c(data, mid, to, crc32c(data, from, mid)), want);
    }),
  );
  const large = Uint8Array.from({length: 700_001}, (_, i) => (i * i) >>> 7);
  assert.equal(crc32c(large), crc32cTwin(large, 0, large.length, 0));
});

test("xxhash64 gives the published values", () => {
  const f = (s: string, want: bigint) => assert.equal(xxhash64(text(s)), want);
  f("", 0xef46db3751d8e999n);
  f("a", 0xd24ec4f1a98c6e5bn);
  f("abc", 0x44bc2cf5ad770999n);
  // Verified with the Go originals: the stable hash of {__name__="up",job="a"}.
  assert.equal(
    xxhash64(Uint8Array.from(Buffer.from("__name__\xffup\xffjob\xffa\xff", "latin1"))),
    6193206268627925327n,
  );
});

test("xxhash64 of any range is the same from kernel and twin", () => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 300}), fc.nat(), fc.nat(), (data, a, b) => {
      const [from, to] = [a % (data.length + 1), b % (data.length + 1)].sort((x, y) => x - y) as [number, number];
      const want = xxhash64Twin(data, from, to);
      assert.equal(xxhash64(data, from, to), want);
      const {hi, lo} = xxhash64Words(data, from, to, {hi: 0, lo: 0});
      assert.equal((BigInt(hi) << 32n) | BigInt(lo), want);
    }),
  );
});

test("sums of many ranges are those of each alone, however long and far apart", () => {
  const data = Uint8Array.from({length: 700_000}, (_, i) => (i * 2654435761) >>> 13);
  const starts = Uint32Array.of(0, 3, 3, 500, 900, 200_000, 262_000, 262_500, 699_999, 700_000);
  const ends = Uint32Array.of(3, 600, 40, 500, 200_000, 262_000, 262_300, 699_999, 700_000, 700_000);
  const sums = new Uint32Array(starts.length);
  crc32cRanges(data, starts, ends, 1, starts.length, sums);
  const want = Array.from(starts, (start, i) => (i === 0 ? 0 : crc32cTwin(data, start, ends[i] as number, 0)));
  assert.deepEqual(Array.from(sums), want);
});
