import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {encodeBlockMeta, parseBlockMeta} from "./block-meta.ts";

const files = [goldenDir("storage"), goldenDir("query")].flatMap((root) =>
  readdirSync(root, {recursive: true, encoding: "utf8"})
    .filter((path) => path.endsWith("/meta.json"))
    .map((path) => join(root, path)),
);

test("every golden meta.json is read, and written back byte for byte", () => {
  assert.ok(files.length > 0);
  let identical = 0;
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    // Damaged ones and hand-made ones are there on purpose; whatever parses as ours must come back unchanged.
    if (!isWhole(text)) continue;
    assert.equal(encodeBlockMeta(parseBlockMeta(text, file)), text, file);
    identical++;
  }
  assert.ok(identical > files.length / 2, `${identical} of ${files.length}`);
});

function isWhole(text: string): boolean {
  try {
    return (JSON.parse(text) as {version?: unknown}).version === 1;
  } catch {
    return false;
  }
}
