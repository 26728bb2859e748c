import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {labelsHash, type MatchOp, matcher} from "@strata/model";
import {BufferAccess} from "../random-access.ts";
import {type DumpSeries, goldenBlocks, readJsonGz, readJsonLines} from "../testing/golden-blocks.ts";
import {IndexReader} from "./index-reader.ts";
import {selectLabelNames, selectLabelValues} from "./select-labels.ts";
import {selectPostings} from "./select-postings.ts";

type GoldenMatcher = {type: MatchOp; name: string; value: string};
type GoldenPostings = {
  index: {version: number; toc: Record<string, number>};
  label_names: string[];
  label_names_for: {matchers: GoldenMatcher[]; result: string[]}[];
  label_values: Record<string, string[]>;
  label_values_for: {matchers: GoldenMatcher[]; name: string; result: string[]}[];
  lookups: {matchers: GoldenMatcher[]; ids: number[]}[];
  postings: {name: string; value: string; ids: number[]}[];
  sharded: {shard_index: number; shard_count: number; ids: number[]}[];
  symbols: number;
};

const blocks = goldenBlocks("blocks");
const matchers = (list: readonly GoldenMatcher[]) => list.map((m) => matcher(m.name, m.type, m.value));

test("there are golden blocks", () => assert.ok(blocks.length > 0));

for (const block of blocks) {
  test(`${block.name}: postings, names, values and lookups are those of the reference`, async () => {
    const path = `${block.beside}.postings.json.gz`;
    if (!existsSync(path)) return;
    const want = readJsonGz<GoldenPostings>(path);
    const index = await IndexReader.openFile(join(block.dir, "index"));
    try {
      assert.equal(index.version, want.index.version);
      assert.deepEqual(
        {...index.toc},
        {
          symbols: want.index.toc.symbols,
          series: want.index.toc.series,
          labelIndices: want.index.toc.label_indices,
          labelIndicesTable: want.index.toc.label_indices_table,
          postings: want.index.toc.postings,
          postingsTable: want.index.toc.postings_table,
        },
      );
      assert.equal(index.symbols.count, want.symbols);
      assert.deepEqual(await index.labelNames(), want.label_names);
      for (const [name, values] of Object.entries(want.label_values)) {
        assert.deepEqual(await index.labelValues(name), values, name);
        assert.equal(index.cardinality(name), values.length, name);
      }
      for (const {name, value, ids} of want.postings) {
        const lists = await index.postings(name, [value]);
        assert.deepEqual(
          lists.map((list) => [...list]),
          [ids],
          `${name}=${value}`,
        );
      }
      for (const {matchers: list, ids} of want.lookups) {
        const got = await selectPostings(matchers(list), index);
        assert.deepEqual([...got.ids], ids, JSON.stringify(list));
        assert.equal(got.pending.length, 0);
      }
      for (const {matchers: list, result} of want.label_names_for) {
        assert.deepEqual(await selectLabelNames(matchers(list), index), result, JSON.stringify(list));
      }
      for (const {matchers: list, name, result} of want.label_values_for) {
        assert.deepEqual(
          await selectLabelValues(name, matchers(list), index),
          result,
          `${name} ${JSON.stringify(list)}`,
        );
      }
      for (const {shard_index, shard_count, ids} of want.sharded) {
        const got: number[] = [];
        await index.readSeries(await index.all(), (id, labels) => {
          if (labelsHash(labels) % BigInt(shard_count) === BigInt(shard_index)) got.push(id);
        });
        assert.deepEqual(got, ids, `shard ${shard_index} of ${shard_count}`);
      }
    } finally {
      await index.close();
    }
  });

  test(`${block.name}: series entries are those of the dump`, async () => {
    const dump = readJsonLines<DumpSeries>(`${block.beside}.dump.jsonl.gz`);
    const index = await IndexReader.open(new BufferAccess(block.name, readFileSync(join(block.dir, "index"))));
    const got: unknown[] = [];
    await index.readSeries(await index.all(), (id, labels, entry) => {
      const chunks: unknown[] = [];
      for (let i = 0; i < entry.chunks; i++) {
        chunks.push([String(entry.chunkRef[i]), entry.mint[i], entry.maxt[i]]);
      }
      got.push([id, [...labels], chunks]);
    });
    const want = dump.map((s) => [s.id, s.labels, s.chunks.map((c) => [c.ref, c.mint, c.maxt])]);
    assert.deepEqual(got, want);
  });
}
