import assert from "node:assert/strict";
import {chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir, tempDir} from "@strata/base/testing";
import {compareLabels, type Labels, parseUlid} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {maskChunk} from "../chunk-mask.ts";
import type {ChunkItem} from "../compact/chunk-item.ts";
import {type DamageOp, damage} from "../testing/damage.ts";
import {readJsonGz, readJsonLines} from "../testing/golden-blocks.ts";
import {covers, touches} from "../tombstones.ts";
import {goldenSamples} from "../tools/golden-dump.ts";
import {firstDifference, goldenWalCases, hex, labelsForm} from "../wal/testing/golden-wal.ts";
import {chunkLists, goldenHead, slotsInOrder} from "./golden-head.ts";
import {Head, type HeadOptions} from "./head.ts";

type Series = {readonly labels: [string, string][]; readonly samples: unknown[]};

const path = (name: string, ...parts: string[]): string => goldenDir("storage", "wal", name, ...parts);

function copyOf(t: Parameters<typeof tempDir>[0], name: string): string {
  const dir = tempDir(t);
  cpSync(path(name, "data"), dir, {recursive: true});
  for (const file of readdirSync(dir, {recursive: true, encoding: "utf8"})) chmod(join(dir, file));
  chmod(dir);
  return dir;
}

const chmod = (file: string): void => chmodSync(file, statSync(file).isDirectory() ? 0o755 : 0o644);

async function openBlocks(dir: string): Promise<BlockReader[]> {
  const blocks: BlockReader[] = [];
  for (const name of readdirSync(dir)) {
    if (parseUlid(name) === undefined) continue;
    try {
      blocks.push(await BlockReader.open(join(dir, name)));
    } catch {
      // Compat: a block that cannot be opened is left out.
    }
  }
  return blocks;
}

const options = (blocks: readonly BlockReader[]): HeadOptions => ({
  outOfOrderWindow: 50 * 60 * 1000,
  outOfOrderCap: 8,
  maxExemplars: 10_000,
  stopAtDamage: true,
  minValidTime: Math.max(...blocks.map((b) => b.meta.maxTime), Number.NEGATIVE_INFINITY),
});

/** All series of blocks and head, merged, with deletions applied. */
async function everything(head: Head, blocks: readonly BlockReader[]): Promise<Series[]> {
  const all = new Map<string, {labels: Labels; lists: ChunkItem[][]}>();
  const of = (labels: Labels) => {
    const key = String(labels);
    let entry = all.get(key);
    if (entry === undefined) {
      entry = {labels, lists: []};
      all.set(key, entry);
    }
    return entry.lists;
  };
  for (const block of blocks) {
    for (const id of await block.index.all()) {
      const {labels, entry} = await block.index.series(id);
      const deleted = block.tombstones.get(id);
      const list: ChunkItem[] = [];
      await block.chunks.read(entry.chunkRef.slice(0, entry.chunks), (i, encoding, buffer, from, length) => {
        const [mint, maxt] = [entry.mint[i] as number, entry.maxt[i] as number];
        const data = buffer.slice(from, from + length);
        if (covers(deleted, mint, maxt)) return;
        if (!touches(deleted, mint, maxt)) list.push({mint, maxt, encoding, data, from: 0, length});
        else {
          const left = maskChunk(encoding, data, 0, length, deleted, {name: "block", offset: 0});
          if (left !== undefined) list.push({...left, from: 0, length: left.data.length});
        }
      });
      of(labels).push(list);
    }
  }
  for (const slot of slotsInOrder(head)) {
    of(head.store.table.labels(slot)).push(...chunkLists(head, slot));
  }
  const series: Series[] = [];
  for (const {labels, lists} of [...all.values()].sort((a, b) => compareLabels(a.labels, b.labels))) {
    const samples = mergedSamples(lists);
    if (samples.length > 0) series.push({labels: labelsForm(labels) as [string, string][], samples});
  }
  return series;
}

/** The samples of all chunks in the reference's form, ascending by time, one a time: that of the first list that has it. */
function mergedSamples(lists: readonly (readonly ChunkItem[])[]): unknown[] {
  const byTime = new Map<number, unknown>();
  for (const list of lists) {
    for (const {encoding, data, from, length} of list) {
      for (const sample of goldenSamples(encoding, data, from, length) as [number, ...unknown[]][]) {
        if (!byTime.has(sample[0])) byTime.set(sample[0], sample);
      }
    }
  }
  return [...byTime].sort(([a], [b]) => a - b).map(([, sample]) => sample);
}

/** Without what a reader of re-encoded chunks says of counter resets: it is not part of a sample. */
const plain = (series: readonly Series[]): unknown =>
  series.map(({labels, samples}) => ({
    labels,
    samples: (samples as [number, unknown, number?][]).map(([t, v, ...st]) =>
      typeof v === "string" ? [t, v, ...st] : [t, {...(v as object), reset: 0}, ...st],
    ),
  }));

function assertSeries(got: readonly Series[], want: readonly Series[]): void {
  assert.equal(firstDifference(plain(got), plain(want)), undefined);
}

/**
 * Everything of `least` is there and nothing beyond `most`. Where the reference loses samples that are on the disk (chunks
 * of a series that the log names twice) this head has them.
 */
function assertBetween(got: readonly Series[], least: readonly Series[], most: readonly Series[]): void {
  const flat = (list: readonly Series[]): Set<string> =>
    new Set((plain(list) as Series[]).flatMap(({labels, samples}) => samples.map((s) => JSON.stringify([labels, s]))));
  const have = flat(got);
  const allowed = flat(most);
  for (const sample of flat(least)) assert.ok(have.has(sample), `lost ${sample}`);
  for (const sample of have) assert.ok(allowed.has(sample), `invented ${sample}`);
}

for (const name of goldenWalCases()) {
  test(`${name}: the head has the reference's chunks`, async (t) => {
    const dir = copyOf(t, name);
    const blocks = await openBlocks(dir);
    t.after(async () => void (await Promise.all(blocks.map((b) => b.close()))));
    const head = await Head.open(dir, options(blocks));
    t.after(() => head.close());
    const want = readJsonLines<object>(path(name, "expected-head.jsonl.gz"));
    const got = [...goldenHead(head)];
    assert.equal(got.length, want.length);
    assert.equal(firstDifference(JSON.parse(JSON.stringify(got)), want), undefined);
  });

  test(`${name}: all samples are there`, async (t) => {
    const dir = copyOf(t, name);
    const blocks = await openBlocks(dir);
    t.after(async () => void (await Promise.all(blocks.map((b) => b.close()))));
    const head = await Head.open(dir, options(blocks));
    t.after(() => head.close());
    assertSeries(await everything(head, blocks), readJsonLines<Series>(path(name, "expected.jsonl.gz")));
  });

  test(`${name}: exemplars are there`, async (t) => {
    const dir = copyOf(t, name);
    const blocks = await openBlocks(dir);
    t.after(async () => void (await Promise.all(blocks.map((b) => b.close()))));
    const head = await Head.open(dir, options(blocks));
    t.after(() => head.close());
    const want = JSON.parse(readFileSync(path(name, "expected-exemplars.json"), "utf8")) ?? [];
    const got: unknown[] = [];
    for (const slot of slotsInOrder(head)) {
      const ref = head.store.table.ref[slot] as number;
      const list = head.exemplars.of(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      if (list.length === 0) continue;
      const exemplars = list.map((e) => ({labels: labelsForm(e.labels), t: e.t, v: hex(e.v)}));
      got.push({series: labelsForm(head.store.table.labels(slot)), exemplars});
    }
    assert.deepEqual(got, want);
  });

  if (!existsSync(join(goldenDir("storage", "wal", name), "variants.json.gz"))) continue;
  for (const variant of readJsonGz<Variant[]>(path(name, "variants.json.gz"))) {
    test(`${name}, ${variant.name}: ${variant.note}`, async (t) => {
      const dir = copyOf(t, name);
      damage(dir, variant.ops);
      const blocks = await openBlocks(dir);
      t.after(async () => void (await Promise.all(blocks.map((b) => b.close()))));
      const {open_error: error, same_as_base: same, expected_file: file, missing} = variant.first_open;
      if (error !== undefined) {
        await assert.rejects(Head.open(dir, options(blocks)), {name: "StrataError", code: "corrupt"});
        return;
      }
      const head = await Head.open(dir, options(blocks));
      t.after(() => head.close());
      const got = await everything(head, blocks);
      const base = readJsonLines<Series>(path(name, "expected.jsonl.gz"));
      if (file !== undefined) assertSeries(got, readJsonLines<Series>(path(name, file)));
      else if (same) assertSeries(got, base);
      else assertBetween(got, without(base, missing ?? []), base);
      assert.equal(head.series, variant.first_open.head_series);
    });
  }
}

type Missing = {readonly labels: [string, string][]; readonly times?: readonly number[]};

type Variant = {
  readonly name: string;
  readonly note: string;
  readonly ops: readonly DamageOp[];
  readonly first_open: {
    readonly open_error?: string;
    readonly same_as_base?: boolean;
    readonly expected_file?: string;
    readonly missing?: readonly Missing[];
    readonly head_series?: number;
  };
};

function without(base: readonly Series[], missing: readonly Missing[]): Series[] {
  // Without times all samples of the series are missing.
  const times = new Map(missing.map((m) => [JSON.stringify(m.labels), m.times && new Set(m.times)]));
  return base
    .map(({labels, samples}) => {
      const key = JSON.stringify(labels);
      const gone = times.get(key);
      if (times.has(key) && gone === undefined) return {labels, samples: []};
      return {labels, samples: (samples as [number, unknown][]).filter(([at]) => !gone?.has(at))};
    })
    .filter(({samples}) => samples.length > 0);
}
