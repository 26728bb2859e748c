import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels, matcher} from "@strata/model";
import type {Select} from "@strata/series";
import {newRegistry} from "@strata/telemetry";
import {planFrom} from "./proxy-outline.ts";
import {ProxyStore, type ProxyStoreOptions} from "./proxy-store.ts";
import type {StoreHandle} from "./store-handle.ts";
import {connectStore, MemoryStore, selectAll} from "./testing/index.ts";

type TestScope = Parameters<typeof connectStore>[0];

function handle(t: TestScope, n: number, more: Partial<StoreHandle> = {}): StoreHandle {
  const address = `127.0.0.1:${n}`;
  return {
    address,
    labelSets: [Labels.fromObject({cluster: `c${n}`, region: "eu"}), Labels.fromObject({cluster: `d${n}`})],
    mint: n * 1000,
    maxt: 2 ** 63,
    supportsSharding: n % 2 === 0,
    supportsWithoutReplicaLabels: n % 3 === 0,
    tsdbInfos: [],
    source: {kind: "remote", client: connectStore(t, address)},
    ...more,
  };
}

const proxyOf = (stores: readonly StoreHandle[], more: Partial<ProxyStoreOptions> = {}) =>
  new ProxyStore({stores: () => stores, responseTimeoutMs: 500, registry: newRegistry(), ...more});

test("another thread plans from an outline what the proxy plans", (t) => {
  const stores = [0, 1, 2, 3, 4].map((n) => handle(t, n));
  stores.push(handle(t, 5, {labelSets: [], away: "it does not answer"}));
  const proxy = proxyOf(stores, {selectorLabels: Labels.fromObject({global: "g"})});
  const outline = structuredClone(proxy.outline());
  assert.ok(outline !== undefined);
  const f = (q: Partial<Select>, asked: number) => {
    const select = selectAll({matchers: [matcher("__name__", "=", "m")], mint: 0, maxt: 1e9, ...q});
    const want = proxy.plan(select);
    assert.equal(want.length, asked);
    assert.deepEqual(planFrom(outline, select), want);
  };
  f({}, 6);
  f({partialResponse: false}, 5);
  f({maxt: 2500}, 3);
  f({matchers: [matcher("__name__", "=", "m"), matcher("cluster", "=~", "c1|d2")]}, 3);
  f({matchers: [matcher("__name__", "=", "m"), matcher("global", "=", "other")]}, 0);
  f({withoutReplicaLabels: ["replica"], shard: {index: 0, total: 2, by: false, labels: []}}, 6);
  const storeMatch = [[matcher("__address__", "=~", ".*:[12]")]];
  f({caller: {tenant: "t", requestId: "r", traceparent: undefined, storeMatch}}, 2);
  assert.throws(() => planFrom(outline, selectAll({matchers: [matcher("global", "=", "g")]})), /no matchers specified/);
});

test("there is no outline of many stores, of stores in this process, or with rules that choose label sets", (t) => {
  assert.ok(proxyOf([]).outline());
  assert.equal(proxyOf(Array.from({length: 40}, (_, n) => handle(t, n))).outline(), undefined);
  const labelSets = Array.from({length: 100}, (_, i) => Labels.fromObject({i: String(i)}));
  assert.equal(proxyOf([handle(t, 1, {labelSets})]).outline(), undefined);
  const source = {kind: "local", queryable: new MemoryStore([])} as const;
  assert.equal(proxyOf([handle(t, 1, {source})]).outline(), undefined);
  assert.equal(proxyOf([handle(t, 1)], {selector: () => true}).outline(), undefined);
});
