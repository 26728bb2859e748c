import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {ByteWriter, crc32c} from "@strata/bytes";
import {matcher} from "@strata/model";
import fc from "fast-check";
import {BufferAccess} from "../random-access.ts";
import {INDEX_MAGIC} from "./index-format.ts";
import {IndexReader} from "./index-reader.ts";
import {selectLabelValues} from "./select-labels.ts";
import {selectPostings} from "./select-postings.ts";

/** A part of an index under construction may be changed before its checksum is made. */
type Tamper = (part: "symbols" | "series" | "postings" | "table", bytes: Uint8Array) => Uint8Array;

const untouched: Tamper = (_, bytes) => bytes;

/** An index of either version over series {a="…", b="…"} with one chunk each, put together by hand. */
function forge(
  version: 1 | 2,
  series: readonly (readonly [a: string, b: string])[],
  tamper: Tamper = untouched,
): Uint8Array {
  const out = new ByteWriter();
  out.u32be(INDEX_MAGIC);
  out.u8(version);
  const section = (part: "symbols" | "postings" | "table", content: ByteWriter): void => {
    const bytes = tamper(part, content.take());
    out.u32be(bytes.length);
    out.bytes(bytes);
    out.u32be(crc32c(bytes));
  };
  const texts = [...new Set(["a", "b", ...series.flat()])].sort();
  const refs = new Map<string, number>();
  const symbols = new ByteWriter();
  symbols.u32be(texts.length);
  texts.forEach((text, i) => {
    refs.set(text, version === 1 ? 9 + symbols.length : i);
    symbols.str(text);
  });
  section("symbols", symbols);
  const seriesAt = out.length;
  const lists = new Map<string, {name: string; value: string; ids: number[]}>([["", {name: "", value: "", ids: []}]]);
  series.forEach(([a, b], i) => {
    if (version === 2) out.zeros((16 - (out.length % 16)) % 16);
    const id = version === 1 ? out.length : out.length / 16;
    const entry = new ByteWriter();
    entry.uvarint(2);
    for (const text of ["a", a, "b", b]) entry.uvarint(refs.get(text) as number);
    entry.uvarint(1);
    entry.varint(i * 10);
    entry.uvarint(5);
    entry.uvarint(8 + i);
    const bytes = tamper("series", entry.take());
    out.uvarint(bytes.length);
    out.bytes(bytes);
    out.u32be(crc32c(bytes));
    for (const [name, value] of [
      ["", ""],
      ["a", a],
      ["b", b],
    ] as const) {
      const key = name === "" ? "" : `${name}=${value}`;
      const list = lists.get(key) ?? {name, value, ids: []};
      list.ids.push(id);
      lists.set(key, list);
    }
  });
  const postingsAt = out.length;
  const ordered = [...lists.values()].sort((x, y) => (x.name + x.value < y.name + y.value ? -1 : 1));
  // The tables of version 1 are in no order.
  if (version === 1) ordered.reverse();
  const table = new ByteWriter();
  table.u32be(ordered.length);
  for (const {name, value, ids} of ordered) {
    out.zeros((4 - (out.length % 4)) % 4);
    table.uvarint(2);
    table.str(name);
    table.str(value);
    table.uvarint(out.length);
    const list = new ByteWriter();
    list.u32be(ids.length);
    for (const id of ids) list.u32be(id);
    section("postings", list);
  }
  const tableAt = out.length;
  section("table", table);
  const toc = new ByteWriter();
  for (const at of [5, seriesAt, postingsAt, tableAt, postingsAt, tableAt]) toc.u64be(at);
  out.bytes(toc.view());
  out.u32be(crc32c(toc.view()));
  return out.take();
}

const text = fc.constantFrom("1", "2", "é", "x".repeat(40), "\ufeffbom", "z");
const pairs = fc
  .uniqueArray(fc.tuple(text, text), {minLength: 1, maxLength: 20, selector: String})
  .map((list) => list.sort(([a, b], [c, d]) => (a < c || (a === c && b < d) ? -1 : 1)));

test("indexes of versions 1 and 2 read alike", async () => {
  await fc.assert(
    fc.asyncProperty(pairs, fc.constantFrom(1 as const, 2 as const), async (series, version) => {
      const index = await IndexReader.open(new BufferAccess("index", forge(version, series)));
      assert.equal(index.version, version);
      assert.deepEqual(await index.labelNames(), ["a", "b"]);
      const got: unknown[] = [];
      await index.readSeries(await index.all(), (_, labels, e) => {
        got.push([labels.toObject(), [...e.mint.slice(0, e.chunks)], [...e.chunkRef.slice(0, e.chunks)]]);
      });
      assert.deepEqual(
        got,
        series.map(([a, b], i) => [{a, b}, [i * 10], [8 + i]]),
      );
      for (const value of new Set(series.map(([a]) => a))) {
        const {ids} = await selectPostings([matcher("a", "=", value)], index);
        assert.equal(ids.length, series.filter(([a]) => a === value).length);
        const values = await selectLabelValues("b", [matcher("a", "=", value)], index);
        assert.deepEqual(
          values,
          series.filter(([a]) => a === value).map(([, b]) => b),
        );
      }
      const all: string[] = [];
      for await (const {texts, refs} of index.symbols.all()) {
        const found = await index.symbols.resolve(refs);
        texts.forEach((symbol, i) => {
          assert.equal(found.get(refs[i] as number), symbol);
        });
        all.push(...texts);
      }
      assert.deepEqual(all, [...new Set(["a", "b", ...series.flat()])].sort());
    }),
    {numRuns: 60},
  );
});

test("nonsense behind right checksums gives an answer or a corrupt error", async () => {
  const part = fc.constantFrom("symbols", "series", "postings", "table" as const);
  const change = fc.record({at: fc.nat(400), put: fc.uint8Array({minLength: 1, maxLength: 4}), cut: fc.boolean()});
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1 as const, 2 as const),
      pairs,
      part,
      change,
      async (version, series, which, c) => {
        const bytes = forge(version, series, (name, content) => {
          if (name !== which || content.length === 0) return content;
          const at = c.at % content.length;
          if (c.cut) return content.slice(0, at);
          content.set(c.put.subarray(0, content.length - at), at);
          return content;
        });
        try {
          const index = await IndexReader.open(new BufferAccess("index", bytes));
          for (const name of await index.labelNames()) {
            const values = await index.labelValues(name);
            await index.postings(name, values);
          }
          await selectPostings([matcher("a", "=~", "1|2"), matcher("b", "!=", "z")], index);
          await index.readSeries(await index.all(), () => {});
        } catch (err) {
          assert.ok(err instanceof StrataError && err.code === "corrupt", String((err as Error).stack ?? err));
        }
      },
    ),
    {numRuns: 1500},
  );
});
