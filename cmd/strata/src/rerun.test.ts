import assert from "node:assert/strict";
import {spawn, spawnSync} from "node:child_process";
import {existsSync} from "node:fs";
import {delimiter, join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";

const BIN = join(import.meta.dirname, "../bin/strata.js");

/** A Node on PATH that is too old for the sources, as many machines have it. */
function olderNode(): string | undefined {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((dir) => join(dir, "node"));
  return candidates.find((path) => {
    if (!existsSync(path)) return false;
    const {stdout} = spawnSync(path, ["-p", "process.versions.node"], {encoding: "utf8"});
    const major = Number(stdout.split(".")[0]);
    return major >= 18 && major < 26;
  });
}

const node = olderNode();
const skip = node === undefined ? "optional: no Node between 18 and 25 on PATH" : false;

test("an older Node runs the program with the Node of the repository and passes the exit code", {skip}, () => {
  const ok = spawnSync(node as string, [BIN, "--version"], {encoding: "utf8"});
  assert.deepEqual([ok.status, /node version: +v26\./.test(ok.stdout)], [0, true]);
  assert.equal(spawnSync(node as string, [BIN, "store", "--nope"]).status, 1);
  assert.equal(spawnSync(node as string, [BIN, "store"]).status, 2);
});

test("a Node that is still wrong the second time is an error, not a loop", {skip}, () => {
  const env = {...process.env, STRATA_NODE_RERUN: "1"};
  const {status, stderr} = spawnSync(node as string, [BIN, "--version"], {encoding: "utf8", env});
  assert.equal(status, 1);
  assert.match(stderr, /^strata: error: needs Node 26, this is v\d+.*npm run setup mends it\n$/);
});

test("signals are passed on, and a clean stop ends with 0", {skip}, async (t) => {
  const dir = tempDir(t);
  const config = `{type: FILESYSTEM, config: {directory: "${dir}"}}`;
  const child = spawn(
    node as string,
    [
      BIN,
      "store",
      `--objstore.config=${config}`,
      `--data-dir=${join(dir, "data")}`,
      "--http-address=127.0.0.1:0",
      "--grpc-address=127.0.0.1:0",
    ],
    {stdio: ["ignore", "inherit", "pipe"]},
  );
  t.after(() => void child.kill("SIGKILL"));
  let log = "";
  const exit = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (/listening for StoreAPI gRPC/.test(log)) resolve();
    });
    void exit.then(() => resolve());
  });
  child.kill("SIGTERM");
  assert.equal(await exit, 0, log);
});
