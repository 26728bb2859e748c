import assert from "node:assert/strict";
import {appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {repeat, seed, tempDir} from "@strata/base/testing";
import {ByteReader} from "@strata/bytes";
import fc from "fast-check";
import {decodeHistogramRecord} from "./histogram-records.ts";
import {
  decodeExemplars,
  decodeMarkers,
  decodeMetadata,
  decodeSeries,
  decodeStones,
  encodeStones,
} from "./other-records.ts";
import {RECORD} from "./record-type.ts";
import {decodeSamples, encodeSamples, SampleColumns} from "./sample-records.ts";
import {listSegments, PAGE_BYTES, segmentName} from "./segments.ts";
import {readRecords} from "./wal-reader.ts";
import {damageOf, repairLog} from "./wal-repair.ts";
import {WalWriter} from "./wal-writer.ts";

const read = (dir: string): Buffer[] => {
  const records: Buffer[] = [];
  readRecords(listSegments(dir), (record) => void records.push(Buffer.from(record)));
  return records;
};

const record = (i: number, bytes: number): Buffer => Buffer.alloc(bytes, `${i} some text that repeats `);

for (const compression of ["none", "snappy", "zstd"] as const) {
  test(`records of any length come back, over pages and segments (${compression})`, async (t) => {
    const dir = tempDir(t);
    const lengths = [0, 1, 7, 32754, 32761, 32762, 40000, 98304, 5, 300000, 12, 65536, 0];
    const records = lengths.map((bytes, i) => record(i, bytes));
    const wal = WalWriter.open(dir, {compression, segmentBytes: 4 * PAGE_BYTES});
    wal.log(records.slice(0, 5));
    for (const one of records.slice(5)) wal.log([one]);
    await wal.close();
    assert.deepEqual(read(dir), records);
    for (const {bytes} of listSegments(dir)) assert.equal(bytes % PAGE_BYTES, 0);
  });
}

test("records end at every place near the end of a page", async (t) => {
  for (let left = 0; left <= 20; left++) {
    const dir = tempDir(t);
    const records = [record(0, PAGE_BYTES - 7 - left), record(1, 50), record(2, 3 * PAGE_BYTES), record(3, 0)];
    const wal = WalWriter.open(dir);
    for (const one of records) wal.log([one]);
    await wal.close();
    assert.deepEqual(read(dir), records, `${left} bytes left`);
  }
});

test("a log that is opened again goes on in a new segment", async (t) => {
  const dir = tempDir(t);
  for (let i = 0; i < 3; i++) {
    const wal = WalWriter.open(dir);
    wal.log([record(i, 10)]);
    await wal.acknowledge();
    await wal.close();
  }
  assert.deepEqual(
    listSegments(dir).map(({index}) => index),
    [0, 1, 2],
  );
  assert.deepEqual(read(dir), [record(0, 10), record(1, 10), record(2, 10)]);
});

test("commits that wait together share one sync and all resolve", async (t) => {
  const dir = tempDir(t);
  const wal = WalWriter.open(dir, {sync: "commit"});
  const waits: Promise<void>[] = [];
  for (let i = 0; i < 100; i++) {
    wal.log([record(i, 50)]);
    waits.push(wal.acknowledge());
  }
  await Promise.all(waits);
  await wal.close();
  assert.equal(read(dir).length, 100);
});

test("a log cut anywhere gives a prefix of its records, and after repair exactly those", async (t) => {
  const dir = tempDir(t);
  const wal = WalWriter.open(dir, {compression: "snappy"});
  const records = Array.from({length: 40}, (_, i) => Buffer.from(`${i}`.repeat(1 + (i % 7) * 300)));
  const ends: number[] = [];
  for (const one of records) {
    wal.log([one]);
    ends.push(wal.offset);
  }
  await wal.close();
  const path = join(dir, segmentName(0));
  const whole = readFileSync(path);
  const used = ends.at(-1) as number;
  const run = async (cut: number): Promise<void> => {
    writeFileSync(path, whole.subarray(0, cut));
    // A file that ends early is read as if zeros followed, which may be just what was cut off.
    const kept = ends.filter((end) => whole.subarray(cut, end).every((byte) => byte === 0)).length;
    const got: Buffer[] = [];
    try {
      readRecords(listSegments(dir), (one) => {
        // A type byte and zeros are an empty record, checksum included; nobody logs one.
        if (one.length > 0) got.push(Buffer.from(one));
      });
    } catch (err) {
      const damage = damageOf(err as StrataError);
      assert.ok(damage, String(err));
      assert.equal(damage.segment, 0);
      await repairLog(dir, damage);
      assert.deepEqual(read(dir), records.slice(0, kept));
    }
    assert.deepEqual(got, records.slice(0, kept), `cut at ${cut}`);
  };
  const step = Math.ceil(used / repeat(1000));
  for (let cut = 0; cut <= used; cut += step) await run(cut);
  for (const end of ends) for (const near of [end - 1, end, end + 1]) await run(near);
});

test("repair removes what lies behind the damage", async (t) => {
  const dir = tempDir(t);
  const wal = WalWriter.open(dir, {segmentBytes: PAGE_BYTES});
  for (let i = 0; i < 30; i++) wal.log([record(i, 8000)]);
  await wal.close();
  const before = read(dir);
  const damaged = readFileSync(join(dir, segmentName(3)));
  damaged[9000] = (damaged[9000] as number) ^ 1;
  writeFileSync(join(dir, segmentName(3)), damaged);
  let error: unknown;
  try {
    read(dir);
  } catch (err) {
    error = err;
  }
  assert.ok(error instanceof StrataError && error.code === "corrupt");
  const damage = damageOf(error);
  assert.equal(damage?.segment, 3);
  await repairLog(dir, damage as NonNullable<typeof damage>);
  const after = read(dir);
  assert.deepEqual(after, before.slice(0, after.length));
  assert.equal(after.length, 13);
  assert.equal(listSegments(dir).at(-1)?.index, 3);
});

test("a missing segment is corrupt", async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, segmentName(1)), "");
  writeFileSync(join(dir, segmentName(3)), "");
  assert.throws(() => listSegments(dir), /segment 00000002 is missing/);
});

test("any bytes as a segment give records or a corrupt error that names segment and offset", async (t) => {
  const dir = tempDir(t);
  const wal = WalWriter.open(dir, {compression: "zstd"});
  for (let i = 0; i < 20; i++) wal.log([record(i, i * 997)]);
  await wal.close();
  const path = join(dir, segmentName(0));
  const sound = readFileSync(path);
  const check = (bytes: Uint8Array): void => {
    writeFileSync(path, bytes);
    try {
      read(dir);
    } catch (err) {
      assert.ok(err instanceof StrataError, String(err));
      assert.equal(err.code, "corrupt");
      assert.equal(err.fields.segment, 0);
      assert.ok(Number(err.fields.offset) <= bytes.length);
    }
  };
  const options = {numRuns: repeat(2000), seed: seed()};
  fc.assert(fc.property(fc.uint8Array({maxLength: 200}), check), options);
  const flips = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({min: 1, max: 255})), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(flips, (list) => {
      const bytes = Buffer.from(sound);
      for (const [at, mask] of list) bytes[at] = (bytes[at] as number) ^ mask;
      check(bytes);
    }),
    options,
  );
});

test("any bytes as a record give entries or a corrupt error", () => {
  const decode = (type: number, bytes: Uint8Array): void => {
    const r = new ByteReader(bytes, "record");
    try {
      if (type === RECORD.series) decodeSeries(r, () => undefined);
      else if (type === RECORD.samples || type === RECORD.samplesV2) decodeSamples(r, type, new SampleColumns());
      else if (type === RECORD.tombstones) decodeStones(r);
      else if (type === RECORD.exemplars) decodeExemplars(r);
      else if (type === RECORD.metadata) decodeMetadata(r);
      else if (type === RECORD.mmapMarkers) decodeMarkers(r);
      else decodeHistogramRecord(r, type, []);
    } catch (err) {
      assert.ok(err instanceof StrataError && err.code === "corrupt", String(err));
    }
  };
  fc.assert(fc.property(fc.constantFrom(...Object.values(RECORD)), fc.uint8Array({maxLength: 120}), decode), {
    numRuns: repeat(50_000),
    seed: seed(),
  });
});

test("samples with far-apart references, times and NaN payloads come back", () => {
  const columns = new SampleColumns(1);
  columns.pushWords(5, -1_000_000, 2, 0x7ff00000, 0);
  columns.pushWords(2 ** 40, 1_717_459_200_000, 0xdead, 0xfff80000, 0);
  columns.pushWords(1, -(2 ** 52), 0, 0, 77);
  for (const type of [RECORD.samples, RECORD.samplesV2]) {
    const bytes = encodeSamples(columns, 0, 3, type === RECORD.samplesV2).slice();
    const back = new SampleColumns();
    decodeSamples(new ByteReader(bytes, "record", 1), type, back);
    assert.equal(back.n, 3);
    assert.deepEqual(back.ref.slice(0, 3), columns.ref.slice(0, 3));
    assert.deepEqual(back.t.slice(0, 3), columns.t.slice(0, 3));
    assert.deepEqual(back.words.slice(0, 6), columns.words.slice(0, 6));
    if (type === RECORD.samplesV2) assert.deepEqual(back.st.slice(0, 3), columns.st.slice(0, 3));
  }
});

test("a deletion of all times comes back", () => {
  const stone = {ref: 3, mint: -(2 ** 63), maxt: 2 ** 63};
  assert.deepEqual(decodeStones(new ByteReader(encodeStones([stone]), "record", 1)), [stone]);
});

test("a failed batch leaves nothing behind and the next one follows the last good one", async (t) => {
  const dir = tempDir(t);
  const wal = WalWriter.open(dir, {segmentBytes: PAGE_BYTES});
  wal.log([record(1, 100)]);
  const hostile = {
    get length(): number {
      throw new Error("refused");
    },
  } as unknown as Uint8Array;
  assert.throws(() => wal.log([record(2, 30000), record(3, 30000), hostile]), /refused/);
  wal.log([record(4, 100)]);
  await wal.close();
  assert.deepEqual(read(dir), [record(1, 100), record(4, 100)]);
  assert.deepEqual(readdirSync(dir), [segmentName(0)]);
  assert.equal(statSync(join(dir, segmentName(0))).size, PAGE_BYTES);
});

test("bytes behind the last record that are no padding are corrupt", async (t) => {
  const dir = tempDir(t);
  const wal = WalWriter.open(dir);
  wal.log([record(1, 100)]);
  const end = wal.offset;
  await wal.close();
  const path = join(dir, segmentName(0));
  truncateSync(path, end + 10);
  appendFileSync(path, "x");
  assert.throws(() => read(dir), /padding is not zero/);
});
