import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {BlockReader} from "../block-reader.ts";
import {goldenBlocks} from "../testing/golden-blocks.ts";
import {goldenDump} from "./golden-dump.ts";

for (const block of goldenBlocks()) {
  const path = `${block.beside}.dump.jsonl.gz`;
  if (!existsSync(path)) continue;
  test(`${block.name}: the dump is that of the reference, line by line`, async () => {
    const want = gunzipSync(readFileSync(path)).toString("utf8").split("\n");
    const reader = await BlockReader.open(block.dir);
    let i = 0;
    try {
      for await (const line of goldenDump(reader)) assert.equal(line, want[i++], `line ${i}`);
    } finally {
      await reader.close();
    }
    assert.equal(want.slice(i).join(""), "");
  });
}
