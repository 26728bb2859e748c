import assert from "node:assert/strict";
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir, type TestScope, tempDir} from "@strata/base/testing";
import {type Result, runStrata} from "../testing/run-strata.ts";

const source = goldenDir("storage", "bucket", "objects");

/** A copy of the golden bucket, and a shell for `tools bucket` over it. */
function copyOfBucket(t: TestScope) {
  const dir = tempDir(t);
  const objects = join(dir, "objects");
  cpSync(source, objects, {recursive: true});
  const config = (path: string): string => `{type: FILESYSTEM, config: {directory: ${JSON.stringify(path)}}}`;
  const tool = (...args: string[]): Promise<Result> =>
    runStrata("tools", "bucket", ...args, "--objstore.config", config(objects));
  /** Blocks whose meta.json can be read: one of the bucket's is broken. */
  const ids = (): string[] => readdirSync(objects).filter((name) => metaOf(objects, name) !== undefined);
  return {dir, objects, config, tool, ids};
}

type Meta = {
  ulid: string;
  thanos?: {source?: string; labels?: Record<string, string>; downsample: {resolution: number}};
};
function metaOf(objects: string, ulid: string): Meta | undefined {
  try {
    return JSON.parse(readFileSync(join(objects, ulid, "meta.json"), "utf8")) as Meta;
  } catch {
    return undefined;
  }
}

/** Raw blocks whose index and chunks can be read. */
const rawIds = (objects: string, ids: readonly string[]): string[] =>
  ids.filter(
    (id) => existsSync(join(objects, id, "index")) && metaOf(objects, id)?.thanos?.downsample.resolution === 0,
  );

test("mark writes and removes a mark, and refuses a block that is not there", async (t) => {
  const {objects, tool, ids} = copyOfBucket(t);
  const ulid = ids().find((id) => !existsSync(join(objects, id, "no-downsample-mark.json"))) as string;
  const path = join(objects, ulid, "no-downsample-mark.json");
  const marker = "--marker=no-downsample-mark.json";
  const done = await tool("mark", `--id=${ulid}`, marker, "--details=kept raw");
  assert.equal(done.code, 0, done.err);
  const {no_downsample_time: time, ...rest} = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  assert.deepEqual(rest, {id: ulid, version: 1, details: "kept raw", reason: "manual"});
  assert.ok(Number.isInteger(time));

  assert.equal((await tool("mark", `--id=${ulid}`, marker, "--remove")).code, 0);
  assert.ok(!existsSync(path));
  const again = await tool("mark", `--id=${ulid}`, marker, "--remove");
  assert.equal(again.code, 0);
  assert.match(again.err, /no such mark to remove/);

  const unexplained = await tool("mark", `--id=${ulid}`, marker);
  assert.deepEqual([unexplained.code, /required flag --details not provided/.test(unexplained.err)], [1, true]);
  const absent = await tool("mark", "--id=01ARZ3NDEKTSV4RRFFQ69G5FAV", marker, "--details=x");
  assert.equal(absent.code, 1);
  assert.match(absent.err, /cannot mark block 01ARZ3NDEKTSV4RRFFQ69G5FAV: it is not in bucket/);
  assert.ok(!existsSync(join(objects, "01ARZ3NDEKTSV4RRFFQ69G5FAV")));
});

test("rewrite shows what would change, then uploads a changed copy and marks the original", async (t) => {
  const {dir, objects, tool, ids} = copyOfBucket(t);
  const before = ids();
  const ulid = rawIds(objects, before)[0] as string;
  const args = ["rewrite", `--id=${ulid}`, `--tmp.dir=${join(dir, "tmp")}`];
  const rules = ["--rewrite.to-relabel-config", "[{target_label: added, replacement: 'yes'}]"];

  const dry = await tool(...args, ...rules);
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /^Relabelled \{.*\} \{.*added="yes".*\}$/m);
  assert.deepEqual(ids(), before);

  const wet = await tool(...args, ...rules, "--no-dry-run", "--delete-blocks");
  assert.equal(wet.code, 0, wet.err);
  const made = ids().filter((id) => !before.includes(id));
  assert.equal(made.length, 1);
  const meta = metaOf(objects, made[0] as string);
  assert.equal(meta?.thanos?.source, "bucket.rewrite");
  assert.deepEqual(meta?.thanos?.labels, metaOf(objects, ulid)?.thanos?.labels);
  assert.ok(existsSync(join(objects, ulid, "deletion-mark.json")));
  assert.match(readFileSync(join(dir, "tmp", ulid, "change.log"), "utf8"), /^Relabelled /);

  const nothing = await tool(...args);
  assert.equal(nothing.code, 1);
  assert.match(nothing.err, /nothing to rewrite: give --rewrite\.to-delete-config/);
  const wrong = await tool(...args, "--rewrite.to-delete-config", "[{matchers: '{a=}'}]");
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /deletion request 0: cannot use matchers \{a=\}/);
});

test("upload-blocks ships local blocks with the labels given", async (t) => {
  const {dir, objects, ids} = copyOfBucket(t);
  const local = join(dir, "local");
  const ulid = rawIds(objects, ids())[0] as string;
  mkdirSync(local);
  cpSync(join(source, ulid), join(local, ulid), {recursive: true});
  const empty = join(dir, "empty");
  mkdirSync(empty);
  const to = ["--objstore.config", `{type: FILESYSTEM, config: {directory: ${JSON.stringify(empty)}}}`];
  const upload = (...args: string[]) =>
    runStrata("tools", "bucket", "upload-blocks", `--path=${local}`, ...args, ...to);
  const unlabelled = await upload();
  assert.equal(unlabelled.code, 1);
  assert.match(unlabelled.err, /no external labels: give at least one --label/);
  const done = await upload('--label=site="x"', "--shipper.upload-compacted");
  assert.equal(done.code, 0, done.err);
  const {source: made, labels} = metaOf(empty, ulid)?.thanos ?? {};
  assert.equal(made, "bucket.upload");
  assert.equal(labels?.site, "x");
  assert.deepEqual(readFileSync(join(empty, ulid, "index")), readFileSync(join(source, ulid, "index")));
});

test("replicate copies what its flags choose, and ends after a single run", async (t) => {
  const {dir, objects, config, tool, ids} = copyOfBucket(t);
  const to = join(dir, "to");
  mkdirSync(to);
  const done = await tool(
    "replicate",
    "--objstore-to.config",
    config(to),
    "--single-run",
    "--resolution=0s",
    "--ignore-marked-for-deletion",
    "--http-address=127.0.0.1:0",
  );
  assert.equal(done.code, 0, done.err);
  const wanted = ids().filter((id) => {
    const thanos = metaOf(objects, id)?.thanos;
    const marked = existsSync(join(objects, id, "deletion-mark.json"));
    return thanos?.downsample.resolution === 0 && !marked && Object.keys(thanos.labels ?? {}).length > 0;
  });
  assert.deepEqual(
    readdirSync(to)
      .filter((name) => !name.startsWith("."))
      .sort(),
    wanted.sort(),
  );
  for (const id of wanted) {
    assert.deepEqual(readFileSync(join(to, id, "meta.json")), readFileSync(join(objects, id, "meta.json")), id);
  }
});

test("cleanup deletes what was marked long ago, retention marks what is old, verify finds nothing more", async (t) => {
  const {objects, tool, ids} = copyOfBucket(t);
  const before = ids();
  const marked = before.filter((id) => existsSync(join(objects, id, "deletion-mark.json")));
  assert.ok(marked.length > 0);
  const early = await tool("cleanup", "--delete-delay=876000h", "--consistency-delay=0s");
  assert.equal(early.code, 0, early.err);
  assert.deepEqual(ids(), before);
  const done = await tool("cleanup", "--delete-delay=0s", "--consistency-delay=0s");
  assert.equal(done.code, 0, done.err);
  assert.deepEqual(
    ids(),
    before.filter((id) => !marked.includes(id)),
  );

  const kept = await tool("retention", "--retention.resolution-raw=100y", "--consistency-delay=0s");
  assert.equal(kept.code, 0, kept.err);
  assert.match(kept.err, /msg="retention applied" marked=0/);
  const old = await tool("retention", "--retention.resolution-5m=1d", "--consistency-delay=0s");
  assert.equal(old.code, 0, old.err);
  for (const id of ids()) {
    // Blocks of 5 m without their hour are not let go.
    const fiveMinutes = metaOf(objects, id)?.thanos?.downsample.resolution === 300_000;
    if (fiveMinutes) assert.match(old.err, new RegExp(`keeping block beyond its retention.*${id}`));
    assert.ok(!existsSync(join(objects, id, "deletion-mark.json")), id);
  }

  const verified = await tool("verify");
  assert.equal(verified.code, 0, verified.err);
  assert.match(verified.err, /msg="verify task completed"/);
  const unknown = await tool("verify", "--issues=nosuch");
  assert.equal(unknown.code, 1);
  assert.match(
    unknown.err,
    /no such issue ID nosuch; known: index_known_issues, overlapped_blocks, duplicated_compaction/,
  );
  const noBackup = await tool("verify", "--repair", "--issues=index_known_issues");
  assert.match(noBackup.err, /give --objstore-backup\.config/);
});
