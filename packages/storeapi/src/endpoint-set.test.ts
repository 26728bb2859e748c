import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import type {TestScope} from "@strata/base/testing";
import type {Init, info} from "@strata/proto";
import {exposition, negotiate, newRegistry, nullLogger} from "@strata/telemetry";
import {EndpointSet, type EndpointSetOptions, type EndpointSpec} from "./endpoint-set.ts";
import {GroupTransport} from "./group-transport.ts";
import {MemoryStore, startStore, storeInfo} from "./testing/index.ts";

/** A store whose Info can be switched. */
async function start(t: TestScope, answer: Init<info.InfoResponse>) {
  const state = {answer, broken: false};
  const store = await startStore(t, new MemoryStore([]), {
    info: () => {
      if (state.broken) throw new StrataError("unavailable", "Not ready");
      return state.answer;
    },
  });
  return {...store, state};
}

function setOf(t: TestScope, specs: () => EndpointSpec[], options: Partial<EndpointSetOptions> = {}) {
  const clock = {now: 1_000_000};
  const registry = newRegistry();
  const set = new EndpointSet({
    specs,
    infoTimeoutMs: 2000,
    unhealthyTimeoutMs: 60_000,
    lingerMs: 0,
    registry,
    logger: nullLogger(),
    now: () => clock.now,
    ...options,
  });
  t.after(() => set.close());
  return {set, clock, registry};
}

const spec = (address: string, strict = false): EndpointSpec => ({address, strict});

test("an endpoint that answers is known by what it says", async (t) => {
  const a = await start(t, storeInfo({region: "eu"}));
  const {set, clock, registry} = setOf(t, () => [spec(a.address)]);
  await set.update();
  const [status] = set.statuses();
  assert.deepEqual(
    {...status, labelSets: status!.labelSets.map(String)},
    {
      name: a.address,
      lastCheck: new Date(clock.now),
      lastError: undefined,
      labelSets: ['{region="eu"}'],
      componentType: "store",
      mint: 0,
      maxt: 2 ** 63,
    },
  );
  const [store] = set.stores();
  assert.deepEqual([store!.supportsSharding, store!.supportsWithoutReplicaLabels, store!.maxt], [true, true, 2 ** 63]);
  assert.deepEqual(set.endpoints("rules"), []);
  const text = await exposition(registry, negotiate(undefined));
  assert.match(text, /^thanos_store_nodes_grpc_connections\{.*external_labels="\{region=\\"eu\\"\}".*\} 1$/m);
  assert.match(text, /store_type="store"/);
});

test("an endpoint serves the APIs whose block its Info has", async (t) => {
  const a = await start(t, {componentType: "sidecar", rules: {}, exemplars: {}, labelSets: [{labels: []}]});
  const {set, registry} = setOf(t, () => [spec(a.address)]);
  await set.update();
  assert.deepEqual(set.stores(), []);
  assert.deepEqual(
    set.endpoints("rules").map((e) => e.componentType),
    ["sidecar"],
  );
  assert.equal(set.endpoints("exemplars").length, 1);
  assert.equal(set.endpoints("query").length, 0);
  assert.match(await exposition(registry, negotiate(undefined)), /external_labels="no_external_labels"/);
});

test("one that stops answering is shown as away, comes back, and is dropped after the time-out", async (t) => {
  const a = await start(t, storeInfo());
  const {set, clock} = setOf(t, () => [spec(a.address)]);
  await set.update();
  a.state.broken = true;
  clock.now += 5000;
  await set.update();
  const away = "endpoint does not answer: rpc error: code = Unavailable desc = Not ready";
  assert.deepEqual(
    [...set.stores(), ...set.endpoints("store")].map((s) => s.away),
    [away, away],
  );
  const [status] = set.statuses();
  assert.equal(status!.lastError, "rpc error: code = Unavailable desc = Not ready");
  assert.deepEqual(status!.lastCheck, new Date(1_000_000));
  a.state.broken = false;
  await set.update();
  assert.deepEqual(
    set.stores().map((s) => s.away),
    [undefined],
  );
  assert.equal(set.statuses()[0]!.lastError, undefined);
  a.state.broken = true;
  clock.now += 59_999;
  await set.update();
  assert.equal(set.statuses().length, 1);
  clock.now += 1;
  await set.update();
  assert.equal(set.statuses().length, 0);
});

test("one that is there from the start but does not answer is away, one that comes later is left out", async (t) => {
  const gone = await start(t, storeInfo());
  await gone.server.stop(0);
  const a = await start(t, storeInfo());
  for (const first of [[spec(gone.address)], [spec(a.address)]]) {
    const specs = [...first];
    const {set, clock} = setOf(t, () => specs, {infoTimeoutMs: 50});
    await set.update();
    specs.splice(0, 1, spec(gone.address));
    await set.update();
    const fromTheStart = first[0]?.address === gone.address;
    const all = set.stores().map(({address, labelSets, mint, maxt, away}) => ({address, labelSets, mint, maxt, away}));
    const away = /^endpoint does not answer: .*connection refused/;
    assert.equal(all.length, fromTheStart ? 1 : 0);
    if (fromTheStart) {
      assert.match(all[0]!.away!, away);
      assert.deepEqual(
        {...all[0], away},
        {address: gone.address, labelSets: [], mint: -(2 ** 63), maxt: 2 ** 63, away},
      );
    }
    clock.now += 60_000;
    await set.update();
    assert.deepEqual(set.stores(), []);
  }
});

test("a strict endpoint that does not answer is asked as a store over all time", async (t) => {
  const gone = await start(t, storeInfo());
  await gone.server.stop(0);
  const strict = setOf(t, () => [spec(gone.address, true)], {infoTimeoutMs: 50});
  await strict.set.update();
  const [store] = strict.set.stores();
  assert.deepEqual([store!.mint, store!.maxt, store!.labelSets], [-(2 ** 63), 2 ** 63, []]);
  const [status] = strict.set.statuses();
  assert.equal(status!.componentType, undefined);
  assert.match(
    status!.lastError!,
    /^rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = ".*connection refused"$/,
  );
  strict.clock.now += 3_600_000;
  await strict.set.update();
  assert.deepEqual(
    strict.set.stores().map((s) => s.away),
    [undefined],
  );
});

test("the set follows its specs", async (t) => {
  const a = await start(t, storeInfo());
  const b = await start(t, storeInfo());
  const specs = [spec(a.address), spec(a.address)];
  const {set} = setOf(t, () => specs);
  await set.update();
  assert.deepEqual(
    set.statuses().map((s) => s.name),
    [a.address],
  );
  const [before] = set.endpoints("store");
  specs.splice(0, 2, spec(a.address, true));
  await set.update();
  assert.notEqual(set.endpoints("store")[0]!.transport, before!.transport, "other settings, another connection");
  specs.splice(0, 1, spec(b.address));
  await set.update();
  assert.deepEqual(
    set.statuses().map((s) => s.name),
    [b.address],
  );
});

test("rounds go on by themselves until the set is closed", async (t) => {
  const a = await start(t, storeInfo());
  const {set} = setOf(t, () => [spec(a.address)], {infoTimeoutMs: 250});
  await set.start();
  assert.equal(set.statuses()[0]!.lastError, undefined);
  a.state.broken = true;
  while (set.statuses()[0]!.lastError === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  await set.close();
  assert.deepEqual(set.statuses(), []);
});

test("a group spreads calls over its addresses and goes round one that is down", async (t) => {
  const a = await start(t, {...storeInfo(), componentType: "store"});
  const b = await start(t, {...storeInfo(), componentType: "receive"});
  const down = await start(t, storeInfo());
  await down.server.stop(0);
  let addresses = [a.address, b.address];
  const fast = {maxAttempts: 3, initialBackoffMs: 1, multiplier: 1};
  const group: EndpointSpec = {
    ...spec("thanos:///dns+stores:10901"),
    connect: (metrics) =>
      new GroupTransport({address: "thanos:///dns+stores:10901", addresses: () => addresses, retry: fast}, metrics),
  };
  const {set} = setOf(t, () => [group]);
  const seen = new Set<string | undefined>();
  for (let i = 0; i < 4; i++) {
    await set.update();
    seen.add(set.statuses()[0]!.componentType);
  }
  assert.deepEqual([...seen].sort(), ["receive", "store"]);
  assert.equal(set.statuses()[0]!.name, "thanos:///dns+stores:10901");
  addresses = [down.address, a.address];
  const [store] = set.stores();
  const source = store!.source;
  assert.ok(source.kind === "remote");
  const q = {matchers: [], mint: 0, maxt: 1, withoutReplicaLabels: [], limit: 0, partialResponse: true};
  for (let i = 0; i < 4; i++) await source.client.labelNames(q, new AbortController().signal);
  addresses = [];
  await assert.rejects(source.client.labelNames(q, new AbortController().signal), /no addresses of thanos:/);
});
