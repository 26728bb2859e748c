import assert from "node:assert/strict";
import {test} from "node:test";
import {ByteBudget, StrataError} from "@strata/base";
import type {TestScope} from "@strata/base/testing";
import {Labels, matcher} from "@strata/model";
import type {Queryable} from "@strata/series";
import {collect} from "@strata/series/testing";
import {exposition, negotiate, newRegistry} from "@strata/telemetry";
import {ProxyStore, type ProxyStoreOptions} from "./proxy-store.ts";
import type {StoreHandle} from "./store-handle.ts";
import {connectStore, type MemorySeries, MemoryStore, selectAll, startStore} from "./testing/index.ts";

const never = new AbortController().signal;
const MAX = 2 ** 63;

type Described = Partial<Omit<StoreHandle, "source">>;

const describe = (address: string, source: StoreHandle["source"], d: Described = {}): StoreHandle => ({
  address,
  labelSets: [],
  mint: -MAX,
  maxt: MAX,
  supportsSharding: true,
  supportsWithoutReplicaLabels: true,
  tsdbInfos: [],
  ...d,
  source,
});

const local = (queryable: Queryable, d?: Described): StoreHandle => describe("local", {kind: "local", queryable}, d);

async function remote(t: TestScope, queryable: Queryable, d?: Described): Promise<StoreHandle> {
  const {address} = await startStore(t, queryable);
  return describe(address, {kind: "remote", client: connectStore(t, address)}, d);
}

const proxy = (stores: readonly StoreHandle[], options: Partial<ProxyStoreOptions> = {}): ProxyStore =>
  new ProxyStore({stores: () => stores, responseTimeoutMs: 0, registry: newRegistry(), ...options});

const up = (n: string, replica?: string, chunks = 2): MemorySeries => ({
  labels: {__name__: "up", n, ...(replica === undefined ? {} : {replica})},
  chunks,
});

const names = async (p: ProxyStore, change = {}): Promise<string[]> =>
  (await collect(p.select(selectAll(change), never))).flatMap((b) => b.labels.map((l) => l.get("n")));
const warnings = async (p: ProxyStore, change = {}): Promise<string[]> =>
  (await collect(p.select(selectAll(change), never))).flatMap((b) => b.warnings);

test("series of remote and local stores merge, equal ones become one without duplicate chunks", async (t) => {
  const a = new MemoryStore([up("1"), up("3")]);
  const b = new MemoryStore([up("2"), up("3")]);
  const batches = await collect(proxy([await remote(t, a), local(b)]).select(selectAll(), never));
  assert.deepEqual(
    batches.flatMap((x) => x.labels.map((l) => l.get("n"))),
    ["1", "2", "3"],
  );
  const chunks = batches.reduce((sum, x) => sum + x.mint.length, 0);
  // The test store fills chunks by the position of their series, so those of series 3 are equal.
  assert.equal(chunks, 6);
});

test("only stores that may have something are asked", async () => {
  const f = async (d: Described, change: object, asked: boolean) => {
    const store = new MemoryStore([up("1")]);
    await collect(proxy([local(store, d)]).select(selectAll(change), never));
    assert.equal(store.selects.length, asked ? 1 : 0, JSON.stringify([d, change]));
  };
  const eu = Labels.fromObject({region: "eu"});
  const us = Labels.fromObject({region: "us"});
  await f({mint: 100, maxt: 200}, {mint: 0, maxt: 99}, false);
  await f({mint: 100, maxt: 200}, {mint: 0, maxt: 100}, true);
  await f({mint: 100, maxt: 200}, {mint: 200, maxt: 300}, true);
  await f({mint: 100, maxt: 200}, {mint: 201, maxt: 300}, false);
  await f({labelSets: [eu]}, {matchers: [matcher("region", "=", "us")]}, false);
  await f({labelSets: [eu, us]}, {matchers: [matcher("region", "=", "us")]}, true);
  await f({labelSets: [eu]}, {matchers: [matcher("zone", "=", "a")]}, true);
  await f({labelSets: []}, {matchers: [matcher("region", "=", "us")]}, true);
  await f({labelSets: [eu]}, {matchers: [matcher("region", "!~", "e.")]}, false);
});

test("debug matchers choose remote stores by address, sets being alternatives", async (t) => {
  const a = new MemoryStore([up("1")]);
  const b = new MemoryStore([up("2")]);
  const c = new MemoryStore([up("3")]);
  const stores = [await remote(t, a), await remote(t, b), local(c)];
  const pick = (i: number) => [matcher("__address__", "=", stores[i]!.address)];
  const ask = (storeMatch: ReturnType<typeof pick>[]) => names(proxy(stores), {caller: {tenant: "", storeMatch}});
  assert.deepEqual(await ask([pick(0)]), ["1"]);
  assert.deepEqual(await ask([pick(0), pick(1)]), ["1", "2"]);
  assert.deepEqual(await ask([[matcher("__address__", "=", "x")]]), []);
  assert.deepEqual(await ask([]), ["1", "2", "3"]);
});

test("selector labels are matched, taken out and added to the description", async () => {
  const store = new MemoryStore([up("1")]);
  const d = {labelSets: [Labels.fromObject({a: "1"})]};
  const p = proxy([local(store, d)], {selectorLabels: Labels.fromObject({global: "g"})});
  const up1 = matcher("__name__", "=", "up");
  assert.deepEqual(await names(p, {matchers: [up1, matcher("global", "=", "g")]}), ["1"]);
  assert.deepEqual(
    store.selects[0]!.matchers.map((m) => m.name),
    ["__name__"],
  );
  assert.deepEqual(await names(p, {matchers: [up1, matcher("global", "=", "other")]}), []);
  await assert.rejects(names(p, {matchers: [matcher("global", "=", "g")]}), {
    code: "bad_data",
    message: "no matchers specified (excluding selector labels)",
  });
  assert.deepEqual(p.labelSets().map(String), ['{a="1", global="g"}']);
});

test("a selector keeps label sets, and adds matchers to stores of which only some are kept", async () => {
  const sets = [{c: "a.b", r: "1"}, {c: "d"}, {c: "no"}].map((o) => Labels.fromObject(o));
  const some = new MemoryStore([]);
  const none = new MemoryStore([]);
  const selector = (l: Labels) => l.get("c") !== "no";
  const p = proxy([local(some, {labelSets: sets}), local(none, {labelSets: [sets[2]!]})], {selector});
  await names(p);
  assert.equal(none.selects.length, 0);
  assert.deepEqual(
    some.selects[0]!.matchers.slice(1).map((m) => `${m.name}${m.op}${m.value}`),
    ["c=~a\\.b|d", "r=~1|^$"],
  );
  assert.deepEqual(p.labelSets().map(String), ['{c="a.b", r="1"}', '{c="d"}']);
});

test("no store at all fails where parts may not be missing; stores that do not match give nothing", async () => {
  assert.deepEqual(await names(proxy([])), []);
  await assert.rejects(names(proxy([]), {partialResponse: false}), /^StrataError: No StoreAPIs available$/);
  const other = local(new MemoryStore([]), {maxt: 5});
  assert.deepEqual(await names(proxy([other]), {mint: 10, partialResponse: false}), []);
});

test("a store that cannot be reached: its warning, or its error", async (t) => {
  const {address, server} = await startStore(t, new MemoryStore([]));
  await server.stop(0);
  const labelSets = [Labels.fromObject({b: "2"}), Labels.fromObject({a: "1"})];
  const down = describe(address, {kind: "remote", client: connectStore(t, address)}, {labelSets, mint: 5});
  const stores = [down, local(new MemoryStore([up("1")]))];
  const refused = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: connection refused"`;
  const name = `Addr: ${address} MinTime: 5 MaxTime: 9223372036854775807`;
  const text = `fetch series for {a="1"},{b="2"} ${name}: ${refused}`;
  assert.deepEqual(await names(proxy(stores)), ["1"]);
  assert.deepEqual(await warnings(proxy(stores)), [text]);
  await assert.rejects(names(proxy(stores), {partialResponse: false}), {code: "unavailable", message: text});
  const q = {matchers: [], mint: 10, maxt: 20, withoutReplicaLabels: [], limit: 0, partialResponse: true};
  const answer = await proxy(stores).labelNames(q, never);
  assert.deepEqual(answer, {
    values: ["__name__", "n"],
    warnings: [`fetch label names from store ${name}: ${refused}`],
  });
  await assert.rejects(proxy(stores).labelValues("n", {...q, partialResponse: false}, never), {
    message: `fetch label values from store ${name}: ${refused}`,
  });
});

test("a store that is away is not asked but told of where it would have been, and left out where that would fail", async (t) => {
  const store = new MemoryStore([up("1")]);
  const labelSets = [Labels.fromObject({cluster: "a"})];
  const gone = await remote(t, store, {labelSets, mint: 0, maxt: 10, away: "endpoint does not answer: why"});
  const p = proxy([gone, local(new MemoryStore([up("2")]))]);
  const text = `{cluster="a"} Addr: ${gone.address} MinTime: 0 MaxTime: 10: endpoint does not answer: why`;
  assert.deepEqual(await warnings(p, {mint: 5, maxt: 20}), [`fetch series for ${text}`]);
  assert.deepEqual(await names(p, {mint: 5, maxt: 20}), ["2"]);
  assert.deepEqual(await warnings(p, {mint: 11, maxt: 20}), []);
  assert.deepEqual(await warnings(p, {matchers: [matcher("cluster", "=", "b")]}), []);
  assert.deepEqual(await names(p, {partialResponse: false}), ["2"]);
  await assert.rejects(names(proxy([gone]), {partialResponse: false}), /No StoreAPIs available/);
  const q = {matchers: [], mint: 0, maxt: 1, withoutReplicaLabels: [], limit: 0};
  const answer = await p.labelNames({...q, partialResponse: true}, never);
  assert.deepEqual(answer.values, ["__name__", "n"]);
  assert.match(answer.warnings.join(), /^fetch label names from store Addr: .*: endpoint does not answer: why$/);
  assert.deepEqual((await p.labelNames({...q, partialResponse: false}, never)).warnings, []);
  assert.deepEqual([p.labelSets(), p.timeRange().mint], [[], -MAX], "what it has cannot be had here");
  assert.deepEqual([store.selects, store.labelQueries], [[], []]);
});

test("a store that fails in the middle: its warning after what it gave, or Aborted", async (t) => {
  const failing = new MemoryStore([up("1"), up("2"), up("3")], 64 * 1024, 1);
  failing.failAfter = 2;
  const store = await remote(t, failing);
  const text = `receive series from Addr: ${store.address} MinTime: -9223372036854775808 MaxTime: 9223372036854775807: rpc error: code = Aborted desc = disk on fire`;
  assert.deepEqual(await warnings(proxy([store])), [text]);
  assert.deepEqual((await names(proxy([store, local(new MemoryStore([up("9")]))]))).at(-1), "9");
  await assert.rejects(names(proxy([store]), {partialResponse: false}), {code: "execution", message: text});
});

test("a store that hangs is given up after the response time-out", async (t) => {
  const hanging = new MemoryStore([up("1")]);
  hanging.hangAfter = 0;
  const store = await remote(t, hanging, {mint: 0, maxt: 1e12});
  const p = proxy([store, local(new MemoryStore([up("2")]))], {responseTimeoutMs: 30});
  const text = `failed to receive any data in 30ms from Addr: ${store.address} MinTime: 0 MaxTime: 1000000000000: rpc error: code = Canceled desc = context canceled`;
  assert.deepEqual(await names(p), ["2"]);
  assert.deepEqual(await warnings(p), [text]);
  await assert.rejects(names(p, {partialResponse: false}), {code: "execution", message: text});
});

test("a store's own warnings are passed on, or fail what may not be partial", async (t) => {
  const warned = new MemoryStore([up("1")]);
  warned.warnings = ["half a block is missing"];
  const store = await remote(t, warned);
  assert.deepEqual(await warnings(proxy([store])), ["half a block is missing"]);
  await assert.rejects(names(proxy([store]), {partialResponse: false}), {
    code: "execution",
    message: "half a block is missing",
  });
});

test("a store that sends series out of order or garbage is warned about by name", async (t) => {
  const unsorted = new MemoryStore([up("1"), up("3"), up("4"), up("2")], 64 * 1024, 1);
  const store = await remote(t, unsorted);
  const [warning, ...more] = await warnings(proxy([store]));
  assert.deepEqual(more, []);
  assert.match(warning!, /^receive series from Addr: .*: cannot read series of .* not in label order$/);
  assert.deepEqual(await names(proxy([store])), ["1", "3", "4"]);
});

test("the caller's leaving is no store's failure, and closes every stream", async (t) => {
  const stores = [new MemoryStore([up("1")]), new MemoryStore([up("2")])];
  for (const s of stores) s.hangAfter = 0;
  const p = proxy(await Promise.all(stores.map((s) => remote(t, s))));
  const abort = new AbortController();
  const reading = collect(p.select(selectAll(), abort.signal));
  await Promise.all(stores.map((s) => until(() => s.selects.length === 1)));
  abort.abort(new StrataError("timeout", "query timed out"));
  await assert.rejects(reading, {code: "timeout", message: "query timed out"});
  await Promise.all(stores.map((s) => until(() => s.ended === 1)));
});

test("a limit ends all streams early", async (t) => {
  const store = new MemoryStore(
    Array.from({length: 50}, (_, i) => up(`${100 + i}`)),
    64 * 1024,
    1,
  );
  store.hangAfter = 30;
  assert.deepEqual(await names(proxy([await remote(t, store)]), {limit: 2}), ["100", "101"]);
  await until(() => store.ended === 1);
});

test("running out of the budget fails also where parts may be missing", async (t) => {
  const store = await remote(t, new MemoryStore([up("1")], 64 * 1024));
  const budget = new ByteBudget("query", 1000);
  await assert.rejects(names(proxy([store]), {budget}), {code: "limit"});
  assert.equal(budget.used, 0);
});

test("stores that cannot strip replica labels or shard have it done for them", async (t) => {
  /** Answers as an old store: neither labels are stripped nor shards cut. */
  class OldStore extends MemoryStore {
    override select(...[q, signal]: Parameters<MemoryStore["select"]>) {
      return super.select({...q, withoutReplicaLabels: [], shard: undefined}, signal);
    }
  }
  // In order with the replica label, out of order without it.
  const series: MemorySeries[] = [
    {labels: {__name__: "up", a_replica: "1", n: "2"}, chunks: 1},
    {labels: {__name__: "up", a_replica: "2", n: "1"}, chunks: 1},
    {labels: {__name__: "up", a_replica: "2", n: "2"}, chunks: 1},
  ];
  const old = new OldStore(series);
  const store = await remote(t, old, {supportsWithoutReplicaLabels: false, supportsSharding: false});
  const withoutReplicaLabels = ["a_replica"];
  const p = proxy([store, local(new MemoryStore([up("3")]))]);
  assert.deepEqual(await names(p, {withoutReplicaLabels}), ["1", "2", "3"]);
  const shards = await Promise.all(
    [0, 1, 2].map((index) =>
      names(proxy([store]), {withoutReplicaLabels, shard: {index, total: 3, by: true, labels: ["n"]}}),
    ),
  );
  assert.deepEqual(shards.flat().sort(), ["1", "2"]);
  assert.ok(shards.some((s) => s.length < 2));
});

test("values of labels merge sorted, the limit of names is cut only after the merge", async () => {
  const a = new MemoryStore([up("3", "x"), up("1")]);
  const b = new MemoryStore([up("2"), up("1")]);
  const p = proxy([local(a), local(b)]);
  const q = {matchers: [], mint: 0, maxt: 1, withoutReplicaLabels: [], limit: 2, partialResponse: true};
  assert.deepEqual(await p.labelValues("n", q, never), {values: ["1", "2"], warnings: []});
  assert.deepEqual(await p.labelNames(q, never), {values: ["__name__", "n"], warnings: []});
  assert.equal(a.labelQueries[0]!.limit, 2);
  assert.equal(a.labelQueries[1]!.limit, 0);
  await assert.rejects(p.labelValues("", q, never), {
    code: "bad_data",
    message: "label name parameter cannot be empty",
  });
});

test("the description covers all stores; empty streams are counted", async (t) => {
  const registry = newRegistry();
  const a = await remote(t, new MemoryStore([]), {mint: 5, maxt: 10});
  const p = proxy([a, local(new MemoryStore([]), {mint: 7, maxt: 20})], {registry});
  assert.deepEqual(p.timeRange(), {mint: 5, maxt: 20});
  assert.deepEqual(proxy([]).timeRange(), {mint: -MAX, maxt: MAX});
  await collect(p.select(selectAll({mint: 8, maxt: 9}), never));
  const text = await exposition(registry, negotiate(undefined));
  assert.match(text, /^thanos_proxy_store_empty_stream_responses_total 1$/m);
});

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    assert.ok(i < 5000, "the condition never came about");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
