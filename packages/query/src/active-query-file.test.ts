import assert from "node:assert/strict";
import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {ActiveQueryFile} from "./active-query-file.ts";

const SLOT = 1000;

test("the file has Prometheus' form: a slot of fixed size for each query", (t) => {
  const dir = join(tempDir(t), "made", "anew");
  const file = ActiveQueryFile.open(dir, 3);
  t.after(() => file.close());
  file.enter(1, "sum(x)", 1_700_000_000_999);
  const bytes = readFileSync(join(dir, "queries.active"));
  assert.equal(bytes.length, 1 + 3 * SLOT);
  assert.equal(bytes.toString("utf8", 0, 1), "[");
  const slot = bytes.toString("utf8", 1 + SLOT, 1 + 2 * SLOT);
  assert.equal(slot.replaceAll("\0", ""), '{"query":"sum(x)","timestamp_sec":1700000000},');
  assert.equal(slot.at(-1), ",");
  file.leave(1);
  assert.equal(readFileSync(join(dir, "queries.active"), "utf8").replaceAll("\0", ""), "[,,,");
});

test("what was running when the process ended is there for the next one", (t) => {
  const dir = tempDir(t);
  const first = ActiveQueryFile.open(dir, 20);
  assert.deepEqual(first.left, []);
  first.enter(0, "a", 1000);
  first.enter(7, "b", 2000);
  first.enter(8, "c", 3000);
  first.leave(8);
  // No close: it crashed.
  const second = ActiveQueryFile.open(dir, 2);
  assert.deepEqual(second.left, [
    {query: "a", timestamp_sec: 1},
    {query: "b", timestamp_sec: 2},
  ]);
  second.close();
  second.close();
  second.enter(0, "too late", 1);
  assert.deepEqual(ActiveQueryFile.open(dir, 2).left, []);
  first.close();
});

test("long queries are cut to fit, between characters", (t) => {
  const dir = tempDir(t);
  for (const query of ["x".repeat(5000), "\n\u0001".repeat(700), "💥".repeat(400), `a${"💥".repeat(400)}`]) {
    const file = ActiveQueryFile.open(dir, 1);
    file.enter(0, query, 0);
    file.close();
    const [left] = ActiveQueryFile.open(dir, 1).left;
    assert.ok(left !== undefined && left.query.length > 150 && query.startsWith(left.query));
    assert.ok(left.query.isWellFormed());
    assert.ok(JSON.stringify(left).length < SLOT);
  }
});

test("a damaged file is no reason not to start, a path that cannot be used is one", (t) => {
  const dir = tempDir(t);
  const path = join(dir, "queries.active");
  writeFileSync(path, `[{"query":"half${"\0".repeat(980)},`);
  assert.deepEqual(ActiveQueryFile.open(dir, 1).left, [{query: '{"query":"half', timestamp_sec: 0}]);
  assert.throws(
    () => ActiveQueryFile.open(path, 1),
    (err) => err instanceof StrataError && err.code === "bad_data" && err.message.includes(path),
  );
});
