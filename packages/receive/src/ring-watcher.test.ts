import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {RingWatcher} from "./ring-watcher.ts";

test("a change that cannot be used shows until a file that can be used is back, the old one included", async (t) => {
  const path = join(tempDir(t), "hashrings.json");
  const good = JSON.stringify([{endpoints: ["a:10901", "b:10901"]}]);
  writeFileSync(path, good);
  const registry = newRegistry();
  const nodes: number[] = [];
  const watcher = new RingWatcher({
    source: {path},
    algorithm: "ketama",
    replication: 1,
    refreshMs: 1000,
    onChange: (rings) => nodes.push(rings.nodes.length),
    logger: nullLogger(),
    registry,
  });
  t.after(() => watcher.close());
  const successful = async (): Promise<number | undefined> => {
    const samples = (await registry.gather()).flatMap((family) => family.samples);
    return samples.find(({name}) => name === "thanos_receive_config_last_reload_successful")?.value;
  };
  const f = async (text: string, want: number): Promise<void> => {
    writeFileSync(path, text);
    await watcher.refresh();
    assert.equal(await successful(), want, text);
  };
  await watcher.load();
  assert.equal(await successful(), 1);
  await f("[{", 0);
  await f(good, 1);
  assert.deepEqual(nodes, [2], "what is in use already is not taken over again");
  await f("[]", 0);
  await f(JSON.stringify([{endpoints: ["a:10901", "b:10901", "c:10901"]}]), 1);
  assert.deepEqual(nodes, [2, 3]);
});
