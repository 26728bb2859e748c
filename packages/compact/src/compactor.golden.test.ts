import assert from "node:assert/strict";
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, tempDir} from "@strata/base/testing";
import {parseGoDuration} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type BlockMeta, BlockReader, compactBlocks, goldenDump, readBlockMeta} from "@strata/tsdb";
import {Compactor, type CompactorOptions} from "./compactor.ts";
import {PenaltyMerge} from "./merge/penalty-merge.ts";

type Mark = {
  readonly block: string;
  readonly file: string;
  readonly content: {readonly details?: string; readonly reason?: string};
};
type Case = {
  readonly name: string;
  readonly via: string;
  readonly args?: readonly string[];
  readonly exit_code: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly marks?: readonly Mark[];
};

const root = goldenDir("storage");
const cases = readdirSync(join(root, "compaction"))
  .map((name) => join(root, "compaction", name, "case.json"))
  .filter((path) => existsSync(path))
  .map((path) => JSON.parse(readFileSync(path, "utf8")) as Case);
const never = new AbortController().signal;

/** The options that the arguments of a case stand for. */
function optionsOf(args: readonly string[]): Partial<CompactorOptions> {
  const value = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const replica = value("deduplication.replica-label");
  const delay = value("delete-delay");
  return {
    downsampling: !args.includes("--downsampling.disable"),
    vertical: args.includes("--compact.enable-vertical-compaction"),
    skipOutOfOrder: args.includes("--compact.skip-block-with-out-of-order-chunks"),
    dedup: value("deduplication.func") === "penalty" ? "penalty" : "",
    replicaLabels: replica === undefined ? [] : [replica],
    hashFunc: value("hash-func") === "SHA256" ? "SHA256" : "",
    deleteDelayMs: delay === undefined ? undefined : parseGoDuration(delay),
  };
}

/** A bucket with the inputs of a case; uploads carry no tombstones. */
function bucketOf(t: TestContext, c: Case): string {
  const dir = join(tempDir(t), "bucket");
  mkdirSync(dir);
  for (const input of c.inputs) {
    const name = input.split("/").at(-1) as string;
    for (const part of ["chunks", "index", "meta.json"]) {
      cpSync(join(root, input, part), join(dir, name, part), {recursive: true});
    }
  }
  return dir;
}

async function compact(t: TestContext, bucketDir: string, options: Partial<CompactorOptions>): Promise<void> {
  const bucket = new FilesystemBucket(bucketDir);
  const compactor = new Compactor({
    bucket,
    dataDir: tempDir(t),
    logger: nullLogger(),
    registry: newRegistry(),
    ...options,
  });
  try {
    await compactor.runOnce(never);
  } finally {
    await compactor.close();
    await bucket.close();
  }
}

const blocksIn = (dir: string): string[] => readdirSync(dir).filter((name) => existsSync(join(dir, name, "meta.json")));

const marksIn = (dir: string): Mark[] =>
  blocksIn(dir).flatMap((block) =>
    readdirSync(join(dir, block))
      .filter((file) => file.endsWith("-mark.json"))
      .map((file) => ({block, file, content: JSON.parse(readFileSync(join(dir, block, file), "utf8"))})),
  );

async function dumpOf(dir: string): Promise<string[]> {
  const block = await BlockReader.open(dir);
  const lines: string[] = [];
  for await (const line of goldenDump(block)) lines.push(line);
  await block.close();
  return lines;
}

const goldenLines = (dir: string): string[] =>
  gunzipSync(readFileSync(`${dir}.dump.jsonl.gz`))
    .toString("utf8")
    .trimEnd()
    .split("\n");

/** All but ids of merged blocks, and times of upload. Blocks of one start may lie in any order among the parents. */
function comparable({ulid: _, thanos, compaction, ...meta}: BlockMeta, known: ReadonlySet<string>) {
  const parents = compaction.parents.map((p) => ({...p, ulid: known.has(p.ulid) ? p.ulid : "merged"}));
  parents.sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
  return {...meta, compaction: {...compaction, parents}, thanos: {...thanos, uploadTime: ""}};
}

test("there are compaction cases", () => assert.ok(cases.some((c) => c.outputs.length > 0)));

for (const c of cases.filter(({via, exit_code}) => via === "thanos compact" && exit_code === 0)) {
  test(`${c.name}: blocks, marks and what is in them are those of the reference`, async (t) => {
    const dir = bucketOf(t, c);
    await compact(t, dir, optionsOf(c.args ?? []));
    const inputs = new Set(c.inputs.map((input) => input.split("/").at(-1) as string));
    const made = blocksIn(dir).filter((name) => !inputs.has(name));
    assert.equal(made.length, c.outputs.length);
    const metas = await Promise.all(made.map((name) => readBlockMeta(join(dir, name))));
    for (const output of c.outputs) {
      const want = await readBlockMeta(join(root, output));
      const own = metas.find((m) => m.minTime === want.minTime && m.maxTime === want.maxTime);
      assert.ok(own !== undefined, `no block [${want.minTime}, ${want.maxTime})`);
      assert.deepEqual(comparable(own, inputs), comparable(want, inputs));
      const lines = goldenLines(join(root, output));
      const got = await dumpOf(join(dir, own.ulid));
      for (const [i, line] of got.entries()) assert.equal(line, lines[i], `series ${i}`);
      assert.equal(got.length, lines.length);
    }
    // Blocks that were merged on the way have marks too, under ids of their own.
    const short = ({block, file, content}: Mark) =>
      `${inputs.has(block) ? block : "merged"} ${file} ${content.details} ${content.reason}`;
    assert.deepEqual(marksIn(dir).map(short).sort(), (c.marks ?? []).map(short).sort());
  });
}

for (const c of cases.filter(({via}) => via.endsWith("merge function: penalty"))) {
  test(`${c.name}: the merge by penalty is that of the reference`, async (t) => {
    const parent = tempDir(t);
    const readers: BlockReader[] = [];
    for (const input of c.inputs) readers.push(await BlockReader.open(join(root, input)));
    using penalty = new PenaltyMerge();
    const meta = await compactBlocks(readers, parent, {merge: penalty.merge});
    await Promise.all(readers.map((reader) => reader.close()));
    const [output = ""] = c.outputs;
    const lines = goldenLines(join(root, output));
    const got = await dumpOf(join(parent, String(meta?.ulid)));
    for (const [i, line] of got.entries()) assert.equal(line, lines[i], `series ${i}`);
    assert.equal(got.length, lines.length);
  });
}

for (const c of cases.filter(({exit_code}) => exit_code !== 0)) {
  test(`${c.name}: where the reference stops, blocks are merged whole or set aside with an explanation`, async (t) => {
    const dir = bucketOf(t, c);
    await compact(t, dir, optionsOf(c.args ?? []));
    const inputs = c.inputs.map((input) => input.split("/").at(-1) as string);
    const made = blocksIn(dir).filter((name) => !inputs.includes(name));
    const marks = marksIn(dir);
    if (made.length > 0) {
      const [only = ""] = made;
      const meta = await readBlockMeta(join(dir, only));
      assert.deepEqual([...meta.compaction.sources], [...inputs].sort());
      return;
    }
    assert.ok(marks.length > 0);
    for (const {file, content} of marks) {
      assert.equal(file, "no-compact-mark.json");
      assert.match(String(content.details), /\w{20}|.{60}/);
    }
    const halting = compact(t, bucketOf(t, c), {...optionsOf(c.args ?? []), haltOnError: true});
    await assert.rejects(halting, {name: "HaltError"});
  });
}
