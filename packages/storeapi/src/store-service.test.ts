import assert from "node:assert/strict";
import {test} from "node:test";
import {ByteBudget, type StrataError} from "@strata/base";
import {matcher} from "@strata/model";
import {thanos} from "@strata/proto";
import {collect, plain} from "@strata/series/testing";
import {exposition, negotiate} from "@strata/telemetry";
import {seriesRequest} from "./store-request.ts";
import {connect, connectStore, type MemorySeries, MemoryStore, selectAll, startStore} from "./testing/index.ts";

const never = new AbortController().signal;
/** Bytes of a chunk that make every frame a batch of its own. */
const LARGE = 32 * 1024;
const rows = (n: number, chunks = 2): MemorySeries[] =>
  Array.from({length: n}, (_, i) => ({labels: {__name__: "up", n: `${100 + i}`, replica: "a"}, chunks}));

for (const compression of ["none", "snappy"] as const) {
  test(`series come through a real socket as they are, compression ${compression}`, async (t) => {
    const store = new MemoryStore(rows(50), 300, 7);
    store.warnings = ["a gap"];
    const {address} = await startStore(t, store);
    const client = connectStore(t, address, {compression});
    const got = await collect(client.select(selectAll(), never));
    const want = await collect(store.select(selectAll(), never));
    assert.deepEqual(plain(got).flat(), plain(want).flat());
    assert.deepEqual(
      got.flatMap((b) => b.warnings),
      ["a gap"],
    );
  });
}

test("what a select asks for arrives at the store, and replica labels are gone", async (t) => {
  const store = new MemoryStore(rows(3));
  const {address} = await startStore(t, store);
  const q = selectAll({
    matchers: [matcher("n", "!=", "100"), matcher("__name__", "=~", "up|down"), matcher("x", "!~", "y.+")],
    mint: -(2 ** 63),
    maxt: 2 ** 63,
    step: 15_000,
    range: 300_000,
    func: "rate",
    by: true,
    grouping: ["job"],
    maxResolution: 300_000,
    aggregates: [1, 2],
    withoutReplicaLabels: ["replica"],
    shard: {index: 1, total: 3, by: true, labels: ["job"]},
    skipChunks: true,
    limit: 7,
    partialResponse: false,
    caller: {tenant: "team-a", requestId: "r1", traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
  });
  const got = await collect(connectStore(t, address).select(q, never));
  assert.deepEqual(
    got.flatMap((b) => b.labels.map(String)),
    ['{__name__="up", n="101"}', '{__name__="up", n="102"}'],
  );
  const asked = store.selects[0]!;
  const text = (m: {name: string; op: string; value: string}) => `${m.name}${m.op}${m.value}`;
  assert.deepEqual(asked.matchers.map(text), q.matchers.map(text));
  const {matchers: _m, budget: _b, ...rest} = asked;
  const {matchers: _n, budget: _c, ...want} = q;
  assert.deepEqual(rest, {...want, blockMatchers: []});
});

test("label names and values come with their warnings", async (t) => {
  const store = new MemoryStore(rows(2));
  store.warnings = ["w"];
  const {address} = await startStore(t, store);
  const client = connectStore(t, address);
  const q = {matchers: [], mint: 1, maxt: 2, withoutReplicaLabels: [], limit: 3, partialResponse: true};
  assert.deepEqual(await client.labelNames(q, never), {values: ["__name__", "n", "replica"], warnings: ["w"]});
  const values = await client.labelValues("n", q, never);
  assert.deepEqual([values.values, values.warnings], [["100", "101"], ["w"]]);
  assert.deepEqual({...store.labelQueries[1], caller: undefined}, {...q, caller: undefined, blockMatchers: []});
  await assert.rejects(client.labelValues("", q, never), (err: StrataError) => {
    assert.equal(err.code, "bad_data");
    assert.equal(err.message, "rpc error: code = InvalidArgument desc = label name parameter cannot be empty");
    return true;
  });
});

test("a store that fails in the middle: what came before is kept, the error has its code and text", async (t) => {
  const store = new MemoryStore(rows(10));
  store.failAfter = 2;
  const {address} = await startStore(t, store);
  const got: string[] = [];
  await assert.rejects(
    async () => {
      for await (const b of connectStore(t, address).select(selectAll(), never)) got.push(...b.labels.map(String));
    },
    (err: StrataError) => {
      assert.equal(err.code, "execution");
      assert.equal(err.message, "rpc error: code = Aborted desc = disk on fire");
      return true;
    },
  );
  assert.ok(got.length <= 4);
});

test("a faulty regular expression is the caller's fault", async (t) => {
  const {address} = await startStore(t, new MemoryStore([]));
  const bad = {...matcher("a", "=", "("), op: "=~" as const};
  await assert.rejects(collect(connectStore(t, address).select(selectAll({matchers: [bad]}), never)), {
    code: "bad_data",
  });
});

test("a caller that leaves aborts the source's signal", async (t) => {
  const store = new MemoryStore(rows(10), LARGE);
  store.hangAfter = 1;
  const {address} = await startStore(t, store);
  const abort = new AbortController();
  const reading = (async () => {
    for await (const _ of connectStore(t, address).select(selectAll(), abort.signal)) abort.abort(new Error("enough"));
  })();
  await assert.rejects(reading, /enough/);
  await until(() => store.ended === 1);
  assert.equal(store.signals[0]!.aborted, true);
  assert.equal((store.signals[0]!.reason as StrataError).code, "canceled");
});

test("a consumer that stops early ends the call", async (t) => {
  const store = new MemoryStore(rows(10), LARGE);
  store.hangAfter = 2;
  const {address} = await startStore(t, store);
  for await (const _ of connectStore(t, address).select(selectAll(), never)) break;
  await until(() => store.ended === 1);
});

test("a deadline ends the call on both sides", async (t) => {
  const store = new MemoryStore(rows(10));
  store.hangAfter = 0;
  const {address, registry} = await startStore(t, store);
  const client = connect(t, address);
  const request = seriesRequest(selectAll(), 10);
  const call = client.rawStream(thanos.StoreService.Series, request, {signal: never, timeoutMs: 50});
  await assert.rejects(call.next(), {code: "timeout"});
  await until(() => store.ended === 1);
  // Either side's clock may be the first to run out; the client's shows as a cancellation here.
  assert.match((store.signals[0]!.reason as StrataError).code, /^(timeout|canceled)$/);
  const text = await exposition(registry, negotiate(undefined));
  assert.match(
    text,
    /grpc_server_handled_total\{grpc_code="(DeadlineExceeded|Canceled)",grpc_method="Series"[^}]*\} 1\n/,
  );
});

test("a slow reader bounds what the server makes and the client holds", async (t) => {
  // 64 batches of 1 MiB: far more than all windows and buffers together.
  const store = new MemoryStore(rows(64, 4), 256 * 1024, 1);
  const {address} = await startStore(t, store);
  const client = connectStore(t, address);
  const stream = client.openSeries(seriesRequest(selectAll(), 256), undefined, never)[Symbol.asyncIterator]();
  const first = await stream.next();
  await settled(() => store.batchesMade);
  // A window of 1 MiB, 2 MiB waiting on the server, 1 to 2 MiB read ahead, and what the sockets hold.
  assert.ok(store.batchesMade < 20, `${store.batchesMade} MiB made for a reader that has taken one group`);
  let bytes = (first.value as Uint8Array[]).reduce((n, f) => n + f.length, 0);
  for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
    for (const f of next.value) bytes += f.length;
  }
  assert.ok(bytes > 64 << 20);
});

test("limits break off a call with their text and count it", async (t) => {
  const {address, registry} = await startStore(t, new MemoryStore(rows(10)), {limits: {series: 3, samples: 0}});
  await assert.rejects(collect(connectStore(t, address).select(selectAll(), never)), {
    code: "limit",
    message: /^rpc error: code = ResourceExhausted desc = failed to send series: limit 3 violated \(got \d+\)$/,
  });
  const samples = await startStore(t, new MemoryStore(rows(10)), {limits: {series: 0, samples: 479}});
  await assert.rejects(
    collect(connectStore(t, samples.address).select(selectAll(), never)),
    /failed to send samples: limit 479/,
  );
  assert.match(
    await exposition(registry, negotiate(undefined)),
    /thanos_store_selects_dropped_total\{reason="series"\} 1\n/,
  );
});

test("the caller's budget counts what is in its hands, and gets it back", async (t) => {
  const {address} = await startStore(t, new MemoryStore(rows(10), 1000, 1));
  const budget = new ByteBudget("query", 0);
  await collect(connectStore(t, address).select(selectAll({budget}), never));
  assert.ok(budget.peak > 10_000);
  assert.equal(budget.used, 0);
  const small = new ByteBudget("query", 100);
  await assert.rejects(collect(connectStore(t, address).select(selectAll({budget: small}), never)), {code: "limit"});
});

test("chunk hashes are sent to those who cannot do without", async (t) => {
  const {address} = await startStore(t, new MemoryStore(rows(1)));
  const client = connect(t, address);
  const read = async (): Promise<bigint[]> => {
    const hashes: bigint[] = [];
    for await (const m of client.stream(thanos.StoreService.Series, seriesRequest(selectAll(), 1), {signal: never})) {
      for (const c of m.series?.chunks ?? []) hashes.push(c.raw!.hash);
    }
    return hashes;
  };
  assert.deepEqual(await read(), [0n, 0n]);
});

test("nobody listening is unavailable, in the words of Go's gRPC", async (t) => {
  const {address, server} = await startStore(t, new MemoryStore([]));
  await server.stop(0);
  await assert.rejects(collect(connectStore(t, address).select(selectAll(), never)), {
    code: "unavailable",
    message: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: connection refused"`,
  });
});

/** Waits for a condition that an event of the other side brings about. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    assert.ok(i < 5000, "the condition never came about");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Waits until a count stands still. */
async function settled(count: () => number): Promise<void> {
  for (let last = -1, same = 0; same < 50; ) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    same = count() === last ? same + 1 : 0;
    last = count();
  }
}
