import assert from "node:assert/strict";
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {random, repeat, tempDir} from "@strata/base/testing";
import {crc32c} from "@strata/kernels";
import {BufferAccess, decodePostingList, type RandomAccess} from "@strata/tsdb";
import {forgeIndex} from "@strata/tsdb/testing";
import {buildIndexHeader, indexHeaderBytes} from "./build.ts";
import {IndexHeaderReader} from "./reader.ts";

const str = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const u32 = (n: number) => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
};

/** An index with the given symbols and postings table whose series and postings sections are empty. */
function makeIndex(symbols: readonly string[], entries: readonly [string, string, number][]): Buffer {
  const section = (count: number, body: Buffer) => {
    const content = Buffer.concat([u32(count), body]);
    return Buffer.concat([u32(content.length), content, u32(crc32c(content))]);
  };
  const symbolSection = section(symbols.length, Buffer.concat(symbols.map(str)));
  const table = section(
    entries.length,
    Buffer.concat(entries.map(([n, v, at]) => Buffer.concat([Buffer.from([2]), str(n), str(v), Buffer.from([at])]))),
  );
  const tableAt = 5 + symbolSection.length;
  const toc = Buffer.alloc(52);
  for (let i = 0; i < 6; i++) toc.writeBigUInt64BE(BigInt(i === 0 ? 5 : tableAt), i * 8);
  toc.writeUInt32BE(crc32c(toc.subarray(0, 48)), 48);
  return Buffer.concat([Buffer.from("baaad70002", "hex"), symbolSection, table, toc]);
}

const index = makeIndex(
  ["", "a", "b", "c"],
  [
    ["", "", 8],
    ["a", "b", 16],
    ["a", "c", 24],
  ],
);

async function openBuilt(source: RandomAccess, path: string): Promise<IndexHeaderReader> {
  await buildIndexHeader(source, path);
  return IndexHeaderReader.open(path);
}

test("the last list of the table ends where the table starts", async (t) => {
  const reader = await openBuilt(new BufferAccess("x", index), join(tempDir(t), "h"));
  t.after(() => reader.close());
  const end = 5 + 4 + 4 + 1 + 6 + 4; // the postings section is empty, so its end is that of the symbols
  assert.deepEqual(
    [...(await reader.postings.ranges("a", ["b", "bb", "c", "d"]))],
    [20, 20, -1, -1, 28, end - 4, -1, -1],
  );
});

test("values of several index-headers in memory are found side by side", async () => {
  const values = Array.from({length: 20}, (_, i) => String.fromCharCode(97 + i));
  const readers = await Promise.all(
    [0, 1, 2].map(async (k) => {
      const entries = values.map((v, i): [string, string, number] => ["a", v, 16 + 40 * k + i]);
      const bytes = await indexHeaderBytes(new BufferAccess("x", makeIndex(["", "a", ...values], entries)));
      return IndexHeaderReader.over(new BufferAccess(`h${k}`, bytes));
    }),
  );
  const ask = (reader: IndexHeaderReader) => reader.postings.ranges("a", ["b", "g", "t"]);
  const alone: Float64Array[] = [];
  for (const reader of readers) alone.push(await ask(reader));
  assert.deepEqual(await Promise.all(readers.map(ask)), alone);
  assert.equal(alone[1]?.[0], 16 + 40 + 1 + 4);
});

test("a damaged index or index-header gives a corrupt error or the sound answer, never another", async (t) => {
  const directory = tempDir(t);
  const path = join(directory, "h");
  const sound = await answers(await openBuilt(new BufferAccess("x", index), path));
  const header = readFileSync(path);
  const rng = random(1);
  const damages: ((b: Buffer) => Buffer)[] = [];
  for (let i = 0; i < header.length; i++) damages.push((b) => flip(b, i, 1 << (i % 8)));
  for (let i = 0; i < header.length; i += 3) damages.push((b) => b.subarray(0, i));
  for (let i = 0; i < repeat(2000); i++) {
    const [at, mask] = [Math.floor(rng() * header.length), 1 + Math.floor(rng() * 255)];
    damages.push((b) => flip(flip(b, at, mask), (at * 7) % b.length, mask));
  }
  for (const damage of damages) {
    writeFileSync(path, damage(Buffer.from(header)));
    await soundOrCorrupt(() => IndexHeaderReader.open(path), sound);
  }
  for (let i = 0; i < index.length; i++) {
    const source = new BufferAccess("blk/index", flip(Buffer.from(index), i, 1 << (i % 8)));
    await soundOrCorrupt(() => openBuilt(source, path), sound);
  }
});

test("a header too large for one piece is written in parts, the same", async (t) => {
  // 40,000 values make a table beyond the tail and a header beyond what is put together in memory.
  const values = Array.from({length: 40_000}, (_, i) => `value-${String(i).padStart(6, "0")}-${"x".repeat(20)}`);
  const large = makeIndex(
    ["", ...values],
    [["", "", 8], ...values.map((v): [string, string, number] => ["a", v, 100])],
  );
  const reader = await openBuilt(new BufferAccess("x", large), join(tempDir(t), "h"));
  t.after(() => reader.close());
  assert.deepEqual(await reader.labelValues("a"), values);
  const refs = Uint32Array.from(values, (_, i) => i + 1);
  assert.deepEqual(await reader.symbols.lookup(refs), values);
});

/** Series of 100 hosts in label order, with values of one byte, of UTF-8 and longer than a window for lookups. */
const HOSTS = Array.from({length: 100}, (_, i) => `${i % 3 === 0 ? "é" : "h"}${String(i).padStart(3, "0")}`)
  .concat("x".repeat(9000))
  .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const hosts = HOSTS.map((host) => ({
  labels: [["host", host] as const, ["job", host.startsWith("h") ? "a" : "b"] as const],
  chunks: [{mint: 0, maxt: 5, ref: 8}],
}));

test("the unsorted tables of index version 1 answer like those of version 2", async (t) => {
  const found: unknown[] = [];
  for (const version of [2, 1] as const) {
    const bytes = forgeIndex(version, hosts);
    const reader = await openBuilt(new BufferAccess("x", bytes), join(tempDir(t), "h"));
    t.after(() => reader.close());
    assert.equal(reader.indexVersion, version);
    const {postings} = reader;
    const lists = async (name: string, ranges: Float64Array) =>
      [...ranges].flatMap((start, i): (string | number)[] => {
        if (i % 2 === 1) return [];
        if (start < 0) return [`no list of ${name}`];
        const ids = decodePostingList(bytes, start - 4, (ranges[i + 1] as number) + 4, "x", 0);
        return [ids.length];
      });
    const some = ["h001", "h00x", "h010", "h100", "x", "x".repeat(9000)];
    const third = await reader.select("host", "h0", (value) => value.endsWith("1"));
    found.push({
      names: reader.labelNames(),
      hosts: await reader.labelValues("host"),
      counts: [postings.valueCount("host"), postings.valueCount("job"), postings.valueCount("no"), postings.has("no")],
      some: await lists("host", await postings.ranges("host", some)),
      none: await lists("no", await postings.ranges("no", some)),
      all: await lists("", await postings.ranges("", [""])),
      third: [third.values, await lists("host", third.ranges)],
      no: (await reader.select("no", "", () => true)).values,
    });
    assert.ok(postings.byteLength > 0);
  }
  assert.deepEqual(found[1], found[0]);
});

test("symbols of index version 1 are found by their offsets in the index", async (t) => {
  const texts = ["a", "b", "host", "job", ...HOSTS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const reader = await openBuilt(new BufferAccess("x", forgeIndex(1, hosts)), join(tempDir(t), "h"));
  t.after(() => reader.close());
  const refs: number[] = [];
  let at = 13;
  for (const text of texts) {
    refs.push(at);
    at += Buffer.byteLength(text) + (text.length < 128 ? 1 : 2);
  }
  assert.deepEqual(await reader.symbols.lookup(Uint32Array.from(refs)), texts);
  assert.deepEqual(await reader.symbols.lookup(Uint32Array.from([refs.at(-1) as number])), [texts.at(-1)]);
  assert.ok(reader.symbols.has(13) && !reader.symbols.has(at));
  for (const wrong of [0, 4, at, 2 ** 31])
    await assert.rejects(
      reader.symbols.lookup(Uint32Array.of(wrong)),
      (err) => (err as StrataError).code === "corrupt",
    );
});

test("a damaged header of index version 1 gives a corrupt error or the sound answer, never another", async (t) => {
  const path = join(tempDir(t), "h");
  const source = new BufferAccess("x", forgeIndex(1, hosts.slice(0, 5)));
  const sound = await valuesOf(await openBuilt(source, path));
  const header = readFileSync(path);
  for (let i = 0; i < header.length; i++) {
    writeFileSync(path, flip(Buffer.from(header), i, 1 << (i % 8)));
    await soundOrCorrupt(() => IndexHeaderReader.open(path), sound, valuesOf);
  }
  for (const entries of [2, 3]) {
    const twice = forgeIndex(1, hosts.slice(0, entries), (part, bytes) =>
      part === "table" ? Buffer.concat([u32(6), bytes.subarray(4), bytes.subarray(4)]) : bytes,
    );
    await assert.rejects(
      openBuilt(new BufferAccess("x", twice), path),
      (err) => (err as StrataError).code === "corrupt",
    );
  }
});

test("an index that is no index leaves no file behind", async (t) => {
  const directory = tempDir(t);
  mkdirSync(join(directory, "d"));
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), index.subarray(0, 60)]) {
    await assert.rejects(
      buildIndexHeader(new BufferAccess("blk/index", bytes), join(directory, "d", "h")),
      /blk\/index/,
    );
  }
  assert.deepEqual(readdirSync(join(directory, "d")), []);
});

function flip(bytes: Buffer, at: number, mask: number): Buffer {
  bytes[at] = (bytes[at] as number) ^ mask;
  return bytes;
}

async function answers(reader: IndexHeaderReader): Promise<string> {
  try {
    const symbols = await reader.symbols.lookup(Uint32Array.from({length: reader.symbols.count}, (_, i) => i));
    return JSON.stringify([await valuesOf(reader), symbols]);
  } finally {
    await reader.close();
  }
}

/** All values with their lists' places. */
async function valuesOf(reader: IndexHeaderReader): Promise<string> {
  try {
    const names = reader.labelNames();
    const values = await Promise.all(names.map((name) => reader.select(name, "", () => true)));
    return JSON.stringify([names, values.map((v) => [v.values, [...v.ranges]])]);
  } finally {
    await reader.close();
  }
}

async function soundOrCorrupt(
  open: () => Promise<IndexHeaderReader>,
  sound: string,
  ask: (reader: IndexHeaderReader) => Promise<string> = answers,
): Promise<void> {
  try {
    assert.equal(await ask(await open()), sound);
  } catch (err) {
    if (err instanceof assert.AssertionError) throw err;
    assert.ok(err instanceof StrataError && err.code === "corrupt", String(err));
  }
}
