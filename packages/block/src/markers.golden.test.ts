import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {FilesystemBucket} from "@strata/objstore";
import {nullLogger} from "@strata/telemetry";
import {encodeMark, type MarkKind, readMark} from "./markers.ts";

const never = new AbortController().signal;
const KINDS: readonly MarkKind[] = ["deletion", "no-compact", "no-downsample"];

test("golden markers are read and written back byte for byte", async () => {
  const folder = goldenDir("storage", "bucket", "objects");
  const bucket = new FilesystemBucket(folder);
  let seen = 0;
  for (const file of readdirSync(folder, {recursive: true, encoding: "utf8"})) {
    const kind = KINDS.find((k) => file.endsWith(`/${k}-mark.json`));
    if (kind === undefined) continue;
    const mark = await readMark(bucket, file.slice(0, file.indexOf("/")), kind, nullLogger(), never);
    assert.ok(mark !== undefined, file);
    assert.equal(encodeMark(kind, mark), readFileSync(join(folder, file), "utf8"), file);
    seen++;
  }
  assert.ok(seen > 0);
});
