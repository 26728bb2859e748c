import assert from "node:assert/strict";
import {existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {Labels, newUlid} from "@strata/model";
import {FaultyBucket, MemoryBucket} from "@strata/objstore/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {encodeBlockMeta, parseBlockMeta} from "@strata/tsdb";
import {Shipper, type ShipperOptions} from "./shipper.ts";
import {type FakeBlock, fakeMeta} from "./testing/fake-blocks.ts";

const never = new AbortController().signal;
const id = (n: number) => newUlid(1_700_000_000_000 + n * 1000, new Uint8Array(10));

class Fixture {
  readonly dir: string;
  readonly memory = new MemoryBucket();
  readonly bucket = new FaultyBucket(this.memory);

  constructor(t: Parameters<typeof tempDir>[0]) {
    this.dir = tempDir(t);
  }

  block(block: FakeBlock): string {
    const dir = join(this.dir, block.ulid);
    mkdirSync(join(dir, "chunks"), {recursive: true});
    writeFileSync(join(dir, "chunks", "000001"), `chunks of ${block.ulid}`);
    writeFileSync(join(dir, "index"), `index of ${block.ulid}`);
    writeFileSync(join(dir, "tombstones"), "t");
    writeFileSync(join(dir, "meta.json"), encodeBlockMeta({...fakeMeta(block), thanos: undefined}));
    return dir;
  }

  shipper(options: Partial<ShipperOptions> = {}): Shipper {
    return new Shipper({
      dir: this.dir,
      bucket: this.bucket,
      labels: () => Labels.fromObject({cluster: "eu1", replica: "0"}),
      source: "sidecar",
      uploadCompacted: false,
      logger: nullLogger(),
      registry: newRegistry(),
      ...options,
    });
  }

  uploads(): string[] {
    const uploads = this.bucket.calls.filter((call) => call.operation === "upload" && call.key.endsWith("/meta.json"));
    return uploads.map((call) => call.key.slice(0, 26));
  }

  get state(): string {
    return readFileSync(join(this.dir, "thanos.shipper.json"), "utf8");
  }
}

test("level 1 blocks are uploaded oldest first with external labels; the state file lists them", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1), minTime: 200, maxTime: 300});
  f.block({ulid: id(2), minTime: 100, maxTime: 200});
  f.block({ulid: id(3), minTime: 0, maxTime: 200, level: 2});
  f.block({ulid: id(4), minTime: 300, maxTime: 400, numSamples: 0});
  mkdirSync(join(f.dir, "wal"));
  mkdirSync(join(f.dir, `${id(5)}.tmp-for-creation`));
  assert.equal(await f.shipper().sync(never), 2);
  assert.deepEqual(f.uploads(), [id(2), id(1)]);
  assert.equal(f.state, `{\n\t"version": 1,\n\t"uploaded": [\n\t\t"${id(2)}",\n\t\t"${id(1)}"\n\t]\n}\n`);

  const meta = parseBlockMeta(Buffer.from(f.memory.objects.get(`${id(1)}/meta.json`)?.bytes ?? []).toString(), "m");
  assert.deepEqual(meta.thanos?.labels, {cluster: "eu1", replica: "0"});
  assert.equal(meta.thanos?.source, "sidecar");
  assert.deepEqual(meta.thanos?.segmentFiles, ["000001"]);
  assert.deepEqual(
    meta.thanos?.files.map((file) => file.relPath),
    ["chunks/000001", "index", "meta.json"],
  );
  assert.equal(f.memory.objects.has(`${id(1)}/tombstones`), false);
  assert.equal(existsSync(join(f.dir, "thanos", "upload", id(1))), false);
  assert.equal(statSync(join(f.dir, id(1), "index")).nlink, 1);
});

test("a second round uploads only what is new and forgets what is gone", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1), minTime: 0});
  await f.shipper().sync(never);
  f.block({ulid: id(2), minTime: 100});
  rmSync(join(f.dir, id(1)), {recursive: true});
  f.bucket.calls.length = 0;
  assert.equal(await f.shipper().sync(never), 1);
  assert.deepEqual(f.uploads(), [id(2)]);
  assert.deepEqual(JSON.parse(f.state).uploaded, [id(2)]);
});

test("a lost or garbled state file costs only a look at the bucket", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1)});
  await f.shipper().sync(never);
  for (const text of ["", "{", '{"version":2,"uploaded":[]}', '{"version":1,"uploaded":[3]}']) {
    writeFileSync(join(f.dir, "thanos.shipper.json"), text);
    f.bucket.calls.length = 0;
    assert.equal(await f.shipper().sync(never), 0, text);
    assert.deepEqual(f.uploads(), []);
    assert.deepEqual(JSON.parse(f.state).uploaded, [id(1)]);
  }
});

test("nothing shipped yet is written as null", async (t) => {
  const f = new Fixture(t);
  await f.shipper().sync(never);
  assert.equal(f.state, '{\n\t"version": 1,\n\t"uploaded": null\n}\n');
});

test("a failed upload stops the round before newer blocks and leaves the state; unless order does not matter", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1), minTime: 0});
  f.block({ulid: id(2), minTime: 100});
  f.bucket.before = (call) => {
    if (call.operation === "upload" && call.key === `${id(1)}/index`) throw new StrataError("unavailable", "503");
    return undefined;
  };
  await assert.rejects(f.shipper().sync(never), new RegExp(`cannot ship block ${id(1)}.*503`));
  assert.deepEqual(f.uploads(), []);
  assert.equal(existsSync(join(f.dir, "thanos.shipper.json")), false);
  await assert.rejects(f.shipper({allowOutOfOrderUploads: true}).sync(never), /1 uploads failed/);
  assert.deepEqual(f.uploads(), [id(2)]);
  assert.deepEqual(JSON.parse(f.state).uploaded, [id(2)]);
  f.bucket.before = () => undefined;
  assert.equal(await f.shipper().sync(never), 1);
});

test("a block without a readable meta.json stops the round, or is passed over and reported", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1)});
  writeFileSync(join(f.block({ulid: id(2)}), "meta.json"), "{");
  await assert.rejects(f.shipper().sync(never), new RegExp(`cannot ship block ${id(2)}`));
  assert.deepEqual(f.uploads(), []);
  await assert.rejects(
    f.shipper({skipCorruptedBlocks: true}).sync(never),
    new RegExp(`1 blocks are corrupted \\(${id(2)}`),
  );
  assert.deepEqual(f.uploads(), [id(1)]);
});

test("a compacted block goes up only where nothing of the same labels overlaps", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1), minTime: 0, maxTime: 100});
  f.block({ulid: id(2), minTime: 100, maxTime: 300, level: 2});
  const shipper = f.shipper({uploadCompacted: true});
  assert.equal(await shipper.sync(never), 2);
  f.block({ulid: id(3), minTime: 50, maxTime: 120, level: 2});
  await assert.rejects(
    shipper.sync(never),
    new RegExp(`shipping compacted block ${id(3)} is blocked; overlap spotted`),
  );
  const other = f.shipper({uploadCompacted: true, labels: () => Labels.fromObject({cluster: "eu2"})});
  assert.equal(await other.sync(never), 1);
});

test("a block that the TSDB deletes during the upload arrives whole", async (t) => {
  const f = new Fixture(t);
  f.block({ulid: id(1)});
  f.bucket.before = (call) => {
    if (call.key.endsWith("chunks/000001")) rmSync(join(f.dir, id(1)), {recursive: true});
    return undefined;
  };
  assert.equal(await f.shipper().sync(never), 1);
  assert.equal(Buffer.from(f.memory.objects.get(`${id(1)}/index`)?.bytes ?? []).toString(), `index of ${id(1)}`);
});
