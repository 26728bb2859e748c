import assert from "node:assert/strict";
import {cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {basename, join} from "node:path";
import {test} from "node:test";
import {goldenDir, type TestScope, tempDir} from "@strata/base/testing";
import {BaseFetcher, DeletionMarkFilter, indexHealth, MetaFetcher, readLocalMeta} from "@strata/block";
import {FilesystemBucket} from "@strata/objstore";
import {type LogFields, type Logger, newRegistry, nullLogger} from "@strata/telemetry";
import {BlockReader, goldenDump} from "@strata/tsdb";
import {issuesOf, verifyBucket} from "./verify-bucket.ts";

type Line = {readonly level: string; readonly msg: string} & Readonly<Record<string, unknown>>;
type Capture = {readonly exit_code: number; readonly log: readonly Line[]; readonly blocks?: readonly string[]};

const storage = goldenDir("storage");
const captures = JSON.parse(readFileSync(join(storage, "bucket", "verify.json"), "utf8")) as Record<string, Capture>;

/** A logger that keeps its lines. */
function recorder(lines: Line[], fixed: LogFields = {}): Logger {
  const at =
    (level: string) =>
    (msg: string, fields: LogFields = {}) =>
      void lines.push({level, msg, ...fixed, ...fields});
  return {
    enabled: () => true,
    debug: () => {},
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields: LogFields) => recorder(lines, {...fixed, ...fields}),
  };
}

function bucketOf(t: TestScope, capture: Capture): string {
  if (capture.blocks === undefined) return join(storage, "bucket", "objects");
  const dir = join(tempDir(t), "bucket");
  for (const path of capture.blocks) cpSync(join(storage, path), join(dir, basename(path)), {recursive: true});
  return dir;
}

async function verify(dir: string, issues: readonly string[], backupDir?: string): Promise<Line[]> {
  const lines: Line[] = [];
  const signal = new AbortController().signal;
  const bucket = new FilesystemBucket(dir);
  const base = new BaseFetcher({bucket, concurrency: 4, logger: nullLogger()});
  const fetcher = new MetaFetcher(base, [new DeletionMarkFilter(bucket, 0, nullLogger())], newRegistry());
  const repair = backupDir !== undefined;
  await verifyBucket(issuesOf(issues, repair), {
    bucket,
    backup: repair ? new FilesystemBucket(backupDir) : undefined,
    repair,
    deleteDelayMs: 0,
    blocks: async () => [...(await fetcher.fetch(signal)).metas.values()].sort((a, b) => (a.ulid < b.ulid ? -1 : 1)),
    ulids: [],
    logger: recorder(lines),
    signal,
  });
  return lines;
}

/** Lines of the tool itself, blocks in them in one order: the original's follows from chance. */
function comparable(lines: readonly Line[]): string[] {
  return lines
    .filter(({verifiers}) => verifiers !== undefined)
    .map((line) => {
      const fields = Object.entries(line).map(([name, value]) => {
        const text = String(value);
        const blocks = text.match(/<ulid: [^>]*>/g)?.sort() ?? [];
        const ids = text.replace(/(empty chunks for series ).*/, "$1");
        return [name, blocks.length > 0 ? [text.replace(/<ulid: [^>]*>/g, "B"), ...blocks].join(" ") : ids];
      });
      return JSON.stringify(fields.sort());
    })
    .sort();
}

test("there are runs of verify to compare with", () => assert.ok(Object.keys(captures).length > 0));

for (const [name, capture] of Object.entries(captures)) {
  test(`verify logs what the original logs: ${name}`, async (t) => {
    const issue = name.replace(/^.*: /, "");
    const lines = await verify(bucketOf(t, capture), [issue]);
    assert.deepEqual(comparable(lines), comparable(capture.log));
  });
}

/** All samples of a block, by series. */
async function samplesOf(dir: string): Promise<string[]> {
  const block = await BlockReader.open(dir);
  try {
    const lines: string[] = [];
    for await (const line of goldenDump(block)) {
      const {labels, samples} = JSON.parse(line) as {labels: unknown; samples: unknown};
      lines.push(JSON.stringify({labels, samples}));
    }
    return lines;
  } finally {
    await block.close();
  }
}

const unhealthy = readdirSync(join(storage, "blocks")).filter((name) => name.startsWith("unhealthy-"));

for (const name of unhealthy) {
  test(`repair of ${name}: a healthy block in its place, or the old one and why`, async (t) => {
    const tmp = tempDir(t);
    const [ulid] = readdirSync(join(storage, "blocks", name)).filter((entry) => !entry.includes(".")) as [string];
    const [dir, backup] = [join(tmp, "bucket"), join(tmp, "backup")];
    mkdirSync(backup);
    cpSync(join(storage, "blocks", name, ulid), join(dir, ulid), {recursive: true});
    const meta = await readLocalMeta(join(dir, ulid));
    const lines = await verify(dir, ["index_known_issues"], backup);
    const ids = readdirSync(dir).filter((entry) => !entry.startsWith("."));
    const found = lines.find(({msg}) => msg === "detected issue");
    if (found === undefined || lines.some(({msg}) => msg === "could not repair index")) {
      assert.deepEqual(ids, [ulid], "what cannot be mended stays");
      return;
    }
    assert.equal(ids.length, 1);
    const made = join(dir, ids[0] as string);
    const after = await readLocalMeta(made);
    assert.equal(after.thanos?.source, "bucket.repair");
    assert.deepEqual(
      [after.minTime, after.maxTime, after.thanos?.labels],
      [meta.minTime, meta.maxTime, meta.thanos?.labels],
    );
    assert.equal((await indexHealth(made, after.minTime, after.maxTime)).anyError, undefined);
    assert.deepEqual(
      readdirSync(backup).filter((entry) => !entry.startsWith(".")),
      [ulid],
    );
    const kept = new Set((await samplesOf(made)).join("\n").match(/\[\d+,"[0-9a-f]{16}"\]/g));
    for (const sample of (await samplesOf(join(backup, ulid))).join("\n").match(/\[\d+,"[0-9a-f]{16}"\]/g) ?? []) {
      const t0 = Number(/\d+/.exec(sample)?.[0]);
      if (t0 >= meta.minTime && t0 < meta.maxTime) assert.ok(kept.has(sample), `lost ${sample}`);
    }
  });
}

test("a chunk whose checksum is wrong is found, named, and left to its owner", async (t) => {
  const tmp = tempDir(t);
  const [dir, backup] = [join(tmp, "bucket"), join(tmp, "backup")];
  mkdirSync(backup);
  const source = readdirSync(join(storage, "blocks", "tiny")).find((entry) => !entry.includes(".")) as string;
  cpSync(join(storage, "blocks", "tiny", source), join(dir, source), {recursive: true});
  const segment = join(dir, source, "chunks", "000001");
  const bytes = readFileSync(segment);
  bytes[bytes.length - 6] = (bytes[bytes.length - 6] as number) ^ 1;
  writeFileSync(segment, bytes);
  const lines = await verify(dir, ["index_known_issues"], backup);
  const found = lines.find(({msg}) => msg === "detected issue");
  assert.match(String(found?.err), /chunk/);
  assert.ok(lines.some(({msg}) => msg === "could not repair index"));
  assert.deepEqual(
    readdirSync(dir).filter((entry) => !entry.startsWith(".")),
    [source],
  );
});
