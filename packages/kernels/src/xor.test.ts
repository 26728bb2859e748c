import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {kernel} from "./kernel.ts";
import {xorDecode, xorEncode} from "./xor.ts";
import {xorDecodeTwin, xorEncodeTwin, xorMaxLength} from "./xor-twin.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const patterns = (column: Float64Array): bigint[] => [
  ...new BigUint64Array(column.buffer, column.byteOffset, column.length),
];

function fromPatterns(bits: readonly bigint[]): Float64Array {
  return new Float64Array(BigUint64Array.from(bits).buffer);
}

type Columns = {n: number; t: number[]; v: bigint[]};

function decodeWith(decode: typeof xorDecode, data: Uint8Array): Columns {
  const room = data.length < 2 ? 0 : data[0]! * 256 + data[1]!;
  const t = new Float64Array(room);
  const v = new Float64Array(room);
  const n = decode(data, 0, data.length, t, v);
  return n < 0 ? {n, t: [], v: []} : {n, t: [...t], v: patterns(v)};
}

const STALE = 0x7ff0000000000002n;
const ONE = 0x3ff0000000000000n;
const TWO = 0x4000000000000000n;
const golden: {t: number[]; v: bigint[]; data: string}[] = [
  {t: [1000], v: [ONE], data: "0001 d00f 3ff0000000000000"},
  {t: [1000, 16000], v: [ONE, TWO], data: "0002d00f3ff0000000000000 9875 c25fff"},
  {t: [1000, 16000, 31000], v: [ONE, TWO, TWO], data: "0003d00f3ff00000000000009875c25fff 00"},
  {
    t: [1000, 16000, 31000, 46010, 61000],
    v: [ONE, TWO, TWO, 0x400c000000000000n, STALE],
    data: "0005d00f3ff00000000000009875c25fff2002b605dff662f7ffc0000000000020",
  },
];

test("chunks written by the Go original are read and written byte for byte, by kernel and twin", () => {
  for (const {t, v, data} of golden) {
    const bytes = bytesOf(data);
    for (const decode of [xorDecode, xorDecodeTwin]) assert.deepEqual(decodeWith(decode, bytes), {n: t.length, t, v});
    const out = new Uint8Array(xorMaxLength(t.length));
    const written = xorEncodeTwin(Float64Array.from(t), fromPatterns(v), 0, t.length, out);
    assert.equal(hex(out.subarray(0, written)), hex(bytes));
    assert.equal(hex(xorEncode(Float64Array.from(t), fromPatterns(v))), hex(bytes));
  }
});

// Values as they come in life (equal, counting, small steps) and bit patterns as they may come (NaN payloads, ±0, ±Inf).
const anyBits = fc.bigInt({min: 0n, max: (1n << 64n) - 1n});
const special = fc.constantFrom(
  0n,
  1n << 63n,
  STALE,
  0x7ff8000000000001n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  ONE,
);
const counting = fc.integer({min: -1000, max: 1_000_000}).map((x) => patterns(Float64Array.of(x))[0]!);
const value = fc.oneof(
  {weight: 3, arbitrary: counting},
  {weight: 1, arbitrary: anyBits},
  {weight: 1, arbitrary: special},
);
// Steps around each width of the second difference, and far beyond.
const edges = [0, 8191, 8192, 8193, 65535, 65536, 65537, 524287, 524288, 524289, 2 ** 31, 2 ** 40, 2 ** 52];
const step = fc.oneof(
  {weight: 4, arbitrary: fc.constant(15000)},
  {weight: 2, arbitrary: fc.integer({min: 14000, max: 16000})},
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...edges), fc.constantFrom(-1, 1)).map(([e, sign]) => 15000 + e * sign),
  },
);
const series = fc.record({
  t0: fc.oneof(fc.maxSafeInteger(), fc.constant(1_700_000_000_000)),
  points: fc.array(fc.tuple(step, value), {minLength: 1, maxLength: 150}),
});

function columnsOf(s: {t0: number; points: readonly (readonly [number, bigint])[]}): {
  t: Float64Array;
  v: Float64Array;
} {
  let time = s.t0;
  const t = Float64Array.from(s.points, ([d], i) => {
    if (i > 0) time += d;
    return time;
  });
  return {t, v: fromPatterns(s.points.map(([, bits]) => bits))};
}

test("what is encoded is decoded to the same times and bit patterns; kernel and twin write the same bytes", () => {
  fc.assert(
    fc.property(series, (s) => {
      const {t, v} = columnsOf(s);
      const data = xorEncode(t, v);
      const out = new Uint8Array(xorMaxLength(t.length));
      assert.equal(hex(out.subarray(0, xorEncodeTwin(t, v, 0, t.length, out))), hex(data));
      const want = {n: t.length, t: [...t], v: patterns(v)};
      assert.deepEqual(decodeWith(xorDecode, data), want);
      assert.deepEqual(decodeWith(xorDecodeTwin, data), want);
    }),
    {numRuns: 500},
  );
});

test("any bytes give the same columns or the same refusal from kernel and twin", () => {
  const head = fc.tuple(fc.constantFrom(0, 0, 0, 1, 255), fc.integer({min: 0, max: 255}));
  const noise = fc.tuple(head, fc.uint8Array({maxLength: 400})).map(([h, rest]) => Uint8Array.of(...h, ...rest));
  const damaged = fc.tuple(series, fc.nat(), fc.nat(), fc.boolean()).map(([s, a, b, cut]) => {
    const {t, v} = columnsOf(s);
    const data = xorEncode(t, v);
    data[a % data.length]! ^= 1 << (b % 8);
    return cut ? data.slice(0, b % (data.length + 1)) : data;
  });
  fc.assert(
    fc.property(fc.oneof(noise, damaged, fc.uint8Array({maxLength: 3})), (data) => {
      assert.deepEqual(decodeWith(xorDecode, data), decodeWith(xorDecodeTwin, data));
    }),
    {numRuns: 2000},
  );
});

test("every truncation of a chunk is corrupt, whatever lies behind it in memory", () => {
  const data = bytesOf(golden.at(-1)!.data);
  const t = new Float64Array(5);
  const v = new Float64Array(5);
  for (let length = 0; length < data.length; length++) {
    for (const decode of [xorDecode, xorDecodeTwin])
      assert.equal(decode(data, 0, length, t, v), -1, `length ${length}`);
  }
});

test("columns too short for the stated count are refused before anything is written", () => {
  const t = new Float64Array(5).fill(7);
  for (const decode of [xorDecode, xorDecodeTwin]) {
    assert.equal(decode(bytesOf("0005d00f3ff0000000000000"), 0, 12, t, new Float64Array(5), 1), -2);
  }
  assert.deepEqual([...t], [7, 7, 7, 7, 7]);
});

test("many chunks decode into one pair of columns; a bad one is named", () => {
  const k = kernel();
  const chunks = golden.map((g) => bytesOf(g.data));
  const total = golden.reduce((sum, g) => sum + g.t.length, 0);
  const run = (list: Uint8Array[], room: number): number => {
    const ptr = k.scratch(16 * room + 1024);
    const table = ptr + 16 * room;
    let at = table + 256;
    list.forEach((chunk, i) => {
      k.u32()[table / 4 + i] = at;
      k.u32()[table / 4 + 32 + i] = chunk.length;
      k.write(at, chunk);
      at += chunk.length;
    });
    const n = k.exports.xorDecodeMany(0, table, table + 128, list.length, ptr, ptr + 8 * room, room);
    if (n === total) {
      assert.deepEqual(
        [...k.f64().slice(ptr / 8, ptr / 8 + n)],
        golden.flatMap((g) => g.t),
      );
      assert.deepEqual(
        [...k.u64().slice(ptr / 8 + room, ptr / 8 + room + n)],
        golden.flatMap((g) => g.v),
      );
    }
    return n;
  };
  assert.equal(run(chunks, total), total);
  assert.equal(run(chunks, total - 1), -golden.length);
  assert.equal(run([chunks[0]!, chunks[1]!.slice(0, -1), chunks[2]!], total), -2);
});
