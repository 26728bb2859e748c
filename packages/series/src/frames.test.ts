import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {SeriesFrameParser} from "./frame-parser.ts";
import {hintsFrame, SeriesFrameWriter, warningFrame} from "./frame-writer.ts";
import {AGGREGATE, type SeriesBatch} from "./series-batch.ts";
import {batchOf, type PlainSeries, plain} from "./testing/index.ts";

function parseAll(frames: Iterable<Uint8Array>, ordered = true): SeriesBatch[] {
  const parser = new SeriesFrameParser("test", {ordered});
  const out: SeriesBatch[] = [];
  for (const f of frames) out.push(...parser.push(f));
  const rest = parser.finish();
  if (rest) out.push(rest);
  return out;
}

const text = fc.string({unit: "grapheme", minLength: 1, maxLength: 12});
const time = fc.oneof(
  fc.integer({min: 1.6e12, max: 1.8e12}),
  fc.constantFrom(0, -1, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 35 - 1, 2 ** 35, 2 ** 53, -(2 ** 53), 2 ** 63, -(2 ** 63)),
);
const chunk = fc.record({
  mint: time,
  maxt: time,
  data: fc.uint8Array({maxLength: 200}).map((b) => Buffer.from(b).toString("latin1")),
  encoding: fc.integer({min: 1, max: 5}),
});
/** Raw chunks and whole downsampled chunks. */
const chunks = fc
  .array(
    fc.oneof(
      chunk.map((c) => [{...c, aggregate: AGGREGATE.raw}]),
      fc
        .tuple(chunk, fc.subarray([1, 2, 3, 4, 5] as const, {minLength: 1}))
        .map(([c, aggregates]) => aggregates.map((aggregate) => ({...c, aggregate}))),
    ),
    {maxLength: 4},
  )
  // Neighbours of equal times would be read back as one chunk with several columns.
  .map((groups) => groups.flatMap((g, i) => g.map((c) => ({...c, mint: c.mint, maxt: i % 2 ? 5 : 7}))));
const series: fc.Arbitrary<PlainSeries[]> = fc.array(
  fc.record({labels: fc.dictionary(text, text, {maxKeys: 5}), chunks}),
  {maxLength: 12},
);

test("what is written is read back, in frames of any size", () => {
  fc.assert(
    fc.property(series, fc.integer({min: 0, max: 5}), fc.boolean(), (rows, batchSeries, hashes) => {
      const batch = batchOf(rows, ["careful"]);
      const frames = [...new SeriesFrameWriter({batchSeries, hashes}).frames(batch)];
      const got = parseAll(frames, false);
      assert.deepEqual(plain(got).flat(), plain([batch]).flat());
      assert.deepEqual(
        got.flatMap((b) => b.labels.map(String)),
        batch.labels.map(String),
      );
      assert.deepEqual(
        got.flatMap((b) => b.warnings),
        ["careful"],
      );
    }),
  );
});

test("a series with more than 1 MiB of chunks is written in several frames, a frame holds about 1 MiB", () => {
  const big = {
    labels: {n: "b"},
    chunks: Array.from({length: 40}, (_, i) => ({mint: i, maxt: i, data: "x".repeat(1e5)})),
  };
  const batch = batchOf([{labels: {n: "a"}, chunks: []}, big, {labels: {n: "c"}, chunks: []}]);
  const frames = [...new SeriesFrameWriter({batchSeries: 64}).frames(batch)];
  assert.equal(frames.length, 4);
  for (const f of frames) assert.ok(f.length < 1.2 * 1024 * 1024);
  assert.deepEqual(plain(parseAll(frames)).flat(), plain([batch]).flat());
});

test("chunks of a large frame are not copied", () => {
  const batch = batchOf([{labels: {n: "a"}, chunks: [{mint: 1, maxt: 2, data: "x".repeat(50_000)}]}]);
  const [frame] = [...new SeriesFrameWriter({batchSeries: 64}).frames(batch)];
  const [got] = parseAll([frame!]);
  assert.equal(got!.bytes.buffer, frame!.buffer);
});

test("equal strings of neighbouring rows are the same string, equal label sets the same object", () => {
  const rows = [1, 2, 2].map((i) => ({labels: {job: "a-job", n: `${i}`}, chunks: []}));
  const [got] = parseAll(new SeriesFrameWriter({batchSeries: 1}).frames(batchOf(rows)));
  assert.equal(got!.labels[1], got!.labels[2]);
  assert.deepEqual(got!.labels.map(String), ['{job="a-job", n="1"}', '{job="a-job", n="2"}', '{job="a-job", n="2"}']);
});

test("labels that come unsorted, twice or empty are put right", () => {
  const label = (n: string, v: string) =>
    Buffer.from([0x0a, n.length + v.length + 4, 0x0a, n.length, ...Buffer.from(n), 0x12, v.length, ...Buffer.from(v)]);
  const body = Buffer.concat([label("b", "1"), label("a", "2"), label("c", ""), label("b", "3")]);
  const [got] = parseAll([Buffer.concat([Buffer.from([0x0a, body.length]), body])]);
  assert.equal(String(got!.labels[0]), '{a="2", b="3"}');
});

test("series out of label order are refused, those before them are kept", () => {
  const rows = ["a", "c", "b"].map((n) => ({labels: {n}, chunks: []}));
  const frames = [...new SeriesFrameWriter({batchSeries: 1}).frames(batchOf(rows))];
  const parser = new SeriesFrameParser("store-1");
  parser.push(frames[0]!);
  parser.push(frames[1]!);
  assert.throws(
    () => parser.push(frames[2]!),
    /cannot read series frame of store-1: series .*n="b".* not in label order/,
  );
  assert.equal(parser.finish()!.labels.length, 2);
});

test("hints and warnings are kept apart from series", () => {
  const parser = new SeriesFrameParser("test");
  parser.push(hintsFrame(Buffer.from([8, 1])));
  parser.push(warningFrame("gap"));
  assert.deepEqual(Buffer.from(parser.hints!), Buffer.from([8, 1]));
  assert.deepEqual(parser.finish()!.warnings, ["gap"]);
  assert.equal(parser.finish(), undefined);
});

test("any bytes give batches or a corrupt error", () => {
  const check = (frame: Uint8Array): void => {
    const parser = new SeriesFrameParser("test", {ordered: false});
    try {
      parser.push(frame);
    } catch (err) {
      assert.ok(err instanceof StrataError, String(err));
      assert.equal(err.code, "corrupt");
      assert.equal(parser.finish(), undefined);
      return;
    }
    const batch = parser.finish();
    if (batch === undefined) return;
    assert.equal(batch.firstChunk.length, batch.labels.length + 1);
    for (let i = 0; i < batch.mint.length; i++) assert.ok(batch.offset[i]! + batch.length[i]! <= batch.bytes.length);
  };
  fc.assert(fc.property(fc.uint8Array({maxLength: 60}), check), {numRuns: 3000});
  const rows = [1, 2].map((i) => ({
    labels: {job: "x", n: `${i}`},
    chunks: [
      {mint: 1e12, maxt: 2e12, data: "abc"},
      {mint: 3e12, maxt: 4e12, data: "d", aggregate: AGGREGATE.sum},
    ],
  }));
  const [good] = [...new SeriesFrameWriter({batchSeries: 9, hashes: true}).frames(batchOf(rows))];
  for (let cut = 0; cut < good!.length; cut++) check(good!.subarray(0, cut));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good!.length - 1), fc.nat(255)), {minLength: 1, maxLength: 3}), (flips) => {
      const bad = Buffer.from(good!);
      for (const [at, byte] of flips) bad[at] = byte;
      check(bad);
    }),
    {numRuns: 5000},
  );
});
