import assert from "node:assert/strict";
import {chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, type TestScope, tempDir} from "@strata/base/testing";
import {type DamageOp, damage} from "../testing/damage.ts";
import {readJsonGz} from "../testing/golden-blocks.ts";
import {DataDir} from "./data-dir.ts";
import {goldenDataLines} from "./golden-data-dir.ts";

type Variant = {
  readonly name: string;
  readonly ops: readonly DamageOp[];
  readonly first_open: {
    readonly expected_file?: string;
    readonly same_as_base?: boolean;
    readonly missing?: unknown;
    readonly open_error?: string;
  };
};

/** Cases with damaged variants, found by listing. */
const bases = readdirSync(goldenDir("storage", "wal"))
  .map((name) => goldenDir("storage", "wal", name))
  .filter((dir) => existsSync(join(dir, "variants.json.gz")));

function copyOfData(t: TestScope, base: string): string {
  const dir = join(tempDir(t), "data");
  cpSync(join(base, "data"), dir, {recursive: true});
  for (const name of ["", ...readdirSync(dir, {recursive: true, encoding: "utf8"})]) {
    const path = join(dir, name);
    chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
  }
  return dir;
}

const contents = (dir: string): string[] =>
  readdirSync(dir, {recursive: true, encoding: "utf8"})
    .map((name) => `${name} ${statSync(join(dir, name)).size}`)
    .sort();

for (const [base, {name, ops, first_open: want}] of bases.flatMap((dir) =>
  readJsonGz<Variant[]>(join(dir, "variants.json.gz")).map((variant) => [dir, variant] as const),
)) {
  const linesOf = (file: string): string => gunzipSync(readFileSync(join(base, file))).toString();
  test(`${name}: a damaged directory is dumped as the reference opens it, and not changed`, async (t) => {
    const dir = copyOfData(t, base);
    damage(dir, ops);
    const before = contents(dir);
    const sandboxRoot = tempDir(t);
    const options = {skipBadBlocks: true, outOfOrderCap: 8, sandboxRoot};
    if (want.open_error !== undefined) {
      await assert.rejects(DataDir.open(dir, options), (err: Error & {code?: string}) => {
        assert.equal(err.code, "corrupt", String(err));
        assert.ok(err.message.includes(dir), err.message);
        return true;
      });
    } else {
      const open = await DataDir.open(dir, options);
      let text = "";
      for await (const line of goldenDataLines(open)) text += `${line}\n`;
      await open.close();
      const file = want.expected_file ?? (want.same_as_base === true ? "expected.jsonl.gz" : undefined);
      // Where the reference only lists what it lost, this head may have more.
      if (file !== undefined) assert.ok(text === linesOf(file), `the lines differ from ${file}`);
      else assert.ok(want.missing !== undefined && text.length > 0);
    }
    assert.deepEqual(contents(dir), before);
    assert.deepEqual(readdirSync(sandboxRoot), []);
  });
}
