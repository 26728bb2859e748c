import assert from "node:assert/strict";
import {once} from "node:events";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {pathToFileURL} from "node:url";
import {tempDir} from "./testing/index.ts";
import {startThread} from "./thread.ts";

test("a thread runs its module with the data it is given", async (t) => {
  const path = join(tempDir(t), "it's 100 % #1.ts");
  writeFileSync(
    path,
    `import {parentPort, workerData} from "node:worker_threads";
     const twice: number = workerData * 2;
     parentPort?.postMessage(twice);`,
  );
  const worker = startThread(pathToFileURL(path), {workerData: 21});
  assert.deepEqual(await once(worker, "message"), [42]);
});

test("a module that cannot be loaded is an error of its thread", async (t) => {
  const worker = startThread(pathToFileURL(join(tempDir(t), "missing.ts")));
  await assert.rejects(once(worker, "exit"), /missing\.ts/);
});
