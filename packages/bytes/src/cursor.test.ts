import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {ByteReader} from "./byte-reader.ts";
import {ByteWriter} from "./byte-writer.ts";

const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

type Op = {
  [K in "u8" | "u16be" | "u32be" | "u32le" | "uvarint" | "varint" | "f64be" | "f64le"]: {kind: K; value: number};
}["u8" | "u16be" | "u32be" | "u32le" | "uvarint" | "varint" | "f64be" | "f64le"];
type BigOp = {kind: "u64be" | "u64le" | "uvarint64" | "varint64"; value: bigint};
type TextOp = {kind: "str"; value: string} | {kind: "bytes"; value: Uint8Array};

const near2 = fc.tuple(fc.integer({min: 0, max: 53}), fc.integer({min: -2, max: 2})).map(([e, d]) => 2 ** e + d);
const whole = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  near2.map((x) => Math.min(Math.max(x, 0), Number.MAX_SAFE_INTEGER)),
);
const op = (kind: Op["kind"], value: fc.Arbitrary<number>) => value.map((v) => ({kind, value: v}) as Op);
const bigOp = (kind: BigOp["kind"], value: fc.Arbitrary<bigint>) => value.map((v): BigOp => ({kind, value: v}));
const u64 = fc.bigInt({min: 0n, max: (1n << 64n) - 1n});
const ops = fc.array(
  fc.oneof(
    op("u8", fc.nat(255)),
    op("u16be", fc.nat(65535)),
    op("u32be", fc.nat(0xffffffff)),
    op("u32le", fc.nat(0xffffffff)),
    op("uvarint", whole),
    op(
      "varint",
      fc.tuple(whole, fc.constantFrom(1, -1)).map(([x, sign]) => (x === 0 ? 0 : x * sign)),
    ),
    op("f64be", fc.double()),
    op("f64le", fc.double()),
    bigOp("u64be", u64),
    bigOp("u64le", u64),
    bigOp("uvarint64", u64),
    bigOp("varint64", fc.bigInt({min: -(1n << 63n), max: (1n << 63n) - 1n})),
    fc
      .oneof(fc.string({maxLength: 80}), fc.string({unit: "grapheme", maxLength: 80}))
      .map((value): TextOp => ({kind: "str", value})),
    fc.uint8Array({maxLength: 40}).map((value): TextOp => ({kind: "bytes", value})),
  ),
  {maxLength: 30},
);

test("what is written is read back, and ends where it should", () => {
  fc.assert(
    fc.property(ops, (list) => {
      const w = new ByteWriter(1);
      for (const o of list) {
        if (o.kind === "uvarint64") w.uvarint(o.value);
        else if (o.kind === "varint64") w.varint(o.value);
        else if (o.kind === "str") w.str(o.value);
        else if (o.kind === "bytes") w.bytes(o.value);
        else if (typeof o.value === "bigint") w[o.kind as "u64be" | "u64le"](o.value);
        else w[o.kind as Op["kind"]](o.value);
      }
      const r = new ByteReader(w.take(), "test");
      for (const o of list) {
        if (o.kind === "bytes") assert.equal(hex(r.bytes(o.value.length)), hex(o.value));
        else assert.equal(r[o.kind](), o.value, o.kind);
      }
      assert.equal(r.remaining, 0);
    }),
    {numRuns: 500},
  );
});

test("known encodings", () => {
  const f = (write: (w: ByteWriter) => void, want: string) => {
    const w = new ByteWriter();
    write(w);
    assert.equal(hex(w.view()), want);
  };
  f((w) => w.varint(1000), "d00f");
  f((w) => w.varint(-1), "01");
  f((w) => w.uvarint(15000), "9875");
  f((w) => w.uvarint(2 ** 32), "8080808010");
  f((w) => w.varint(-(2n ** 63n)), "ffffffffffffffffff01");
  f((w) => w.u64be(-2), "fffffffffffffffe");
  f((w) => w.u64be(2 ** 40 + 5), "0000010000000005");
  f((w) => w.str("é"), "02c3a9");
});

test("numbers too large for a Number, malformed ones and ends are corrupt, with name and offset", () => {
  const f = (bytes: string, read: (r: ByteReader) => unknown, want: RegExp) => {
    const r = new ByteReader(Uint8Array.from(Buffer.from(bytes, "hex")), "blocks/01/index", 1, undefined, 100);
    assert.throws(
      () => read(r),
      (e) => e instanceof StrataError && e.code === "corrupt" && want.test(e.message) && e.fields.offset === 101,
    );
    assert.equal(r.pos, 1, "a failed read does not move");
  };
  f("00ffffffffffffffffff01", (r) => r.uvarint(), /index at 101: a varint beyond 2\^53/);
  f("00ffffffffffffffffff02", (r) => r.uvarint64(), /longer than 64 bits/);
  f("00ffffffffffffffffffff01", (r) => r.uvarint(), /longer than 10 bytes/);
  f("0080", (r) => r.uvarint(), /cut short/);
  f("008080808080", (r) => r.varint(), /cut short/);
  f("00", (r) => r.u8(), /1 bytes wanted, 0 left/);
  f("00ffffff", (r) => r.u32be(), /4 bytes wanted, 3 left/);
  f("00ffffffffffffffff", (r) => r.u53be(), /beyond 2\^53/);
  f("00ff", (r) => r.bytes(-1 >>> 0), /bytes wanted/);
  f("00ff", (r) => r.bytes(Number.NaN), /bytes wanted/);
});

test("a str whose length points past the end is corrupt", () => {
  const r = new ByteReader(Uint8Array.of(5, 97, 98), "x");
  assert.throws(() => r.str(), /5 bytes wanted, 2 left/);
});
