import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {chunkSamples, decodeChunk} from "./decode-chunk.ts";
import {ENCODING} from "./encoding.ts";
import {appendFloatChunk, encodeFloatChunks, newFloatColumns} from "./float-chunk.ts";
import {histogramAt} from "./histogram-chunk.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** Sound chunks, written by the Go originals, to be damaged. */
const sound: [number, string][] = [
  [ENCODING.xor, "0005d00f3ff00000000000009875c25fff2002b605dff662f7ffc0000000000020"],
  [ENCODING.histogram, "000400744a48c5e3e8b450094000000000002317c1d4c4e3b02e2bad75d218bdff64000000000008"],
  [ENCODING.histogram, "00010000ee5c664f8cbdf5f1f4f8fa283ff40000000000008c6e"],
  [
    ENCODING.floatHistogram,
    "000200744a48c5e3e840180000000000003ff000000000000040250000000000003ff0000000000000400000000000000040000000000000" +
      "00f83a98d42f7097fff605e12fffec06",
  ],
  [ENCODING.xor2, "000502d00f3ff00000000000009875c12fffbe0f233002b302fe0ea637fb3fc1d510"],
  [ENCODING.histogramST, "000180744a48c5e3e8b4500940000000000023174038"],
  [
    ENCODING.aggregate,
    "18010003becf244010000000000000e0a712d617d6d84384cfff15010003becf24401a000000000000e0a712da17d6d842" +
      "18010003becf243fe0000000000000e0a712d60fadb08709bffb17010003becf244008000000000000e0a712d617d6d843b02c" +
      "21010005c0b8023ff0000000000000bf8b11c26ffe713886006f5b610ec0edfffea176",
  ],
];

/** Reads the chunk and everything in it; a value or `corrupt` with the place. */
function read(encoding: number, data: Uint8Array, from: number, length: number): boolean {
  const place = {name: "01ABC/chunks/000001", offset: 4711};
  try {
    chunkSamples(encoding, data, from, length, place);
    const chunk = decodeChunk(encoding, data, from, length, place);
    if (chunk.kind === "histograms") for (let i = 0; i < chunk.columns.n; i++) histogramAt(chunk.columns, i);
    if (chunk.kind === "aggregates") {
      for (const part of chunk.parts) if (part !== undefined) read(part.encoding, data, part.from, part.length);
    }
    return true;
  } catch (err) {
    assert.ok(err instanceof StrataError && err.code === "corrupt", String((err as Error).stack));
    assert.match(err.message, /01ABC\/chunks\/000001 at \d+/);
    return false;
  }
}

test("chunks written by the Go originals are read", () => {
  for (const [encoding, text] of sound) assert.ok(read(encoding, bytesOf(text), 0, text.length / 2), text);
});

test("any bytes, truncations and flipped bits give a value or corrupt, for every encoding", () => {
  const place = fc.record({before: fc.nat(5), after: fc.nat(20)});
  const noise = fc.tuple(fc.constantFrom(...Object.values(ENCODING), 7, 200), fc.uint8Array({maxLength: 300}));
  const smallCount = noise.map(([encoding, data]) => {
    data[0] = 0;
    return [encoding, data] as const;
  });
  const damaged = fc
    .tuple(fc.constantFrom(...sound), fc.array(fc.tuple(fc.nat(), fc.nat(7)), {maxLength: 3}), fc.option(fc.nat()))
    .map(([[encoding, text], flips, cut]) => {
      const data = bytesOf(text);
      for (const [at, bit] of flips) data[at % data.length]! ^= 1 << bit;
      return [encoding, cut === null ? data : data.slice(0, cut % data.length)] as const;
    });
  fc.assert(
    fc.property(fc.oneof(noise, smallCount, damaged), place, ([encoding, data], {before, after}) => {
      const buffer = new Uint8Array(before + data.length + after).fill(0xa5);
      buffer.set(data, before);
      read(encoding, buffer, before, data.length);
    }),
    {numRuns: 4000},
  );
});

test("a length that reaches beyond the buffer is corrupt", () => {
  for (const [encoding, text] of sound) {
    const data = bytesOf(text);
    assert.equal(read(encoding, data, 1, data.length), false);
  }
});

test("start times: absent, constant, changing and beginning late survive a round trip", () => {
  const step = fc.tuple(
    fc.integer({min: 1, max: 40_000}),
    fc.double(),
    fc.constantFrom("same", "none", "move"),
    fc.nat(60_000),
  );
  fc.assert(
    fc.property(fc.array(step, {minLength: 1, maxLength: 300}), (steps) => {
      const columns = newFloatColumns(steps.length);
      columns.st = new Float64Array(steps.length);
      let time = 1_700_000_000_000;
      let start = 0;
      steps.forEach(([dt, v, how, back], i) => {
        time += dt;
        if (how === "none") start = 0;
        if (how === "move") start = time - back;
        columns.t[i] = time;
        columns.v[i] = v;
        columns.st![i] = start;
      });
      columns.n = steps.length;
      const [chunk] = encodeFloatChunks(columns, 0, columns.n, 65535, ENCODING.xor2);
      const again = newFloatColumns(0);
      appendFloatChunk(ENCODING.xor2, chunk!.data, 0, chunk!.data.length, again);
      assert.equal(again.n, columns.n);
      assert.deepEqual(again.t.slice(0, again.n), columns.t);
      assert.deepEqual(again.v.slice(0, again.n), columns.v);
      assert.deepEqual(again.st?.slice(0, again.n) ?? new Float64Array(again.n), columns.st);
    }),
  );
});

test("appending a corrupt chunk leaves the columns' samples as they were", () => {
  const columns = newFloatColumns(0);
  const [encoding, text] = sound[0]!;
  const data = bytesOf(text);
  appendFloatChunk(encoding, data, 0, data.length, columns);
  const before = columns.t.slice(0, columns.n);
  assert.throws(
    () => appendFloatChunk(encoding, data, 0, data.length - 1, columns),
    /cannot decode XOR chunk of 32 bytes/,
  );
  assert.deepEqual(columns.t.slice(0, columns.n), before);
});
