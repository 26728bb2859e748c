import assert from "node:assert/strict";
import {openSync, readdirSync, readFileSync, writeSync} from "node:fs";
import {createServer} from "node:http";
import type {AddressInfo} from "node:net";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {snappyDecode} from "@strata/bytes";
import type {FloatHistogram} from "@strata/engine";
import {Labels} from "@strata/model";
import {prompb} from "@strata/proto";
import {fillStale, type RuleSamples} from "@strata/rules";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {parseRemoteWriteConfig} from "./remote-config.ts";
import {RemoteStorage} from "./remote-storage.ts";

/** A receiver that takes samples, or answers as it is told. */
class Receiver {
  readonly got: string[] = [];
  readonly attempts: (string | undefined)[] = [];
  /** Answers to come before all is well; 0 breaks the connection off. */
  readonly refusals: number[] = [];
  url = "";
  #wake = (): void => undefined;

  static async start(t: TestContext): Promise<Receiver> {
    const receiver = new Receiver();
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      receiver.attempts.push(request.headers["retry-attempt"] as string | undefined);
      const status = receiver.refusals.shift();
      if (status === 0) request.socket.destroy();
      else if (status !== undefined) response.writeHead(status).end("no");
      else {
        receiver.#take(Buffer.concat(parts));
        response.writeHead(204).end();
      }
      receiver.#wake();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/write`;
    return receiver;
  }

  #take(body: Buffer): void {
    const message = snappyDecode(body, 1 << 26);
    const stale = Buffer.from(message).includes(Buffer.from("020000000000f07f", "hex"));
    for (const {labels, samples, histograms} of prompb.WriteRequest.decode(message).timeseries) {
      const text = labels.map(({name, value}) => `${name}=${value}`).join();
      for (const {value, timestamp} of samples) {
        this.got.push(`${text} ${stale && Number.isNaN(value) ? "stale" : value}@${timestamp}`);
      }
      for (const h of histograms) this.got.push(`${text} h${h.countFloat}@${h.timestamp}`);
    }
  }

  async waitFor(count: number): Promise<void> {
    while (this.got.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async waitForAttempts(count: number): Promise<void> {
    while (this.attempts.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const sets = new Map<string, Labels>();
const set = (name: string): Labels => {
  const labels = sets.get(name) ?? Labels.fromObject({__name__: name});
  sets.set(name, labels);
  return labels;
};

function samples(t: number, values: Readonly<Record<string, number>>): RuleSamples {
  return {
    t,
    labels: Object.keys(values).map(set),
    values: Float64Array.from(Object.values(values)),
    histograms: undefined,
  };
}

const QUEUE = "queue_config: {batch_send_deadline: 5ms, min_backoff: 1ms, max_backoff: 5ms}";

function open(t: TestContext, dataDir: string, config: string, external: Record<string, string> = {}) {
  const registry = newRegistry();
  const storage = RemoteStorage.open({
    dataDir,
    remotes: parseRemoteWriteConfig(config),
    externalLabels: Labels.fromObject(external),
    compression: "snappy",
    userAgent: "x",
    registry,
    logger: nullLogger(),
  });
  const abort = new AbortController();
  const running = storage.run(abort.signal);
  const close = async (): Promise<void> => {
    abort.abort();
    await running;
    await storage.close();
  };
  // Folders go before this is called where a test fails; else it has been closed by then.
  t.after(() => abort.abort());
  const metric = async (name: string): Promise<number> => {
    const family = (await registry.gather()).find((each) => each.name === name);
    return (family?.samples ?? []).reduce((sum, {value}) => sum + value, 0);
  };
  return {storage, close, metric};
}

test("samples arrive with external labels, relabelled, stale markers whole", async (t) => {
  const receiver = await Receiver.start(t);
  const config = `remote_write: [{url: "${receiver.url}", ${QUEUE}, write_relabel_configs: [{action: drop, source_labels: [__name__], regex: no}]}]`;
  const {storage, close} = open(t, tempDir(t), config, {ruler: "r"});
  await storage.append(samples(1000, {a: 1, no: 5, b: 2}));
  const ended = samples(2000, {a: 0});
  fillStale(ended.values, 0, 1);
  await storage.append(ended);
  await receiver.waitFor(3);
  assert.deepEqual(receiver.got.sort(), [
    "__name__=a,ruler=r 1@1000",
    "__name__=a,ruler=r stale@2000",
    "__name__=b,ruler=r 2@1000",
  ]);
  await close();
});

test("histograms are sent only where they are wanted", async (t) => {
  const [wants, not] = [await Receiver.start(t), await Receiver.start(t)];
  const config = `remote_write: [{url: "${wants.url}", send_native_histograms: true, ${QUEUE}}, {url: "${not.url}", ${QUEUE}}]`;
  const {storage, close} = open(t, tempDir(t), config);
  const h: FloatHistogram = {
    schema: 0,
    hint: 3,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 7,
    sum: 1,
    pi: [0, 2],
    pv: [3, 4],
    ni: [],
    nv: [],
    custom: [],
  };
  await storage.append({
    t: 1,
    labels: [set("h"), set("f")],
    values: Float64Array.of(0, 5),
    histograms: new Map([[0, h]]),
  });
  await Promise.all([wants.waitFor(2), not.waitFor(1)]);
  assert.deepEqual(wants.got.sort(), ["__name__=f 5@1", "__name__=h h7@1"]);
  assert.deepEqual(not.got, ["__name__=f 5@1"]);
  await close();
});

test("nothing is lost while the receiver fails, also over a restart; only refusals for good are dropped", async (t) => {
  const receiver = await Receiver.start(t);
  const dir = tempDir(t);
  const config = `remote_write: [{url: "${receiver.url}", ${QUEUE}}]`;
  receiver.refusals.push(500, 0, 503, 429, 500);
  const first = open(t, dir, config);
  await first.storage.append(samples(1, {a: 1}));
  await receiver.waitForAttempts(4);
  // 429 is final unless it is asked to be tried again.
  assert.deepEqual(receiver.attempts, [undefined, "1", "2", "3"]);
  await first.storage.append(samples(2, {a: 2}));
  await receiver.waitForAttempts(5);
  receiver.refusals.push(...Array.from({length: 1000}, () => 500));
  await first.storage.append(samples(3, {a: 3}));
  assert.equal(await first.metric("prometheus_remote_storage_samples_failed_total"), 1);
  await first.close();
  receiver.refusals.length = 0;
  const second = open(t, dir, config);
  await second.storage.append(samples(4, {a: 4}));
  await receiver.waitFor(3);
  assert.deepEqual(receiver.got, ["__name__=a 2@2", "__name__=a 3@3", "__name__=a 4@4"]);
  await second.close();
});

test("a receiver that is slow holds up no other, and keeps its order", async (t) => {
  const [slow, fast] = [await Receiver.start(t), await Receiver.start(t)];
  slow.refusals.push(...Array.from({length: 20}, () => 500));
  const config = `remote_write: [{url: "${slow.url}", ${QUEUE}}, {url: "${fast.url}", ${QUEUE}}]`;
  const {storage, close} = open(t, tempDir(t), config);
  const want: string[] = [];
  for (let i = 1; i <= 30; i++) {
    await storage.append(samples(i, {a: i}));
    want.push(`__name__=a ${i}@${i}`);
  }
  await Promise.all([slow.waitFor(30), fast.waitFor(30)]);
  assert.deepEqual(fast.got, want);
  assert.deepEqual(slow.got, want);
  await close();
});

test("a backlog is sent by several requests at a time, each series in order", async (t) => {
  const receiver = await Receiver.start(t);
  receiver.refusals.push(500);
  const config = `remote_write: [{url: "${receiver.url}", queue_config: {batch_send_deadline: 5ms, max_samples_per_send: 10, max_shards: 8, min_backoff: 20ms}}]`;
  const {storage, close, metric} = open(t, tempDir(t), config);
  const names = Array.from({length: 40}, (_, i) => `s${i}`);
  for (let at = 1; at <= 50; at++)
    await storage.append(samples(at, Object.fromEntries(names.map((name) => [name, at]))));
  await receiver.waitFor(2000);
  const seen = new Map<string, number[]>();
  for (const text of receiver.got) {
    const [, name, at] = /__name__=(\w+) .*@(\d+)$/.exec(text) as unknown as [string, string, string];
    seen.set(name, [...(seen.get(name) ?? []), Number(at)]);
  }
  const times = Array.from({length: 50}, (_, i) => i + 1);
  for (const name of names) assert.deepEqual(seen.get(name), times, name);
  assert.ok((await metric("prometheus_remote_storage_shards_max")) === 8);
  await close();
});

test("samples that go back are refused, equal ones passed over", async (t) => {
  const receiver = await Receiver.start(t);
  const {storage, close} = open(t, tempDir(t), `remote_write: [{url: "${receiver.url}", ${QUEUE}}]`);
  await storage.append(samples(10, {a: 1}));
  assert.deepEqual(await storage.append(samples(10, {a: 2})), {outOfOrder: 0, tooOld: 0, duplicate: 1});
  assert.deepEqual(await storage.append(samples(9, {a: 2, b: 1})), {outOfOrder: 1, tooOld: 0, duplicate: 0});
  assert.deepEqual(await storage.append(samples(10, {a: 1})), {outOfOrder: 0, tooOld: 0, duplicate: 0});
  await receiver.waitFor(2);
  assert.deepEqual(receiver.got.sort(), ["__name__=a 1@10", "__name__=b 1@9"]);
  await close();
});

test("segments that everybody has are removed, and each can be read without those before it", async (t) => {
  const receiver = await Receiver.start(t);
  const dir = tempDir(t);
  const config = `remote_write: [{url: "${receiver.url}", ${QUEUE}}]`;
  for (let round = 1; round <= 3; round++) {
    const {storage, close} = open(t, dir, config);
    await storage.append(samples(round, {a: round}));
    await receiver.waitFor(round);
    await close();
  }
  assert.deepEqual(receiver.got, ["__name__=a 1@1", "__name__=a 2@2", "__name__=a 3@3"]);
  assert.ok(readdirSync(join(dir, "wal")).length <= 2);
});

test("damage in a segment costs what lies behind it there, and nothing else", async (t) => {
  const pick = random(seed());
  for (let round = 0; round < repeat(20); round++) {
    const receiver = await Receiver.start(t);
    const dir = tempDir(t);
    const config = `remote_write: [{url: "${receiver.url}", ${QUEUE}}]`;
    receiver.refusals.push(...Array.from({length: 1000}, () => 500));
    const first = open(t, dir, config);
    for (let at = 1; at <= 20; at++) await first.storage.append(samples(at, {a: at, b: at}));
    await first.close();
    const segment = join(dir, "wal", readdirSync(join(dir, "wal")).sort()[0] as string);
    const bytes = readFileSync(segment);
    const used = bytes.findLastIndex((byte) => byte !== 0);
    const file = openSync(segment, "r+");
    const at = Math.floor(pick() * used);
    writeSync(file, Uint8Array.of((bytes[at] as number) ^ 0x55), 0, 1, at);
    receiver.refusals.length = 0;
    const second = open(t, dir, config);
    await second.storage.append(samples(100, {a: 100}));
    while (!receiver.got.includes("__name__=a 100@100")) await receiver.waitFor(receiver.got.length + 1);
    for (const text of receiver.got) assert.match(text, /^__name__=[ab] (\d+)@\1$/);
    await second.close();
  }
});

test("configurations that cannot be obeyed are refused", () => {
  const f = (entry: string, want: RegExp): void =>
    assert.throws(() => parseRemoteWriteConfig(`remote_write: [${entry}]`), want);
  f("{}", /url is missing/);
  f('{url: "http://x", oauth2: {client_id: a}}', /entry 1 of remote_write: oauth2 is not supported/);
  f('{url: "http://x", protobuf_message: io.prometheus.write.v2.Request}', /protobuf_message .* is not supported/);
  f('{url: "http://x", nope: 1}', /unknown field nope/);
  f('{url: "http://x"}, {url: "http://x"}', /multiple remote write configs with job name/);
  f('{url: "http://x", queue_config: {max_shards: 0}}', /max_shards is not a count/);
  assert.throws(() => parseRemoteWriteConfig("remote_write: []"), /at least one entry/);
  const [config] = parseRemoteWriteConfig(
    'remote_write: [{url: "http://x", authorization: {credentials: c}, remote_timeout: 1m}]',
  );
  assert.deepEqual([config?.http.bearerToken, config?.timeoutMs, config?.queue.maxShards], ["c", 60_000, 50]);
});
