import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {expandEnv} from "./content.ts";
import {parseFlags} from "./parse.ts";
import * as spec from "./spec.ts";

const help = "h";
const parse = <T extends spec.FlagTable>(table: T, given: readonly (readonly [string, string])[]) =>
  parseFlags(
    table,
    given.map(([name, text]) => ({name, text})),
  );

/** The value of one flag of the given kind, or the reason why the text is none. */
function value<T>(flag: spec.Flag<T>, text: string): unknown {
  try {
    return parse({x: flag}, [["x", text]]).values.x;
  } catch (err) {
    return err instanceof Error ? `! ${err.message}` : err;
  }
}

test("durations in both styles, in milliseconds", () => {
  const {dur, godur} = spec;
  assert.equal(value(dur({help}), "1d12h"), 129_600_000);
  assert.equal(value(dur({help}), "0"), 0);
  assert.match(String(value(dur({help}), "1.5h")), /^! flag --x: .*such as 1d12h$/);
  assert.equal(value(godur({help}), "1.5h"), 5_400_000);
  assert.equal(value(godur({help}), "2d3h"), 183_600_000);
  assert.match(String(value(godur({help}), "1y")), /^! flag --x: .*such as 1h30m$/);
  assert.match(String(value(godur({help}), "5")), /missing unit/);
});

test("sizes use base two in both spellings and need a unit", () => {
  const f = (text: string, want: unknown) => assert.equal(value(spec.bytes({help}), text), want, text);
  f("250MB", 262_144_000);
  f("1KiB", 1024);
  f("1.5KB", 1536);
  f("1GB512MB", 1_610_612_736);
  f("0", 0);
  assert.match(String(value(spec.bytes({help}), "250")), /^! flag --x: "250" is not a size in bytes; want/);
  assert.match(String(value(spec.bytes({help}), "1kb")), /unknown unit "kb"/);
  assert.equal(parse({x: spec.bytes({default: "2GB", help})}, []).shown.x, "2GiB");
  assert.equal(parse({x: spec.bytes({help})}, []).shown.x, "0B");
});

test("labels need quotes, enums one of their values, numbers digits", () => {
  assert.deepEqual(value(spec.label({help}), 'a="b\\"c"'), {name: "a", value: 'b"c'});
  assert.match(String(value(spec.label({help}), "a=b")), /want name="value" with the quotes/);
  assert.match(String(value(spec.label({help}), '1a="b"')), /"1a" is not a label name/);
  assert.match(String(value(spec.oneOf(["p", "q"], {help}), "r")), /enum value must be one of p,q, got 'r'/);
  assert.equal(value(spec.int({help}), "-3"), -3);
  assert.match(String(value(spec.uint({help}), "-3")), /-3 is below 0/);
  assert.match(String(value(spec.int({help}), "3.5")), /"3.5" is not a whole number/);
  assert.match(String(value(spec.url({help}), "localhost:9090")), /is not a URL; want scheme/);
  assert.match(String(value(spec.ulid({help}), "01")), /is not a block id/);
});

test("times are fixed or relative to now", () => {
  assert.deepEqual(value(spec.time({help}), "-2w"), {kind: "duration", ms: -1_209_600_000});
  assert.deepEqual(value(spec.time({help}), "2024-03-01T00:00:00Z"), {kind: "time", t: 1_709_251_200_000});
  assert.equal(
    parse({x: spec.time({default: "0000-01-01T00:00:00Z", help})}, []).shown.x,
    "0000-01-01 00:00:00 +0000 UTC",
  );
  assert.match(String(value(spec.time({help}), "soon")), /want a time such as/);
});

test("a flag may be repeated only where it is declared so; commas split only where declared", () => {
  const table = {
    one: spec.text({help}),
    many: spec.many(spec.text({help})),
    split: spec.many(spec.text({help, commas: true})),
  };
  assert.throws(
    () =>
      parse(table, [
        ["one", "a"],
        ["one", "b"],
      ]),
    /flag 'one' cannot be repeated/,
  );
  const {values} = parse(table, [
    ["many", "a,b"],
    ["many", "c"],
    ["split", "a, b"],
    ["split", "c"],
  ]);
  assert.deepEqual(values.many, ["a,b", "c"]);
  assert.deepEqual(values.split, ["a", "b", "c"]);
});

test("of an old and a new name the last given counts for both", () => {
  const table = {old: spec.uint({help, sharesWith: "new", deprecated: "use --new"}), new: spec.uint({help})};
  const {values, notices} = parse(table, [
    ["new", "1"],
    ["old", "2"],
  ]);
  assert.deepEqual({...values}, {old: 2, new: 2});
  assert.deepEqual(notices, ["flag --old is deprecated; use --new"]);
  assert.deepEqual(
    {
      ...parse(table, [
        ["old", "2"],
        ["new", "1"],
      ]).values,
    },
    {old: 1, new: 1},
  );
});

test("required flags are named when they are missing", () => {
  const table = {a: spec.text({help, required: true}), b: spec.many(spec.ulid({help, required: true}))};
  assert.throws(() => parse(table, []), /required flag\(s\) '--a', '--b' not provided/);
});

test("content comes from a file or the command line, not both, with the environment put in", async (t) => {
  process.env.STRATA_TEST_VALUE = "secret";
  const file = join(tempDir(t), "c.yml");
  writeFileSync(file, "key: $(STRATA_TEST_VALUE)");
  const table = {c: spec.content({help}), plain: spec.content({help, expandEnv: false})};
  assert.equal(await parse(table, [["c-file", file]]).values.c.read(), "key: secret");
  assert.equal(await parse(table, [["plain-file", file]]).values.plain.read(), "key: $(STRATA_TEST_VALUE)");
  assert.equal(await parse(table, []).values.c.read(), "");
  assert.equal(parse(table, []).values.c.given, false);
  assert.throws(
    () =>
      parse(table, [
        ["c", "x"],
        ["c-file", file],
      ]),
    /both --c-file and --c are given/,
  );
  await assert.rejects(
    parse(table, [["c-file", "/nowhere"]]).values.c.read(),
    /cannot read the file of --c-file: ENOENT/,
  );
  assert.throws(() => parse({c: spec.content({help, required: true})}, []), /--c-file or --c is required/);
});

test("content that cannot be used is named in one line, without its text", async (t) => {
  const file = join(tempDir(t), "c.yml");
  writeFileSync(file, "password: x");
  const table = {c: spec.content({help})};
  const fails = (text: string): never => {
    throw new Error(`bad map at line 1, column 2:\n\n${text}\n ^`, {cause: new Error(text)});
  };
  for (const [given, where] of [
    [["c", "password: x"], "--c"],
    [["c-file", file], `--c-file=${file}`],
  ] as const) {
    await assert.rejects(parse(table, [given]).values.c.parse(fails), (err: Error) => {
      assert.equal(err.message, `cannot use ${where}: bad map at line 1, column 2`);
      assert.equal(err.cause, undefined);
      return true;
    });
  }
  assert.equal(await parse(table, [["c", "abc"]]).values.c.parse((text) => text.length), 3);
});

test("configuration given as text is not shown, the bucket's not even by its file", () => {
  const {shown} = parse({"objstore.config": spec.content({help}), cache: spec.content({help})}, [
    ["objstore.config-file", "/a"],
    ["cache", "password: x"],
  ]);
  const hidden = "<REDACTED>";
  assert.deepEqual(shown, {"objstore.config": hidden, "objstore.config-file": hidden, cache: hidden, "cache-file": ""});
});

test("an environment variable that is not set is an error naming it", () => {
  assert.equal(expandEnv("a $(X) $$(X) $X", "--c", {X: "1"}), "a 1 $1 $X");
  assert.throws(
    () => expandEnv("$(NOPE)", "--c", {}),
    /--c uses \$\(NOPE\), but the environment variable NOPE is not set/,
  );
});
