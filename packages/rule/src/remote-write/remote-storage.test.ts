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
import {prompb, writeV2} from "@strata/proto";
import {fillStale, type RuleSamples} from "@strata/rules";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {parseRemoteWriteConfig} from "./remote-config.ts";
import {RemoteStorage} from "./remote-storage.ts";

/** A receiver that takes samples, or answers as it is told. */
class Receiver {
  readonly got: string[] = [];
  readonly attempts: (string | undefined)[] = [];
  /** The type of each message taken. */
  readonly types: (string | undefined)[] = [];
  /** Answers to come before all is well; 0 breaks the connection off. */
  readonly refusals: number[] = [];
  /** Whether it knows remote write 2.0, and how many samples of a request it then says it has written. */
  knowsV2 = false;
  written: number | undefined;
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
        const type = request.headers["content-type"];
        response.writeHead(204, receiver.#take(Buffer.concat(parts), type)).end();
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

  /** Gives headers for the answer. */
  #take(body: Buffer, type: string | undefined): Record<string, string> {
    this.types.push(type);
    const message = snappyDecode(body, 1 << 26);
    const stale = Buffer.from(message).includes(Buffer.from("020000000000f07f", "hex"));
    const isV2 = this.knowsV2 && type?.endsWith("v2.Request") === true;
    const list = isV2 ? seriesOfV2(message) : prompb.WriteRequest.decode(message).timeseries;
    let [floats, others] = [0, 0];
    for (const {labels, samples, histograms} of list) {
      const text = labels.map(({name, value}) => `${name}=${value}`).join();
      for (const {value, timestamp} of samples) {
        this.got.push(`${text} ${stale && Number.isNaN(value) ? "stale" : value}@${timestamp}`);
      }
      for (const h of histograms) this.got.push(`${text} h${h.countFloat}@${h.timestamp}`);
      floats += samples.length;
      others += histograms.length;
    }
    const written = "x-prometheus-remote-write";
    return isV2
      ? {[`${written}-samples-written`]: `${this.written ?? floats}`, [`${written}-histograms-written`]: `${others}`}
      : {};
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

function seriesOfV2(message: Uint8Array) {
  const {symbols, timeseries} = writeV2.Request.decode(message);
  assert.equal(symbols[0], "");
  assert.equal(new Set(symbols).size, symbols.length);
  return timeseries.map(({labelsRefs, samples, histograms}) => ({
    labels: labelsRefs.flatMap((ref, i) =>
      i % 2 === 1 ? [] : [{name: symbols[ref], value: symbols[labelsRefs[i + 1] as number]}],
    ),
    samples,
    histograms,
  }));
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
  const {storage, close, metric} = open(t, tempDir(t), config, {ruler: "r"});
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
  assert.equal(await metric("prometheus_remote_storage_samples_dropped_total"), 1);
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

const V2 = `protobuf_message: io.prometheus.write.v2.Request, send_native_histograms: true, ${QUEUE}`;
const V2_TYPE = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

test("remote write 2.0 carries floats, stale markers and histograms", async (t) => {
  const receiver = await Receiver.start(t);
  receiver.knowsV2 = true;
  const {storage, close, metric} = open(t, tempDir(t), `remote_write: [{url: "${receiver.url}", ${V2}}]`, {ruler: "r"});
  const h: FloatHistogram = {
    ...{schema: 0, hint: 3, zeroThreshold: 0, zeroCount: 0, count: 7, sum: 1},
    ...{pi: [0, 2], pv: [3, 4], ni: [], nv: [], custom: []},
  };
  const mixed = {t: 1, labels: [set("h"), set("f")], values: Float64Array.of(0, 5), histograms: new Map([[0, h]])};
  await storage.append(mixed);
  const ended = samples(2, {f: 0});
  fillStale(ended.values, 0, 1);
  await storage.append(ended);
  await receiver.waitFor(3);
  assert.deepEqual(receiver.got.sort(), [
    "__name__=f,ruler=r 5@1",
    "__name__=f,ruler=r stale@2",
    "__name__=h,ruler=r h7@1",
  ]);
  assert.deepEqual(new Set(receiver.types), new Set([V2_TYPE]));
  await close();
  for (const [name, want] of [
    ["samples_total", 2],
    ["histograms_total", 1],
    ["samples_failed_total", 0],
    ["histograms_failed_total", 0],
    ["samples_in_total", 2],
    ["histograms_in_total", 1],
    ["highest_timestamp_in_seconds", 0.002],
    ["queue_highest_timestamp_seconds", 0.002],
    ["queue_highest_sent_timestamp_seconds", 0.002],
  ] as const) {
    assert.equal(await metric(`prometheus_remote_storage_${name}`), want, name);
  }
});

test("what a receiver says it has not written is counted as lost", async (t) => {
  const receiver = await Receiver.start(t);
  receiver.knowsV2 = true;
  receiver.written = 1;
  const {storage, close, metric} = open(t, tempDir(t), `remote_write: [{url: "${receiver.url}", ${V2}}]`);
  await storage.append(samples(1, {a: 1, b: 2, c: 3}));
  await receiver.waitFor(3);
  await close();
  assert.equal(await metric("prometheus_remote_storage_samples_total"), 1);
  assert.equal(await metric("prometheus_remote_storage_samples_failed_total"), 2);
});

test("a receiver that does not know 2.0 gets everything by 1.0", async (t) => {
  for (const refuses of [true, false]) {
    const receiver = await Receiver.start(t);
    if (refuses) receiver.refusals.push(415);
    const {storage, close, metric} = open(t, tempDir(t), `remote_write: [{url: "${receiver.url}", ${V2}}]`);
    await storage.append(samples(1, {a: 1}));
    await receiver.waitFor(1);
    await storage.append(samples(2, {a: 2}));
    await receiver.waitFor(2);
    assert.deepEqual(receiver.got, ["__name__=a 1@1", "__name__=a 2@2"]);
    const v1 = "application/x-protobuf";
    assert.deepEqual(receiver.types, refuses ? [v1, v1] : [V2_TYPE, v1, v1]);
    await close();
    assert.equal(await metric("prometheus_remote_storage_samples_failed_total"), 0);
  }
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
  f('{url: "http://x", oauth2: {client_id: a}}', /entry 1 of remote_write, oauth2: token_url must be configured/);
  f('{url: "http://x", azuread: {cloud: AzurePublic}}', /azuread is not supported; .* oauth2 with token_url https:/);
  f('{url: "http://x", protobuf_message: v3}', /protobuf_message must be one of "prometheus.WriteRequest", "io.p/);
  f('{url: "http://x", sigv4: {access_key: a}}', /access_key and secret_key are given together/);
  f('{url: "http://x", sigv4: {external_id: a}}', /external_id can only be used with role_arn/);
  f('{url: "http://x", sigv4: {}, google_iam: {}}', /at most one of sigv4 & google_iam must be configured/);
  f('{url: "http://x", sigv4: {}, basic_auth: {username: u}}', /at most one of basic_auth & sigv4/);
  f('{url: "http://x", headers: {Authorization: x}}', /Authorization is set by Strata, or by basic_auth/);
  f('{url: "http://x", nope: 1}', /unknown key "nope"/);
  f('{url: "http://x", tls_config: {nope: 1}}', /tls_config: unknown key "nope"/);
  f('{url: "http://x"}, {url: "http://x"}', /multiple remote write configs with job name/);
  f('{url: "http://x", queue_config: {max_shards: 0}}', /max_shards must be at least 1/);
  f('{url: "http://x", remote_timeout: soon}', /remote_timeout: /);
  assert.throws(() => parseRemoteWriteConfig("remote_write: []"), /at least one entry/);
  assert.throws(() => parseRemoteWriteConfig("remote_writes: []"), /unknown key "remote_writes"/);
  const [config] = parseRemoteWriteConfig('remote_write: [{url: "http://x", remote_timeout: 1m}]');
  assert.deepEqual([config?.timeoutMs, config?.queue.maxShards], [60_000, 50]);
});
