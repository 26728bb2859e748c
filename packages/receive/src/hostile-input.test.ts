import assert from "node:assert/strict";
import {connect} from "node:net";
import {describe, test} from "node:test";
import {gzipSync} from "node:zlib";
import {snappyEncode} from "@strata/bytes";
import {type Init, prompb, writeV2} from "@strata/proto";
import {OtlpHandler} from "./otlp/otlp-handler.ts";
import {type ReceiverFixture, send, startReceiver, storedSamples} from "./testing/receiver-fixture.ts";

const T = 1_700_000_000_000;
const V2 = {
  "X-Prometheus-Remote-Write-Version": "2.0.0",
  "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
};

const fixture = (t: Parameters<typeof startReceiver>[0], bodyTimeoutMs = 60_000): Promise<ReceiverFixture> =>
  startReceiver(t, {
    handler: {bodies: {bytes: 12 << 20, total: 32 << 20, perTenant: 16 << 20, timeoutMs: bodyTimeoutMs}},
    addRoutes: (router, writes) => {
      const settings = {
        naming: {utf8: false, suffixes: true},
        prometheus: false,
        targetInfo: true,
        promote: [],
        keepIdentifying: false,
        nhcb: false,
        scopeMetadata: false,
      };
      const otlp = new OtlpHandler({settings, deltaToCumulative: true, writes});
      router.add({methods: ["POST"], path: "/api/v1/otlp", handle: (r) => otlp.export(r)});
    },
  });

const write = (f: ReceiverFixture, series: readonly Init<prompb.TimeSeries>[], headers = {}) =>
  send(`${f.server.url}/api/v1/receive`, snappyEncode(prompb.WriteRequest.encode({timeseries: series})), headers);

const good = (name: string): Init<prompb.TimeSeries> => ({
  labels: [{name: "__name__", value: name}],
  samples: [{value: 1, timestamp: T}],
});

/** Whether another tenant is still served, and nothing it did not send is there. */
async function othersAreFine(f: ReceiverFixture): Promise<void> {
  const answer = await write(f, [good("fine")], {"THANOS-TENANT": "other"});
  assert.equal(answer.status, 200, answer.body);
  const stored = await storedSamples(f.tenants.get("other")?.db as never);
  assert.equal(stored.size, 1);
}

describe("hostile input", () => {
  test("that would unpack to more than allowed is refused", async (t) => {
    const f = await fixture(t);
    // A header that promises 4 GiB, and one of what the copies behind it could reach.
    const bomb = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61]);
    assert.equal((await send(`${f.server.url}/api/v1/receive`, bomb)).status, 400);
    // 200 MiB, as the header says, out of a body that could hold them.
    const large = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x64]), Buffer.alloc(10 << 20)]);
    const answer = await send(`${f.server.url}/api/v1/receive`, large);
    assert.equal(answer.status, 413, answer.body);
    const gzip = gzipSync(Buffer.alloc(40 << 20));
    const headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"};
    assert.equal((await send(`${f.server.url}/api/v1/otlp`, gzip, headers)).status, 413);
    await othersAreFine(f);
  });

  test("with lengths that lie is refused", async (t) => {
    const f = await fixture(t);
    for (const bytes of [
      [0x0a, 0x7f],
      [0x0a, 0x05, 0x0a, 0x7f, 1, 2, 3],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ]) {
      const answer = await send(`${f.server.url}/api/v1/receive`, snappyEncode(Buffer.from(bytes)));
      assert.equal(answer.status, 400, answer.body);
    }
    // A label whose inside is broken: found when the series is new.
    const label = Buffer.from([0x0a, 0x09, 0x0a, 0x03, 0x0a, 0x7f, 0x61, 0x12, 0x02, 0x10, 0x01]);
    const answer = await send(`${f.server.url}/api/v1/receive`, snappyEncode(label));
    assert.equal(answer.status, 400, answer.body);
    await othersAreFine(f);
  });

  test("with labels that cannot be is answered with 409, and the rest is stored", async (t) => {
    const f = await fixture(t);
    const labels = (...pairs: [string, string][]): Init<prompb.TimeSeries> => ({
      labels: pairs.map(([name, value]) => ({name, value})),
      samples: [{value: 1, timestamp: T}],
    });
    const answer = await write(f, [
      labels(["b", "1"], ["a", "1"]),
      labels(["a", "1"], ["a", "2"]),
      labels(["", "1"]),
      labels(["a", ""]),
      labels(),
      good("kept"),
    ]);
    assert.equal(answer.status, 409);
    assert.match(
      answer.body,
      /3 errors: add 1 series: out of order labels; add 1 series: .*duplicate.*; add 3 series: /,
    );
    const stored = await storedSamples(f.tenants.get("default-tenant")?.db as never);
    assert.deepEqual(
      [...stored.values()].map(({labels: l}) => l.get("__name__")),
      ["kept"],
    );
  });

  test("with a million labels is held to a limit", async (t) => {
    const f = await startReceiver(t, {
      tenants: {limits: () => ({headSeries: 10, labelNames: 100, labelNameLength: 50, labelValueLength: 1000})},
    });
    const many = Array.from({length: 1_000_000}, (_, i) => ({name: `l${String(i).padStart(7, "0")}`, value: "v"}));
    const answer = await write(f, [{labels: many, samples: [{value: 1, timestamp: T}]}, good("kept")]);
    assert.equal(answer.status, 429);
    assert.match(answer.body, /1000000 labels exceed the limit of 100/);
    const long = await write(f, [
      {labels: [{name: "a", value: "x".repeat(2000)}], samples: [{value: 1, timestamp: T}]},
    ]);
    assert.match(long.body, /a value of 2000 characters exceeds the limit of 1000/);
    const series = Array.from({length: 20}, (_, i) => good(`s${i}`));
    const above = await write(f, series);
    assert.equal(above.status, 429);
    assert.match(above.body, /add 11 series: tenant is above active series limit of 10/);
    // Those that are there go on.
    assert.equal((await write(f, [{...good("kept"), samples: [{value: 2, timestamp: T + 1}]}])).status, 200);
  });

  test("with text that is no UTF-8 gives readable series", async (t) => {
    const f = await fixture(t);
    const bytes = Buffer.from(prompb.WriteRequest.encode({timeseries: [good("aXb")]}));
    bytes[bytes.indexOf("X")] = 0xff;
    assert.equal((await send(`${f.server.url}/api/v1/receive`, snappyEncode(bytes))).status, 200);
    const stored = await storedSamples(f.tenants.get("default-tenant")?.db as never);
    assert.deepEqual(
      [...stored.values()].map(({labels}) => labels.get("__name__")),
      ["a\ufffdb"],
    );
  });

  test("with absurd histograms stores none of them", async (t) => {
    const f = await fixture(t);
    const base = {sum: 1, timestamp: T, countInt: 1, zeroThreshold: 0.001};
    const absurd: Init<prompb.Histogram>[] = [
      {...base, schema: 1000},
      {...base, schema: -1000},
      {...base, positiveSpans: [{offset: 0, length: 0xffff_ffff}], positiveDeltas: [1]},
      {
        ...base,
        positiveSpans: [
          {offset: -(2 ** 31), length: 1},
          {offset: -1, length: 1},
        ],
        positiveDeltas: [1, 0],
      },
      {...base, positiveSpans: [{offset: 0, length: 1}], positiveDeltas: [-5]},
      {...base, schema: -53, customValues: [3, 2, 1], positiveSpans: [{offset: 0, length: 1}], positiveDeltas: [1]},
      {...base, schema: -53, customValues: [Number.NaN]},
      {...base, countInt: 2 ** 53},
    ];
    for (const histogram of absurd) {
      const labels = [{name: "__name__", value: "h"}];
      const answer = await write(f, [{labels, histograms: [histogram]}]);
      assert.equal(answer.status, 200, answer.body);
    }
    const stored = await storedSamples(f.tenants.get("default-tenant")?.db as never);
    assert.equal([...stored.values()].flatMap(({samples}) => samples).length, 0);
    await othersAreFine(f);
  });

  test("in remote write 2.0 that names what is not there, or too much of it, is refused", async (t) => {
    const f = await fixture(t);
    const v2 = (request: Init<writeV2.Request>) =>
      send(`${f.server.url}/api/v1/receive`, snappyEncode(writeV2.Request.encode(request)), V2);
    assert.equal((await v2({symbols: [""], timeseries: [{labelsRefs: [0, 77]}]})).status, 400);
    const refs = Array.from({length: 4000}, () => 1);
    const answer = await v2({symbols: ["", "z".repeat(1 << 20)], timeseries: [{labelsRefs: refs}]});
    assert.equal(answer.status, 413, answer.body);
    await othersAreFine(f);
  });

  test("with times at the ends of the world is out of bounds", async (t) => {
    const f = await fixture(t);
    const at = (timestamp: number) => write(f, [{...good("m"), samples: [{value: 1, timestamp}]}]);
    assert.equal((await at(2 ** 63)).status, 409);
    assert.equal((await at(-(2 ** 63))).status, 409);
    assert.equal((await at(T)).status, 200);
  });

  test("that nests without end is refused", async (t) => {
    const f = await fixture(t);
    let value = '{"stringValue": "x"}';
    for (let i = 0; i < 1000; i++) value = `{"arrayValue": {"values": [${value}]}}`;
    const json = `{"resourceMetrics": [{"resource": {"attributes": [{"key": "a", "value": ${value}}]}}]}`;
    const headers = {"Content-Type": "application/json"};
    const answer = await send(`${f.server.url}/api/v1/otlp`, Buffer.from(json), headers);
    assert.equal(answer.status, 400);
    assert.match(answer.body, /nest deeper than 64/);
  });

  test("in tenant names does not leave the directory", async (t) => {
    const f = await fixture(t);
    for (const tenant of ["..", ".", "a/b", "a\\b", "x".repeat(300), "lost+found"]) {
      const answer = await write(f, [good("m")], {"THANOS-TENANT": tenant});
      assert.equal(answer.status, 400, `${tenant}: ${answer.body}`);
      assert.equal(answer.body, "tenant name not valid\n");
    }
    assert.deepEqual(f.tenants.all, []);
  });

  test("that arrives byte by byte is broken off, and holds up nobody", async (t) => {
    const f = await fixture(t, 300);
    const {port} = f.server.address;
    const closed = new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("POST /api/v1/receive HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nslow");
      });
      socket.on("data", (piece) => (text += piece.toString()));
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    await othersAreFine(f);
    await closed;
  });
});
