import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {type LoggerOptions, newLogger, nullLogger} from "./logger.ts";

function capture(options: Partial<LoggerOptions>): {log: ReturnType<typeof newLogger>; lines: string[]} {
  const lines: string[] = [];
  return {log: newLogger({level: "debug", format: "logfmt", write: (l) => lines.push(l), ...options}), lines};
}

test("logfmt lines start with ts, caller, level and msg", () => {
  const {log, lines} = capture({});
  log.info("block uploaded", {block: "01H", bytes: 12, ok: true, list: [1, 2]});
  assert.match(
    lines[0] ?? "",
    /^ts=\d{4}-\d\d-\d\dT[\d:.]+Z caller=logger\.test\.ts:\d+ level=info msg="block uploaded" block=01H bytes=12 ok=true list=\[1,2\]\n$/,
  );
});

test("values with spaces, quotes, equals signs or newlines are quoted", () => {
  const {log, lines} = capture({});
  log.warn("x", {a: 'say "hi"', b: "1=2", c: "l1\nl2", d: ""});
  assert.match(lines[0] ?? "", /level=warn msg=x a="say \\"hi\\"" b="1=2" c="l1\\nl2" d=\n$/);
});

test("json lines have their keys in order", () => {
  const {log, lines} = capture({format: "json", name: "dbg"});
  log.error("cannot read", {err: new Error("boom"), z: 1});
  const record = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.deepEqual(Object.keys(record), ["caller", "err", "level", "msg", "name", "ts", "z"]);
  assert.equal(record.err, "boom");
  assert.equal(record.name, "dbg");
});

test("debug.name is the first field in logfmt", () => {
  const {log, lines} = capture({name: "n1"});
  log.info("m");
  assert.match(lines[0] ?? "", /^name=n1 ts=/);
});

test("lines below the level are dropped and enabled() says so", () => {
  const {log, lines} = capture({level: "warn"});
  log.info("no");
  log.debug("no");
  log.warn("yes");
  assert.equal(lines.length, 1);
  assert.equal(log.enabled("info"), false);
  assert.equal(log.enabled("error"), true);
});

test("with() adds fields to every line of the child only", () => {
  const {log, lines} = capture({});
  log.with({component: "store"}).info("a");
  log.info("b");
  assert.match(lines[0] ?? "", /component=store/);
  assert.doesNotMatch(lines[1] ?? "", /component/);
});

test("an error's causes are part of its text once", () => {
  const {log, lines} = capture({});
  const inner = new Error("disk full");
  log.error("m", {err: new StrataError("internal", "cannot write x", {cause: inner})});
  log.error("m", {err: new StrataError("internal", "cannot write x: disk full", {cause: inner})});
  for (const line of lines) assert.match(line, /err="cannot write x: disk full"/);
});

test("journald lines carry a priority", () => {
  const {log, lines} = capture({format: "journald"});
  log.error("m");
  assert.match(lines[0] ?? "", /^<3>ts=/);
});

test("the null logger swallows everything", () => {
  nullLogger().with({a: 1}).error("x");
  assert.equal(nullLogger().enabled("error"), false);
});
