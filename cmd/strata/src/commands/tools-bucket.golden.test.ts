import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {runStrata} from "../testing/run-strata.ts";

const dir = goldenDir("storage", "bucket");
const config = `{type: FILESYSTEM, config: {directory: ${JSON.stringify(join(dir, "objects"))}}}`;

/** How each captured output was asked for, by file name. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  "ls.txt": ["ls"],
  "ls-wide.txt": ["ls", "-o", "wide"],
  "ls-json.txt": ["ls", "-o", "json"],
  "ls-template.txt": ["ls", "-o", "{{.ULID}} {{.Thanos.Labels}} {{.MinTime}} {{.Stats.NumSeries}}"],
  "ls-exclude-delete.txt": ["ls", "--exclude-delete"],
  "inspect.txt": ["inspect"],
  "inspect.csv": ["inspect", "--output=csv"],
  "inspect.tsv": ["inspect", "--output=tsv"],
  "inspect-sorted.csv": ["inspect", "--output=csv", "--sort-by=RANGE", "--sort-by=FROM"],
  "inspect-selected.csv": ["inspect", "--output=csv", '--selector=replica="0"'],
};

test("ls and inspect print what the original printed", async () => {
  const names = readdirSync(dir).filter((name) => /^(ls|inspect)\b/.test(name));
  assert.ok(names.length > 0);
  for (const name of names) {
    const args = ASKED[name];
    assert.ok(args !== undefined, `no command is known for ${name}`);
    const {code, out, err} = await runStrata(
      "tools",
      "bucket",
      ...args,
      "--objstore.config",
      config,
      "--log.level=error",
    );
    assert.deepEqual({code, err}, {code: 0, err: ""}, name);
    const want = readFileSync(join(dir, name), "utf8");
    // ls prints in no fixed order: its entries begin at a line's start with an id or a brace.
    const entries = (text: string): string[] => text.split(/^(?=[0-9A-Z{])/m).sort();
    if (name.startsWith("ls")) assert.deepEqual(entries(out), entries(want), name);
    else assert.equal(out, want, name);
  }
});

test("a template that is none is refused with what is wrong", async () => {
  const f = async (template: string, wanted: RegExp) => {
    const {code, err} = await runStrata("tools", "bucket", "ls", "-o", template, "--objstore.config", config);
    assert.equal(code, 1, template);
    assert.match(err, wanted);
  };
  await f("{{if .ULID}}x", /cannot use the template of --output: template: :1: unexpected EOF/);
  await f("{{.Stats.Nope}}", /can't evaluate field Nope in type tsdb\.BlockStats/);
});
