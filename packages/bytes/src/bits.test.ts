import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {BitReader} from "./bit-reader.ts";
import {BitWriter} from "./bit-writer.ts";

const bitsOf = (w: BitWriter): string =>
  [...w.view()]
    .map((b) => b.toString(2).padStart(8, "0"))
    .join("")
    .slice(0, w.bitLength);

test("varbit codes are those of the Go original", () => {
  const int = (value: number, want: string) => {
    const w = new BitWriter();
    w.varbitInt(value);
    assert.equal(bitsOf(w), want);
  };
  int(0, "0");
  int(-1, "10111");
  int(4, "10100");
  int(5, "110000101");
  int(-4, "110111100");
  int(33, "1110000100001");
  int(-(2 ** 55), `11111111${"1".repeat(9)}${"0".repeat(55)}`);
  int(2 ** 55, `111111101${"0".repeat(55)}`);
  const uint = (value: number, want: string) => {
    const w = new BitWriter();
    w.varbitUint(value);
    assert.equal(bitsOf(w), want);
  };
  uint(8, "110001000");
  uint(512, "11110001000000000");
});

const edge = fc
  .tuple(fc.constantFrom(0, 2, 5, 8, 11, 17, 24, 52), fc.integer({min: -2, max: 2}), fc.constantFrom(1, -1))
  .map(([e, d, sign]) => (2 ** e + d) * sign + 0);
const signed = fc.oneof(edge, fc.maxSafeInteger(), fc.integer({min: -300, max: 300}));

type Op =
  | {kind: "bits"; value: number; count: number}
  | {kind: "bits64"; value: bigint; count: number}
  | {kind: "varbitInt" | "varbitUint"; value: number}
  | {kind: "varint"; value: bigint};
const ops = fc.array(
  fc.oneof(
    fc.tuple(fc.nat(0xffffffff), fc.integer({min: 1, max: 32})).map(([v, count]): Op => {
      return {kind: "bits", value: v % 2 ** count, count};
    }),
    fc.tuple(fc.bigInt({min: 0n, max: (1n << 64n) - 1n}), fc.integer({min: 1, max: 64})).map(([v, count]): Op => {
      return {kind: "bits64", value: BigInt.asUintN(count, v), count};
    }),
    signed.map((value): Op => ({kind: "varbitInt", value})),
    signed.map((value): Op => ({kind: "varbitUint", value: Math.abs(value)})),
    fc.bigInt({min: -(1n << 63n), max: (1n << 63n) - 1n}).map((value): Op => ({kind: "varint", value})),
  ),
  {maxLength: 40},
);

test("what is written is read back, at any bit position", () => {
  fc.assert(
    fc.property(ops, (list) => {
      const w = new BitWriter(1);
      for (const o of list) {
        if (o.kind === "bits") w.put(o.value, o.count);
        else if (o.kind === "bits64") w.put64(Number(o.value >> 32n), Number(o.value & 0xffffffffn), o.count);
        else if (o.kind === "varint") w.varint(o.value);
        else w[o.kind](o.value);
      }
      assert.equal(w.length, Math.ceil(w.bitLength / 8));
      const r = new BitReader(w.take(), "test");
      for (const o of list) {
        if (o.kind === "bits") assert.equal(r.bits(o.count), o.value);
        else if (o.kind === "bits64") {
          r.bits64(o.count);
          assert.equal(BigInt.asUintN(64, r.signed64()), o.value);
        } else if (o.kind === "varint") {
          assert.equal(r.varint(), Number(o.value));
          assert.equal(r.signed64(), o.value);
        } else assert.equal(r[o.kind](), o.value === 0 ? 0 : o.value);
      }
      assert.equal(r.pos, w.bitLength);
      assert.ok(r.remaining < 8);
    }),
    {numRuns: 500},
  );
});

test("reading past the end is corrupt wherever the data lies in its buffer", () => {
  const reads: ((r: BitReader) => unknown)[] = [
    (r) => r.bit(),
    (r) => r.bits(7),
    (r) => r.bits(32),
    (r) => r.bits64(33),
    (r) => r.bits64(64),
    (r) => r.varbitInt(),
    (r) => r.varbitUint(),
    (r) => r.varint(),
    (r) => r.uvarint(),
  ];
  fc.assert(
    fc.property(
      fc.uint8Array({maxLength: 30}),
      fc.nat(20),
      fc.array(fc.nat(reads.length - 1)),
      (data, extra, picks) => {
        const buffer = new Uint8Array(5 + data.length + extra).fill(255);
        buffer.set(data, 5);
        const r = new BitReader(buffer, "chunk", 5, 5 + data.length, 1000);
        try {
          for (const p of picks) {
            reads[p]!(r);
            assert.ok(r.pos <= data.length * 8);
          }
        } catch (err) {
          assert.ok(err instanceof StrataError && err.code === "corrupt", String(err));
          assert.match(
            err.message,
            /^cannot read chunk at 10\d\d: (the data ends early|a varint longer than 64 bits)$/,
          );
        }
      },
    ),
    {numRuns: 1000},
  );
});
