import assert from "node:assert/strict";
import {existsSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, tempDir} from "@strata/base/testing";
import {parseBlockMeta} from "../block-meta.ts";
import {BlockReader} from "../block-reader.ts";
import {type GoldenBlock, goldenBlocks} from "../testing/golden-blocks.ts";
import {goldenDump} from "../tools/golden-dump.ts";
import {compactBlocks} from "./compact-blocks.ts";

type Case = {name: string; via: string; args?: string[]; outputs: string[]; inputs: string[]};

const byUlid = new Map<string, GoldenBlock>();
for (const part of ["blocks", "compaction"]) {
  for (const block of goldenBlocks(part)) byUlid.set(block.name.split("/").at(-1) as string, block);
}

const root = goldenDir("storage");
const cases = readdirSync(join(root, "compaction"))
  .map((name) => join(root, "compaction", name, "case.json"))
  .filter((path) => existsSync(path))
  .map((path) => JSON.parse(readFileSync(path, "utf8")) as Case)
  // Deduplication functions are the compactor's.
  .filter((c) => !JSON.stringify([c.via, c.args]).includes("penalty"));

test("there are compaction cases", () => assert.ok(cases.some((c) => c.outputs.length > 0)));

for (const c of cases) {
  for (const output of c.outputs) {
    const dir = join(root, output);
    const want = parseBlockMeta(readFileSync(join(dir, "meta.json"), "utf8"), dir);
    const parents = want.compaction.parents.map(({ulid}) => byUlid.get(ulid));
    // A parent that the run made and removed again is not among the data.
    if (parents.length === 0 || parents.some((block) => block === undefined)) continue;
    test(`${c.name}: the merge of ${parents.length} blocks is that of the reference`, async (t) => {
      const inputs: BlockReader[] = [];
      for (const block of parents) inputs.push(await BlockReader.open((block as GoldenBlock).dir));
      const parent = tempDir(t);
      const meta = await compactBlocks(inputs, parent, {ulid: want.ulid, thanos: want.thanos});
      for (const input of inputs) await input.close();
      assert.deepEqual(meta, want);
      const made = await BlockReader.open(join(parent, want.ulid));
      const lines = gunzipSync(readFileSync(`${dir}.dump.jsonl.gz`))
        .toString("utf8")
        .split("\n");
      let i = 0;
      for await (const line of goldenDump(made)) assert.equal(line, lines[i++], `line ${i}`);
      assert.equal(lines.slice(i).join(""), "");
      await made.close();
      for (const file of ["index", ...readdirSync(join(dir, "chunks")).map((name) => `chunks/${name}`)]) {
        assert.ok(readFileSync(join(made.dir, file)).equals(readFileSync(join(dir, file))), file);
      }
    });
  }
}
