import assert from "node:assert/strict";
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {before, test} from "node:test";
import {ByteBudget, StrataError} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {ENCODING, encodeFloatChunks} from "@strata/chunkenc";
import {Labels, matcher} from "@strata/model";
import type {Select} from "@strata/series";
import fc from "fast-check";
import {BlockReader} from "./block-reader.ts";
import {IndexReader} from "./index/index-reader.ts";
import {BufferAccess} from "./random-access.ts";
import {decodeTombstones, encodeTombstones, Tombstones} from "./tombstones.ts";
import {verifyBlock} from "./verify-block.ts";
import {BlockWriter} from "./writer/block-writer.ts";

/** A small sound block of a few series; its files by name. */
const files = new Map<string, Uint8Array>();

before(async (t) => {
  const dir = tempDir(t as never);
  const writer = await BlockWriter.create(dir, {segmentBytes: 400});
  for (const name of ["a", "b", "c"]) {
    for (const job of ["x", "y"]) {
      writer.startSeries(Labels.fromObject({__name__: name, job}));
      const t0 = Float64Array.from({length: 30}, (_, i) => 1_000 + i * 15_000);
      const v = Float64Array.from({length: 30}, (_, i) => Math.sin(i) * 100);
      for (const c of encodeFloatChunks({t: t0, v, n: 30}, 0, 30, 10)) {
        await writer.addChunk(c.mint, c.maxt, ENCODING.xor, c.data);
      }
      await writer.endSeries();
    }
  }
  const tombstones = new Tombstones();
  tombstones.add(5, {mint: 2_000, maxt: 100_000});
  await writer.finish({minTime: 0, maxTime: 500_000, tombstones});
  for (const name of readdirSync(writer.dir, {recursive: true, encoding: "utf8"})) {
    if (name !== "chunks") files.set(name, readFileSync(join(writer.dir, name)));
  }
});

const damagedOnce = fc.oneof(
  fc.record({kind: fc.constant("flip" as const), at: fc.nat(1 << 20), mask: fc.integer({min: 1, max: 255})}),
  fc.record({kind: fc.constant("cut" as const), at: fc.nat(1 << 20), mask: fc.constant(0)}),
  fc.record({kind: fc.constant("random" as const), at: fc.nat(1 << 20), mask: fc.integer({min: 1, max: 255})}),
);
const damages = fc.array(damagedOnce, {minLength: 1, maxLength: 3});
type Damage = {kind: "flip" | "cut" | "random"; at: number; mask: number};

function apply(bytes: Uint8Array, list: readonly Damage[]): Uint8Array {
  let out = bytes.slice();
  for (const {kind, at, mask} of list) {
    if (out.length === 0) return out;
    const place = at % out.length;
    if (kind === "cut") out = out.slice(0, place);
    else if (kind === "flip") out[place] = (out[place] as number) ^ mask;
    else for (let i = place; i < Math.min(place + 8, out.length); i++) out[i] = (out[i] as number) * mask + i;
  }
  return out;
}

const isCorrupt = (err: unknown): boolean => err instanceof StrataError && err.code === "corrupt";

async function totally(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (err) {
    assert.ok(isCorrupt(err), err instanceof Error ? (err.stack ?? err.message) : String(err));
  }
}

async function readIndex(bytes: Uint8Array): Promise<void> {
  const index = await IndexReader.open(new BufferAccess("index", bytes));
  for (const name of await index.labelNames()) {
    for (const value of await index.labelValues(name)) await index.postings(name, [value]);
  }
  await index.readSeries(await index.all(), () => {});
}

test("a damaged index gives an answer or a corrupt error", async () => {
  await fc.assert(
    fc.asyncProperty(damages, async (list) => totally(() => readIndex(apply(files.get("index") as Uint8Array, list)))),
    {numRuns: 400},
  );
  await fc.assert(fc.asyncProperty(fc.uint8Array({maxLength: 200}), (bytes) => totally(() => readIndex(bytes))));
});

test("damaged tombstones give an answer or a corrupt error", () => {
  const sound = files.get("tombstones") as Uint8Array;
  fc.assert(
    fc.property(
      fc.oneof(
        damages.map((list) => apply(sound, list)),
        fc.uint8Array({maxLength: 60}),
      ),
      (bytes) => {
        try {
          decodeTombstones(bytes, "tombstones");
        } catch (err) {
          assert.ok(isCorrupt(err), String(err));
        }
      },
    ),
  );
});

test("tombstones read back what was added, joined", () => {
  const interval = fc.tuple(fc.integer({min: -50, max: 50}), fc.nat(20)).map(([mint, n]) => ({mint, maxt: mint + n}));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), interval), {maxLength: 20}), (adds) => {
      const tombstones = new Tombstones();
      const want = new Map<number, Set<number>>();
      for (const [id, {mint, maxt}] of adds) {
        tombstones.add(id, {mint, maxt});
        const set = want.get(id) ?? new Set();
        for (let t = mint; t <= maxt; t++) set.add(t);
        want.set(id, set);
      }
      const read = decodeTombstones(encodeTombstones(tombstones), "tombstones");
      assert.equal(read.size, want.size);
      for (const [id, set] of want) {
        const list = read.get(id);
        const got = list.flatMap(({mint, maxt}) => Array.from({length: maxt - mint + 1}, (_, i) => mint + i));
        assert.deepEqual(
          got,
          [...set].sort((a, b) => a - b),
        );
        for (let i = 1; i < list.length; i++) assert.ok((list[i]?.mint ?? 0) > (list[i - 1]?.maxt ?? 0) + 1);
      }
    }),
  );
});

test("a damaged block gives series, or corrupt and not_found errors, and its report never throws", async (t) => {
  const root = tempDir(t);
  const names = [...files.keys()];
  let run = 0;
  const q: Select = {
    matchers: [matcher("job", "=~", "x|y")],
    mint: 0,
    maxt: 200_000,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [],
    withoutReplicaLabels: ["job"],
    skipChunks: false,
    limit: 0,
    partialResponse: false,
    budget: new ByteBudget("fuzz", 1 << 24),
  };
  await fc.assert(
    fc.asyncProperty(fc.nat(names.length - 1), damages, async (which, list) => {
      const dir = join(root, String(run++), "01HZGFK1803G62GEQRS5QXBBD5");
      mkdirSync(join(dir, "chunks"), {recursive: true});
      for (const [name, bytes] of files) {
        writeFileSync(join(dir, name), name === names[which] ? apply(bytes, list) : bytes);
      }
      await verifyBlock(dir);
      await totally(async () => {
        const block = await BlockReader.open(dir);
        try {
          for await (const batch of block.select(q, new AbortController().signal)) assert.ok(batch.labels.length > 0);
        } finally {
          await block.close();
        }
      });
      assert.equal(q.budget.used, 0);
    }),
    {numRuns: 150},
  );
});
