import assert from "node:assert/strict";
import {cpSync, existsSync, readdirSync, readFileSync} from "node:fs";
import {basename, join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, tempDir} from "@strata/base/testing";
import {relabelConfigs} from "@strata/model";
import {BlockReader, EMPTY_THANOS_META, goldenDump, readBlockMeta} from "@strata/tsdb";
import {parse} from "yaml";
import {parseDeletionRequests} from "./deletion-requests.ts";
import {rewriteBlock} from "./rewrite-block.ts";

type Case = {
  readonly input: string;
  readonly to_delete: string | null;
  readonly to_relabel: string | null;
  readonly outputs: readonly string[];
};

const storage = goldenDir("storage");
const cases = readdirSync(join(storage, "bucket")).filter((name) =>
  existsSync(join(storage, "bucket", name, "case.json")),
);

test("there are rewritten blocks to compare with", () => assert.ok(cases.length > 0));

for (const name of cases) {
  test(`${name} has the series, chunks and meta of the original's`, async (t) => {
    const dir = join(storage, "bucket", name);
    const {input, to_delete, to_relabel, outputs} = JSON.parse(readFileSync(join(dir, "case.json"), "utf8")) as Case;
    const tmp = tempDir(t);
    const source = join(tmp, basename(input));
    cpSync(join(storage, input), source, {recursive: true});
    const lines: string[] = [];
    const meta = await rewriteBlock(
      source,
      tmp,
      {
        deletions: parseDeletionRequests(to_delete ?? ""),
        relabel: relabelConfigs(parse(to_relabel ?? "")),
        log: (line) => lines.push(line),
      },
      new AbortController().signal,
    );
    assert.ok(meta !== undefined);
    assert.ok(lines.length > 0);
    const wantId = outputs[0] as string;
    const wantLines = gunzipSync(readFileSync(join(dir, `${wantId}.dump.jsonl.gz`)))
      .toString("utf8")
      .trimEnd()
      .split("\n");
    const got: string[] = [];
    const block = await BlockReader.open(join(tmp, meta.ulid));
    t.after(() => block.close());
    for await (const line of goldenDump(block)) got.push(line);
    assert.deepEqual(
      got.map((line) => JSON.parse(line)),
      wantLines.map((line) => JSON.parse(line)),
    );
    const want = await readBlockMeta(join(dir, wantId));
    assert.deepEqual(meta.stats, want.stats);
    assert.deepEqual({...meta.compaction, sources: []}, {...want.compaction, sources: []});
    assert.deepEqual(meta.compaction.sources, [meta.ulid]);
    const {rewrites, source: made} = want.thanos ?? EMPTY_THANOS_META;
    assert.equal(meta.thanos?.source, made);
    assert.deepEqual(meta.thanos?.rewrites.at(-1), rewrites.at(-1));
    assert.deepEqual([meta.minTime, meta.maxTime], [want.minTime, want.maxTime]);
  });
}
