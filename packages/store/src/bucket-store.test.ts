import assert from "node:assert/strict";
import {test} from "node:test";
import {unlimited} from "@strata/base";
import {random, repeat, tempDir} from "@strata/base/testing";
import {compareLabels, Labels, type Matcher, matcher, newUlid, shardOf} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import type {Select} from "@strata/series";
import type {BucketStore, BucketStoreOptions} from "./bucket-store.ts";
import {LOCAL_TUNING, REMOTE_TUNING} from "./read-context.ts";
import {type TestBlock, type TestSeries, testChunks, writeBlock} from "./testing/make-blocks.ts";
import {openStore} from "./testing/open-store.ts";

const never = new AbortController().signal;
const id = (n: number) => newUlid(1_700_000_000_000 + n * 1000, new Uint8Array(10));

const SELECT: Omit<Select, "budget"> = {
  matchers: [matcher("__name__", "=~", ".+")],
  mint: 0,
  maxt: 1e6,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [0],
  withoutReplicaLabels: [],
  skipChunks: false,
  limit: 0,
  partialResponse: false,
};

/** Series as text: labels, then mint, maxt and bytes of each chunk. */
async function read(store: BucketStore, q: Partial<Select>): Promise<string[]> {
  const out: string[] = [];
  const budget = unlimited();
  for await (const b of store.select({...SELECT, ...q, budget}, never)) {
    assert.deepEqual(b.warnings, []);
    for (let i = 0; i < b.labels.length; i++) {
      const chunks: string[] = [];
      for (let c = b.firstChunk[i] as number; c < (b.firstChunk[i + 1] as number); c++) {
        const from = b.offset[c] as number;
        const data = Buffer.from(b.bytes.subarray(from, from + (b.length[c] as number))).toString("hex");
        chunks.push(`${b.mint[c]}-${b.maxt[c]} ${data}`);
      }
      out.push([(b.labels[i] as Labels).toString(), ...chunks].join("\n"));
    }
  }
  assert.equal(budget.used, 0, "all that was taken from the budget is given back");
  return out;
}

/** What `read` must give, worked out from the blocks' contents the slow way. */
function expected(blocks: readonly TestBlock[], q: Partial<Select>): string[] {
  const {matchers, mint, maxt, withoutReplicaLabels, shard, limit, skipChunks} = {...SELECT, ...q};
  const found = new Map<string, {labels: Labels; chunks: Map<string, {mint: number; maxt: number; data: string}>}>();
  for (const block of blocks) {
    if (block.maxTime <= mint || block.minTime > maxt) continue;
    const external = Labels.fromObject(block.external);
    const rest = matchers.filter((m) => !external.has(m.name));
    if (rest.length === 0 || !matchers.every((m) => !external.has(m.name) || m.matches(external.get(m.name)))) continue;
    for (const series of block.series) {
      const own = Labels.fromObject(series.labels);
      if (!rest.every((m) => m.matches(own.get(m.name)))) continue;
      const labels = own.extend(external).without(withoutReplicaLabels);
      if (shard !== undefined && shardOf(labels, shard) !== shard.index) continue;
      const chunks = testChunks(series).filter((chunk) => chunk.maxt >= mint && chunk.mint <= maxt);
      if (chunks.length === 0) continue;
      const key = labels.toString();
      const entry = found.get(key) ?? {labels, chunks: new Map()};
      found.set(key, entry);
      for (const chunk of chunks) {
        const data = Buffer.from(chunk.data).toString("hex");
        entry.chunks.set(`${chunk.mint}-${chunk.maxt} ${data}`, {mint: chunk.mint, maxt: chunk.maxt, data});
      }
    }
  }
  const sorted = [...found.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  return sorted.slice(0, limit || sorted.length).map(({labels, chunks}) => {
    const order = [...chunks].sort(
      ([, a], [, b]) => a.mint - b.mint || a.maxt - b.maxt || (a.data > b.data ? -1 : a.data < b.data ? 1 : 0),
    );
    return [labels.toString(), ...(skipChunks ? [] : order.map(([text]) => text))].join("\n");
  });
}

/** Label names around those of the external labels, so that adding those changes the order. */
const NAMES = ["__name__", "a", "cluster", "d", "region", "replica", "z"];

function randomBlocks(rng: () => number): TestBlock[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(rng() * list.length)] as T;
  const externals = [
    {cluster: "c1", replica: "0"},
    {cluster: "c1", replica: "1"},
    {region: "r"},
    {b: "x", cluster: "c1"},
  ];
  return Array.from({length: 1 + Math.floor(rng() * 5)}, (_, i) => {
    const minTime = Math.floor(rng() * 5) * 100;
    const series = new Map<string, TestSeries>();
    // A block whose series have external label names themselves is rare, and handled apart.
    const names = rng() < 0.3 ? NAMES : ["__name__", "a", "d", "z"];
    for (let s = 0; s < 30; s++) {
      const labels: Record<string, string> = {};
      for (const name of names) {
        if (name === "__name__" || rng() < 0.5) labels[name] = pick(["v1", "v2", "\u{10000}", "\uffee"]);
      }
      const times: number[] = [];
      for (let t = minTime + Math.floor(rng() * 40); t < minTime + 100; t += 1 + Math.floor(rng() * 20)) times.push(t);
      if (times.length > 0) series.set(JSON.stringify(Labels.fromObject(labels)), {labels, times});
    }
    const unique = new Map([...series.values()].map((s) => [Labels.fromObject(s.labels).toString(), s]));
    const external = pick(externals);
    const indexVersion = rng() < 0.25 ? 1 : 2;
    return {ulid: id(i), minTime, maxTime: minTime + 100, external, series: [...unique.values()], indexVersion};
  });
}

function randomSelect(rng: () => number): Partial<Select> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(rng() * list.length)] as T;
  const matchers: Matcher[] = [
    pick([matcher("__name__", "=~", ".+"), matcher("__name__", "=", "v1"), matcher("a", "!=", "")]),
  ];
  if (rng() < 0.5) {
    const op = pick(["=", "!=", "=~", "!~"] as const);
    matchers.push(matcher(pick(NAMES), op, pick(["v1", "v1|v2", ".*", ".+", "", "c1", "v.*"])));
  }
  const mint = Math.floor(rng() * 600);
  return {
    matchers,
    mint,
    maxt: mint + Math.floor(rng() * 300),
    withoutReplicaLabels: pick([[], [], ["replica"], ["replica", "cluster"], ["a"]]),
    limit: rng() < 0.2 ? 1 + Math.floor(rng() * 10) : 0,
    skipChunks: rng() < 0.2,
    shard: rng() < 0.2 ? {index: Math.floor(rng() * 3), total: 3, by: rng() < 0.5, labels: ["a", "d"]} : undefined,
  };
}

/** What must not change any answer. */
function randomOptions(rng: () => number): Partial<BucketStoreOptions> {
  const size = () => (rng() < 0.5 ? undefined : Math.floor(rng() * 100));
  return {
    headersInMemory: rng() < 0.3,
    // Selections take a sixteenth of it at the most: some are kept, some not.
    rowCacheBytes: rng() < 0.3 ? undefined : 16 * Math.floor(1000 + rng() * 40_000),
    lazyPostings: rng() < 0.5 ? undefined : {maxKeySeriesRatio: Math.floor(rng() * 3) / 4},
    sizes: {seriesBytes: size(), chunkBytes: size(), blockRows: size()},
  };
}

test("random blocks and selects give what the blocks hold, in order, without duplicates", async (t) => {
  const rng = random();
  for (let round = 0; round < repeat(60); round++) {
    const dir = tempDir(t);
    const blocks = randomBlocks(rng);
    for (const block of blocks) await writeBlock(dir, block);
    const tuning = rng() < 0.5 ? LOCAL_TUNING : {...REMOTE_TUNING, unitBytes: 1000};
    // The duplicate filter of the fixture would drop none: each block is its own source.
    const {store} = await openStore(t, new FilesystemBucket(dir), {tuning, ...randomOptions(rng)});
    for (let i = 0; i < 30; i++) {
      const q = randomSelect(rng);
      const want = expected(blocks, q);
      const text = JSON.stringify({...q, matchers: q.matchers?.map((m) => m.name + m.op + m.value)});
      assert.deepEqual(await read(store, q), want, text);
      const values = want.map((series) => series.split("\n")[0]);
      if (q.limit === 0 && q.shard === undefined) await checkLabels(store, q, blocks, values as string[], text);
    }
    await store.close();
  }
});

/** Names and values must be those of the series that a select finds, but where the index answers for a whole block. */
async function checkLabels(
  store: BucketStore,
  q: Partial<Select>,
  blocks: readonly TestBlock[],
  series: readonly string[],
  text: string,
): Promise<void> {
  const query = {
    matchers: q.matchers ?? [],
    mint: q.mint ?? 0,
    maxt: q.maxt ?? 0,
    withoutReplicaLabels: q.withoutReplicaLabels ?? [],
    limit: 0,
    partialResponse: false,
  };
  const names = new Set<string>();
  for (const line of series) for (const match of line.matchAll(/[{ ]([a-z_]+)="/g)) names.add(match[1] as string);
  const {values: got} = await store.labelNames(query, never);
  // Compat: an external label is named where any series matched, also one that a replica label of its own hides.
  assert.deepEqual(got, [...names].sort(), `names ${text}`);
  const {values} = await store.labelValues("a", query, never);
  const wanted = new Set(series.flatMap((line) => [...(/[{ ]a="([^"]*)"/.exec(line)?.slice(1) ?? [])]));
  assert.deepEqual(new Set(values), query.withoutReplicaLabels.includes("a") ? new Set() : wanted, `values ${text}`);
  assert.ok(blocks.length > 0);
}

test("a fine block that reaches over several coarse ones is read once", async (t) => {
  const dir = tempDir(t);
  const series = [{labels: {__name__: "m"}, times: [10, 20, 150, 250]}];
  const external = {cluster: "c"};
  await writeBlock(dir, {ulid: id(1), minTime: 0, maxTime: 300, external, series});
  const {store} = await openStore(t, new FilesystemBucket(dir));
  assert.equal((await read(store, {maxResolution: 3_600_000})).length, 1);
});

test("two matchers may name the same value", async (t) => {
  const dir = tempDir(t);
  const series = [{labels: {__name__: "m", a: "1"}, times: [10]}];
  await writeBlock(dir, {ulid: id(1), minTime: 0, maxTime: 300, external: {cluster: "c"}, series});
  const {store} = await openStore(t, new FilesystemBucket(dir), {tuning: REMOTE_TUNING});
  const matchers = [matcher("__name__", "=", "m"), matcher("a", "=", "1"), matcher("a", "=~", "1|2")];
  assert.equal((await read(store, {matchers})).length, 1);
});

test("batches are read one after the other without a slow reader holding up the others", async (t) => {
  const dir = tempDir(t);
  const series = Array.from({length: 700}, (_, i) => ({labels: {__name__: "m", i: String(i)}, times: [1, 2, 3]}));
  await writeBlock(dir, {ulid: newUlid(1_700_000_000_000), minTime: 0, maxTime: 10, external: {r: "x"}, series});
  const tuning = {...LOCAL_TUNING, batches: 1, unitBytes: 1000};
  const {store} = await openStore(t, new FilesystemBucket(dir), {tuning});
  const q = {...SELECT, matchers: [matcher("__name__", "=", "m")], mint: 0, maxt: 10};
  // Each takes one batch of many and no more, while the next is read for it; one leaves in the middle.
  const leaving = new AbortController();
  const slow = Array.from({length: 5}, () => store.select({...q, budget: unlimited()}, leaving.signal));
  for (const one of slow) assert.ok(((await one.next()).value?.labels.length ?? 0) < series.length);
  const all = await Promise.all(Array.from({length: 5}, () => read(store, q)));
  for (const found of all) assert.equal(found.length, series.length);
  leaving.abort(new Error("left"));
  for (const one of slow) await one.return(undefined);
  assert.equal((await read(store, q)).length, series.length);
});
