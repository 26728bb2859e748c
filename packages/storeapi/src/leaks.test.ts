import assert from "node:assert/strict";
import {test} from "node:test";
import {setFlagsFromString} from "node:v8";
import {runInNewContext} from "node:vm";
import {unlimited} from "@strata/base";
import {repeat} from "@strata/base/testing";
import {collect} from "@strata/series/testing";
import {newRegistry} from "@strata/telemetry";
import {ProxyStore} from "./proxy-store.ts";
import type {StoreHandle} from "./store-handle.ts";
import {connectStore, MemoryStore, selectAll, startStore} from "./testing/index.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Heap and buffers still in use, after what can go has gone. */
async function inUse(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const {heapUsed, arrayBuffers} = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const sockets = (): number => process.getActiveResourcesInfo().filter((r) => r === "TCPSocketWrap").length;

test("failing, hanging and abandoned selects leave nothing behind", async (t) => {
  const series = Array.from({length: 6}, (_, i) => ({labels: {__name__: "up", n: `${i}`}, chunks: 1}));
  const stores = ["good", "failing", "hanging"].map(() => new MemoryStore(series, 40 * 1024, 1));
  stores[1]!.failAfter = 2;
  stores[2]!.hangAfter = 2;
  const handles: StoreHandle[] = [];
  for (const store of stores) {
    const {address} = await startStore(t, store);
    handles.push({
      address,
      labelSets: [],
      mint: -(2 ** 63),
      maxt: 2 ** 63,
      supportsSharding: true,
      supportsWithoutReplicaLabels: true,
      tsdbInfos: [],
      source: {kind: "remote", client: connectStore(t, address)},
    });
  }
  const options = {stores: () => handles, registry: newRegistry()};
  const patient = new ProxyStore({...options, responseTimeoutMs: 0});
  const hasty = new ProxyStore({...options, responseTimeoutMs: 15});
  const lasting = new AbortController();
  const once = async (i: number): Promise<void> => {
    const q = selectAll({budget: unlimited(), partialResponse: i % 3 !== 1});
    if (i % 3 === 0) {
      const batches = await collect(hasty.select(q, lasting.signal));
      assert.ok(batches.flatMap((b) => b.warnings).length >= 2);
    } else if (i % 3 === 1) await assert.rejects(collect(hasty.select(q, lasting.signal)));
    else {
      const leaving = AbortSignal.any([lasting.signal, AbortSignal.timeout(10)]);
      await assert.rejects(collect(patient.select(q, leaving)), {name: "TimeoutError"});
    }
    for (const s of stores) for (const list of [s.selects, s.signals, s.labelQueries]) list.length = 0;
  };
  // What is allocated once (compiled code, caches, channels) settles first.
  for (let i = 0; i < 30; i++) await once(i);
  const before = await inUse();
  const open = sockets();
  const rounds = repeat(1000);
  for (let i = 0; i < rounds; i++) await once(i);
  const grown = (await inUse()) - before;
  assert.equal(sockets(), open);
  // A select that stayed would hold at least the 40 KiB of a frame.
  assert.ok(grown < rounds * 4 * 1024 + (1 << 20), `${grown} bytes more after ${rounds} selects`);
});
