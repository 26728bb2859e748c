import assert from "node:assert/strict";
import {before, describe, test} from "node:test";
import {StrataError} from "@strata/base";
import {freePort, random, repeat, type Server} from "@strata/base/testing";
import {encodeXorChunks} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {thanos} from "@strata/proto";
import {AGGREGATE, SeriesBatchBuilder, SeriesFrameWriter} from "@strata/series";
import {GrpcServer, MESSAGE_HEADER, serveInfo} from "@strata/storeapi";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {metricsOf, strata, suiteScope, until} from "./strata.ts";

const T = 1_700_000_000;
const SAMPLES = Array.from({length: 20}, (_, i) => [(T + i * 15) * 1000, i] as const);
const [CHUNK] = encodeXorChunks({
  t: Float64Array.from(SAMPLES, (s) => s[0]),
  v: Float64Array.from(SAMPLES, (s) => s[1]),
  n: SAMPLES.length,
});

/** Frames of one series for each number, all of the same chunk. */
function* frames(kind: string, numbers: Iterable<number>, batchSeries = 64): Generator<Buffer> {
  const builder = new SeriesBatchBuilder();
  const writer = new SeriesFrameWriter({batchSeries, hashes: false, headroom: MESSAGE_HEADER});
  const flush = function* (): Generator<Buffer> {
    for (const frame of writer.frames(builder.finish())) yield frame as Buffer;
  };
  for (const n of numbers) {
    builder.startSeries(Labels.fromObject({__name__: "x", kind, n: String(n).padStart(9, "0")}));
    const {mint, maxt, encoding, data} = CHUNK as NonNullable<typeof CHUNK>;
    builder.addChunk(mint, maxt, encoding, 0, AGGREGATE.raw, data, 0, data.length);
    if (builder.series >= 512) yield* flush();
  }
  if (!builder.empty) yield* flush();
}

const upTo = function* (n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield i;
};

const garbage = random(7);

/** What each store does to a Series call. */
const KINDS: Readonly<Record<string, (signal: AbortSignal) => AsyncGenerator<Buffer>>> = {
  async *good() {
    yield* frames("good", upTo(3));
  },
  async *hangs(signal) {
    yield* frames("hangs", upTo(3));
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  async *mute(signal) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield* [];
  },
  async *dies() {
    yield* frames("dies", upTo(3));
    throw new StrataError("unavailable", "disk on fire");
  },
  async *unsorted() {
    yield* frames("unsorted", [5, 3, 4, 1, 2, 0], 1);
  },
  async *garbage() {
    yield* frames("garbage", upTo(3));
    for (let i = 0; i < 3; i++) {
      yield Buffer.from(Array.from({length: MESSAGE_HEADER + 200}, () => Math.floor(garbage() * 256)));
    }
  },
  async *truncated() {
    for (const frame of frames("truncated", upTo(3))) yield frame.subarray(0, frame.length - 20);
  },
  async *lies() {
    yield* frames("other", upTo(3));
  },
  async *many() {
    let sent = 0;
    for (const frame of frames("many", upTo(MANY))) {
      yield frame;
      if (++sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  },
};

/** Ten million where tests run at length. */
const MANY = repeat(100) >= 100 ? 10_000_000 : 400_000;

type Answer = {
  readonly status: string;
  readonly data?: {readonly result: {readonly metric: Record<string, string>; readonly value: [number, string]}[]};
  readonly error?: string;
  readonly errorType?: string;
  readonly warnings?: string[];
};

describe("a querier over stores that fail", () => {
  const scope = suiteScope();
  const addresses = new Map<string, string>();
  let server: Server & {readonly url: string};

  before(async () => {
    for (const [kind, series] of Object.entries(KINDS)) {
      const store = new GrpcServer({address: "127.0.0.1:0", registry: newRegistry(), logger: nullLogger()});
      const labelSets = [{labels: [{name: "kind", value: kind}]}];
      const offer = {minTime: 0, maxTime: 2 ** 63, supportsSharding: true, supportsWithoutReplicaLabels: true};
      serveInfo(store, () => ({componentType: "store", labelSets, store: offer}));
      store.rawStream(thanos.StoreService.Series, (_request, ctx) => series(ctx.signal));
      addresses.set(kind, `127.0.0.1:${await store.listen()}`);
      scope.after(() => store.stop(0));
    }
    server = await strata(scope, "query", [
      ...[...addresses.values()].map((address) => `--endpoint=${address}`),
      `--grpc-address=127.0.0.1:${await freePort()}`,
      "--store.response-timeout=1s",
      "--query.max-memory=32MiB",
      "--query.timeout=10m",
      "--query.replica-label=replica",
    ]);
    const stores = async () =>
      ((await (await fetch(`${server.url}/api/v1/stores`)).json()) as {data: {store?: unknown[]}}).data.store ?? [];
    await until(async () => (await stores()).length === addresses.size, "all endpoints", server);
  });

  const ask = async (query: string, params: Record<string, string> = {}, signal?: AbortSignal) => {
    const search = new URLSearchParams({query, time: `${T + 100}`, ...params});
    const response = await fetch(`${server.url}/api/v1/query?${search}`, signal ? {signal} : {});
    return {
      status: response.status,
      cache: response.headers.get("cache-control"),
      answer: (await response.json()) as Answer,
    };
  };

  const store = (kind: string) => `Addr: ${addresses.get(kind)} MinTime: 0 MaxTime: 9223372036854775807`;

  /** What an answer with gaps has, and what its warning says. */
  const FAULTS: readonly (readonly [kind: string, series: number, warning: (kind: string) => string])[] = [
    ["hangs", 3, (k) => `failed to receive any data in 1s from ${store(k)}`],
    ["mute", 0, (k) => `failed to receive any data in 1s from ${store(k)}`],
    ["dies", 3, (k) => `receive series from ${store(k)}: rpc error: code = Unavailable desc = disk on fire`],
    ["unsorted", 1, (k) => `receive series from ${store(k)}: `],
    ["garbage", 3, (k) => `receive series from ${store(k)}: `],
    ["truncated", 0, (k) => `receive series from ${store(k)}: `],
  ];

  for (const [kind, least, warning] of FAULTS) {
    test(`tells of a store that ${kind}, and gives what it has`, async () => {
      const {status, cache, answer} = await ask(`x{kind="${kind}"} or x{kind="good"}`);
      assert.equal(status, 200);
      assert.equal(cache, "no-store");
      const of = (k: string) => (answer.data?.result ?? []).filter(({metric}) => metric.kind === k);
      assert.equal(of("good").length, 3);
      assert.ok(of(kind).length >= least, `${of(kind).length} series of ${kind}`);
      assert.ok(
        of(kind).every(({value}) => value[1] === "6"),
        "values are the store's",
      );
      assert.equal(answer.warnings?.length, 1);
      assert.ok((answer.warnings?.[0] ?? "").includes(warning(kind)), String(answer.warnings?.[0]));
    });

    test(`fails over a store that ${kind} where nothing may be missing`, async () => {
      const {status, answer} = await ask(`sum(x{kind="${kind}"})`, {partial_response: "false"});
      assert.deepEqual([status, answer.errorType], [422, "execution"]);
      assert.ok((answer.error ?? "").includes(warning(kind)), String(answer.error));
    });
  }

  test("takes a store's series as they are, whatever labels it announced", async () => {
    const {answer} = await ask('count by (kind) (x{kind="lies"})');
    assert.deepEqual(
      answer.data?.result.map(({metric, value}) => [metric.kind, value[1]]),
      [["other", "3"]],
    );
    assert.equal(answer.warnings, undefined);
  });

  test(`folds ${MANY} series within its memory, and refuses to hold them`, async () => {
    const {answer} = await ask('count(x{kind="many"})', {partial_response: "false"});
    assert.equal(answer.data?.result[0]?.value[1], String(MANY), JSON.stringify(answer));
    const {status, answer: refused} = await ask('x{kind="many"}', {partial_response: "false"});
    assert.deepEqual([status, refused.errorType], [422, "execution"]);
    assert.match(refused.error ?? "", /of 33554432 bytes/);
    const metric = await metricsOf(server.url);
    assert.ok(metric("process_resident_memory_bytes") < 700 * 2 ** 20, `${metric("process_resident_memory_bytes")}`);
  });

  test("leaves nothing behind", async () => {
    const kinds = ["dies", "unsorted", "garbage", "truncated", "hangs", "good", "mute"];
    const once = async (i: number): Promise<unknown> => {
      const query = `x{kind="${kinds[i % kinds.length]}"}`;
      if (i % 5 !== 4) return ask(query, {partial_response: i % 3 === 0 ? "false" : "true"});
      // A client that leaves at once.
      return ask(query, {}, AbortSignal.timeout(5)).catch(() => undefined);
    };
    const rounds = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i += 20)
        await Promise.all(Array.from({length: Math.min(20, n - i)}, (_, k) => once(i + k)));
    };
    await rounds(60);
    const before = await metricsOf(server.url);
    const n = repeat(1000);
    await rounds(n);
    await until(
      async () => (await metricsOf(server.url))("thanos_query_concurrent_gate_queries_in_flight") === 0,
      "idleness",
    );
    const after = await metricsOf(server.url);
    const grown = (name: string) => after(name) - before(name);
    // Node holds a few files of its own, and keeps connections of clients open.
    assert.ok(grown("process_open_fds") <= 25, `${grown("process_open_fds")} more files`);
    const bytes = grown("process_resident_memory_bytes");
    assert.ok(bytes < (64 << 20) + n * 16 * 1024, `${bytes} bytes more after ${n} queries`);
  });
});
