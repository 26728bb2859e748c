import assert from "node:assert/strict";
import {createSocket} from "node:dgram";
import {once} from "node:events";
import {createServer, type IncomingMessage, type ServerResponse} from "node:http";
import type {AddressInfo} from "node:net";
import {test} from "node:test";
import {InMemorySpanExporter} from "@opentelemetry/sdk-trace";
import {tracerOver} from "./otel-tracer.ts";
import {tracerFromConfig} from "./tracer.ts";
import {parseTracingConfig, type TracingConfig} from "./tracing-config.ts";

const otlp = (sampler: string): TracingConfig =>
  parseTracingConfig(`{type: OTLP, config: {client_type: http, ${sampler}}}`, "test") ?? assert.fail();

/** The exporter forgets its spans at shutdown, so they are read before. */
function memory(sampler: string) {
  const exporter = new InMemorySpanExporter();
  const kept: ReturnType<InMemorySpanExporter["getFinishedSpans"]> = [];
  exporter.shutdown = async () => void kept.push(...exporter.getFinishedSpans());
  return {tracer: tracerOver(otlp(sampler), exporter), kept};
}

test("spans nest by the code they run in, across awaits", async () => {
  const {tracer, kept} = memory("");
  await tracer.span("outer", {kind: "server", attributes: {a: 1}}, async (outer) => {
    await Promise.resolve();
    assert.equal(tracer.current()?.spanId, outer.context?.spanId);
    tracer.span("inner", {}, (inner) => assert.equal(inner.context?.traceId, outer.context?.traceId));
  });
  assert.equal(tracer.current(), undefined);
  await tracer.close();
  const [inner, outer] = kept;
  assert.deepEqual([inner?.name, outer?.name], ["inner", "outer"]);
  assert.equal(inner?.parentSpanContext?.spanId, outer?.spanContext().spanId);
  assert.equal(outer?.resource.attributes["service.name"], "test");
});

test("a throw or rejection fails the span and goes on to the caller", async () => {
  const {tracer, kept} = memory("");
  assert.throws(
    () =>
      tracer.span("sync", {}, () => {
        throw new Error("boom");
      }),
    /boom/,
  );
  await assert.rejects(
    tracer.span("async", {}, async () => {
      throw new Error("bang");
    }),
    /bang/,
  );
  await tracer.close();
  assert.deepEqual(
    kept.map((s) => s.status.message),
    ["boom", "bang"],
  );
});

test("the parent decides, force overrides every sampler", async () => {
  const parent = {traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7"};
  const {tracer, kept} = memory("sampler_type: parentbasedneversample");
  tracer.span("dropped", {}, (s) => assert.equal(s.context?.sampled, false));
  tracer.span("kept", {parent: {...parent, sampled: true}}, (s) => assert.equal(s.context?.traceId, parent.traceId));
  tracer.span("refused", {parent: {...parent, sampled: false}}, () => {});
  tracer.span("forced", {force: true}, (s) => assert.equal(s.context?.sampled, true));
  await tracer.close();
  assert.deepEqual(
    kept.map((s) => s.name),
    ["kept", "forced"],
  );
});

/** One HTTP server that resolves with the first request it gets. */
async function collector(t: {after(fn: () => void): void}) {
  const got = Promise.withResolvers<{path: string; type: string; body: Buffer}>();
  const server = createServer(async (req: IncomingMessage, res: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece as Buffer);
    got.resolve({path: req.url ?? "", type: req.headers["content-type"] ?? "", body: Buffer.concat(pieces)});
    res.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return {port: (server.address() as AddressInfo).port, got: got.promise};
}

test("OTLP over HTTP posts protobuf to the collector", async (t) => {
  const {port, got} = await collector(t);
  const tracer = await tracerFromConfig(
    `{type: otlp, config: {client_type: http, endpoint: "127.0.0.1:${port}", insecure: true, service_name: svc}}`,
    "test",
  );
  tracer.span("the-span", {attributes: {k: "v"}}, () => {});
  const [{path, type, body}] = await Promise.all([got, tracer.close()]);
  assert.equal(path, "/v1/traces");
  assert.equal(type, "application/x-protobuf");
  for (const text of ["the-span", "svc", "service.name"]) assert.ok(body.includes(text), text);
});

/** A Thrift binary struct as {field id: value}. */
function readBinary(body: Buffer): {value: Record<number, unknown>; end: number} {
  let at = 0;
  const int = (n: number): number => {
    at += n;
    return body.readIntBE(at - n, n);
  };
  const readers: Record<number, () => unknown> = {
    2: () => int(1) === 1,
    4: () => {
      at += 8;
      return body.readDoubleBE(at - 8);
    },
    8: () => int(4),
    10: () => {
      at += 8;
      return body.readBigInt64BE(at - 8);
    },
    11: () => {
      const length = int(4);
      at += length;
      return body.toString("utf8", at - length, at);
    },
    12: () => struct(),
    15: () => {
      const type = int(1);
      return Array.from({length: int(4)}, () => (readers[type] as () => unknown)());
    },
  };
  const struct = (): Record<number, unknown> => {
    const fields: Record<number, unknown> = {};
    for (let type = int(1); type !== 0; type = int(1)) {
      const id = int(2);
      fields[id] = (readers[type] as () => unknown)();
    }
    return fields;
  };
  return {value: struct(), end: at};
}

test("Jaeger's collector gets one Thrift batch", async (t) => {
  const {port, got} = await collector(t);
  const tracer = await tracerFromConfig(
    `{type: JAEGER, config: {service_name: svc, sampler_type: const, sampler_param: 1, endpoint: "http://127.0.0.1:${port}/api/traces", tags: "zone=a"}}`,
    "test",
  );
  let traceId = "";
  tracer.span("the-span", {kind: "server", attributes: {n: 1.5, yes: true, s: "ü"}}, (s) => {
    traceId = s.context?.traceId ?? "";
  });
  const [{type, body}] = await Promise.all([got, tracer.close()]);
  assert.equal(type, "application/x-thrift");
  const {value, end} = readBinary(body);
  assert.equal(end, body.length);
  const batch = value as {1: Record<number, unknown>; 2: Record<number, unknown>[]};
  assert.deepEqual(batch[1], {1: "svc", 2: [{1: "zone", 2: 0, 3: "a"}]});
  const span = batch[2][0] as Record<number, unknown>;
  assert.equal(span[5], "the-span");
  assert.equal(span[1], BigInt.asIntN(64, BigInt(`0x${traceId.slice(16)}`)));
  assert.deepEqual(span[10], [
    {1: "n", 2: 1, 4: 1.5},
    {1: "yes", 2: 2, 5: true},
    {1: "s", 2: 0, 3: "ü"},
    {1: "span.kind", 2: 0, 3: "server"},
  ]);
});

test("Jaeger's agent gets compact Thrift packets", async (t) => {
  const agent = createSocket("udp4");
  agent.bind(0, "127.0.0.1");
  await once(agent, "listening");
  t.after(() => void agent.close());
  const tracer = await tracerFromConfig(
    `{type: JAEGER, config: {sampler_type: const, sampler_param: 1, agent_host: 127.0.0.1, agent_port: ${agent.address().port}}}`,
    "svc",
  );
  const packet = once(agent, "message");
  tracer.span("the-span", {}, () => {});
  const [[bytes]] = (await Promise.all([packet, tracer.close()])) as [[Buffer], undefined];
  // Protocol 0x82, version 1, type one-way 4, sequence 0, name, field 1 struct, its field 1 struct, its field 1 string.
  assert.equal(bytes.subarray(0, 19).toString("latin1"), "\x82\x81\x00\x09emitBatch\x1c\x1c\x18\x03sv");
  assert.ok(bytes.includes("the-span"));
});

test("the configuration says what cannot be used", () => {
  const f = (text: string, want: RegExp) => assert.throws(() => parseTracingConfig(text, "c"), want, text);
  f("{type: LIGHTSTEP}", /LIGHTSTEP is not supported yet; supported are OTLP, JAEGER/);
  f("{type: X}", /unknown tracing type "X"/);
  f("{type: OTLP}", /client_type is ""; want grpc or http/);
  f("{type: OTLP, config: {client_type: grpc, timeout: 5}}", /timeout is 5; want a duration/);
  f("{type: OTLP, nope: 1}", /unknown key nope/);
  f("{type: JAEGER, config: {sampler_type: remote}}", /remote is not supported yet/);
  assert.equal(parseTracingConfig("", "c"), undefined);
});

test("without a configuration there is no tracing", async () => {
  const tracer = await tracerFromConfig(" ", "c");
  assert.equal(tracer.enabled, false);
  assert.equal(
    tracer.span("x", {}, () => 7),
    7,
  );
});
