import assert from "node:assert/strict";
import {copyFileSync, utimesSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import tls from "node:tls";
import {ChannelCredentials, Client, Metadata} from "@grpc/grpc-js";
import {makeCertificates, type TestScope, tempDir} from "@strata/base/testing";
import {FILE_DESCRIPTORS, health, info, type MethodDef, reflectionV1, reflectionV1Alpha, thanos} from "@strata/proto";
import {exposition, negotiate, newRegistry, nullLogger} from "@strata/telemetry";
import {GrpcServer} from "./grpc-server.ts";
import {seriesRequest} from "./store-request.ts";
import {connect, MemoryStore, selectAll, startStore} from "./testing/index.ts";

const never = new AbortController().signal;
const call = {signal: never, timeoutMs: 5000};
const store = () => new MemoryStore([{labels: {__name__: "up"}, chunks: 1}]);

test("health is NOT_SERVING until ready, is watched, and knows only the whole server", async (t) => {
  const server = new GrpcServer({address: "127.0.0.1:0", registry: newRegistry(), logger: nullLogger()});
  const address = `127.0.0.1:${await server.listen()}`;
  t.after(() => server.stop(0));
  const client = connect(t, address);
  const {Check, List, Watch} = health.HealthService;
  assert.equal((await client.unary(Check, {}, call)).status, 2);
  const watch = client.stream(Watch, {}, {signal: never});
  assert.equal((await watch.next()).value!.status, 2);
  server.setServing(true);
  assert.equal((await watch.next()).value!.status, 1);
  assert.equal((await client.unary(Check, {service: ""}, call)).status, 1);
  assert.deepEqual((await client.unary(List, {}, call)).statuses, new Map([["", {status: 1}]]));
  await assert.rejects(client.unary(Check, {service: "thanos.Store"}, call), {code: "not_found"});
  const stopped = server.stop(1000);
  assert.equal((await watch.next()).value!.status, 2);
  assert.equal((await watch.next()).done, true);
  client.close();
  await stopped;
});

/** grpc-js' own client: shares none of our client's code. */
function plainClient(t: TestScope, address: string): Client {
  const client = new Client(address, ChannelCredentials.createInsecure());
  t.after(() => client.close());
  return client;
}

function bidi<Req, Res>(client: Client, method: MethodDef<Req, Res>, requests: Req[]): Promise<Res[]> {
  const stream = client.makeBidiStreamRequest(
    method.path,
    method.request.encode as (m: Req) => Buffer,
    method.response.decode,
  );
  const got: Res[] = [];
  for (const r of requests) stream.write(r);
  stream.end();
  return new Promise((resolve, reject) => {
    stream.on("data", (m: Res) => got.push(m));
    stream.on("error", reject);
    stream.on("end", () => resolve(got));
  });
}

for (const reflection of [reflectionV1, reflectionV1Alpha]) {
  const method = reflection.ServerReflectionService.ServerReflectionInfo;
  test(`reflection lists services and describes them: ${method.path}`, async (t) => {
    const {address} = await startStore(t, store());
    const request = (fields: object) => ({...method.request.decode(new Uint8Array(0)), ...fields});
    const [list, symbol, file, missing] = await bidi(plainClient(t, address), method, [
      request({listServices: ""}),
      request({fileContainingSymbol: "thanos.Store"}),
      request({fileByFilename: "prometheus.proto"}),
      request({fileContainingSymbol: "no.such.Thing"}),
    ]);
    const names = list!.listServicesResponse!.service.map((s) => s.name);
    assert.deepEqual(names, [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "thanos.Store",
      "thanos.info.Info",
    ]);
    assert.ok(symbol!.fileDescriptorResponse!.fileDescriptorProto.length >= 3, "the file and what it imports");
    assert.deepEqual(
      Buffer.from(file!.fileDescriptorResponse!.fileDescriptorProto[0]!),
      Buffer.from(FILE_DESCRIPTORS.find((f) => f.name === "prometheus.proto")!.base64, "base64"),
    );
    assert.equal(missing!.errorResponse!.errorCode, 5);
  });
}

test("a client of another make gets frames with hashes, and metrics count its calls", async (t) => {
  const {address, registry} = await startStore(t, store());
  const client = plainClient(t, address);
  const {Series} = thanos.StoreService;
  const request = Series.request.encode(seriesRequest(selectAll(), 1));
  const stream = client.makeServerStreamRequest(
    Series.path,
    (b: Buffer) => b,
    Series.response.decode,
    request,
    new Metadata(),
  );
  const frames: thanos.SeriesResponse[] = [];
  for await (const m of stream) frames.push(m as thanos.SeriesResponse);
  assert.equal(frames.length, 1);
  assert.notEqual(frames[0]!.series!.chunks[0]!.raw!.hash, 0n);
  const text = await exposition(registry, negotiate(undefined));
  const labels = 'grpc_method="Series",grpc_service="thanos.Store",grpc_type="server_stream"';
  assert.ok(text.includes(`grpc_server_started_total{${labels}} 1\n`), text);
  assert.ok(text.includes(`grpc_server_msg_sent_total{${labels}} 1\n`));
  assert.ok(text.includes(`grpc_server_msg_received_total{${labels}} 1\n`));
  assert.match(text, /grpc_server_handled_total\{grpc_code="OK",grpc_method="Series"[^}]*\} 1\n/);
  assert.match(text, /grpc_server_started_total\{grpc_method="Info"[^}]*\} 0\n/);
});

test("unknown methods are Unimplemented, a broken request is an Internal error and not a crash", async (t) => {
  const {address} = await startStore(t, store());
  const client = connect(t, address);
  const unknown = {...info.InfoService.Info, path: "/thanos.Nothing/Here"};
  await assert.rejects(client.unary(unknown, {}, call), /code = Unimplemented/);
  const garbage = {
    ...thanos.StoreService.LabelNames,
    request: {...info.InfoRequest, encode: () => Buffer.from([0x0f, 0xff])},
  };
  await assert.rejects(client.unary(garbage, {}, call), /code = Internal/);
  assert.equal((await client.unary(info.InfoService.Info, {}, call)).componentType, "store");
});

test("TLS: the server's certificate is checked, a client certificate is asked for, plaintext is refused", async (t) => {
  const dir = tempDir(t);
  const {ca, cert, key} = makeCertificates(dir, "store.test");
  const other = makeCertificates(join(dir, "other"), "store.test");
  const me = makeCertificates(dir, "client.test");
  const {address} = await startStore(t, store(), {tls: {cert, key, clientCa: ca}});
  const ask = (tlsOptions: object | undefined) =>
    connect(t, address, {tls: tlsOptions}).unary(info.InfoService.Info, {}, {signal: never, timeoutMs: 5000});
  const pair = {cert: me.cert, key: me.key};
  assert.equal((await ask({ca, ...pair})).componentType, "store");
  assert.equal((await ask({ca, ...pair, serverName: "store.test"})).componentType, "store");
  assert.equal((await ask({skipVerify: true, ...pair})).componentType, "store");
  await assert.rejects(ask({ca, ...pair, serverName: "elsewhere.test"}), {code: "unavailable"});
  await assert.rejects(ask({ca: other.ca, ...pair}), {code: "unavailable"});
  await assert.rejects(ask({ca}), {code: "unavailable"});
  await assert.rejects(ask({ca, cert: other.cert, key: other.key}), {code: "unavailable"});
  await assert.rejects(ask(undefined), {code: "unavailable"});
});

test("TLS below the minimum version is refused", async (t) => {
  const {ca, cert, key} = makeCertificates(tempDir(t), "store.test");
  const {port} = await startStore(t, store(), {tls: {cert, key}});
  const connectWith = (version: tls.SecureVersion) =>
    new Promise<string | null>((resolve) => {
      const socket = tls.connect({
        port,
        host: "127.0.0.1",
        maxVersion: version,
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
      });
      socket.on("secureConnect", () => resolve(socket.getProtocol()));
      socket.on("error", () => resolve(null));
      socket.on("close", () => resolve(null));
      t.after(() => socket.destroy());
    });
  assert.equal(await connectWith("TLSv1.3"), "TLSv1.3");
  assert.equal(await connectWith("TLSv1.2"), null);
  const lower = await startStore(t, store(), {tls: {cert, key, minVersion: "1.2"}});
  const client = connect(t, lower.address, {tls: {ca, minVersion: "1.2"}});
  assert.equal((await client.unary(info.InfoService.Info, {}, call)).componentType, "store");
});

test("a replaced certificate is taken over, a faulty one is not", async (t) => {
  const dir = tempDir(t);
  const {ca, cert, key} = makeCertificates(dir, "store.test");
  const next = makeCertificates(dir, "next.test");
  const logger = nullLogger();
  const {ServerTlsFiles} = await import("./tls-config.ts");
  const files = new ServerTlsFiles({cert, key}, logger);
  t.after(() => files.close());
  let replaced = 0;
  files.credentials._addWatcher(() => replaced++);
  files.reload();
  assert.equal(replaced, 0);
  copyFileSync(ca, cert);
  files.reload();
  assert.equal(replaced, 0, "a certificate that does not fit the key");
  copyFileSync(next.cert, cert);
  copyFileSync(next.key, key);
  utimesSync(cert, 1, 1);
  files.reload();
  assert.equal(replaced, 1);
});

test("a certificate that cannot be used fails the start with its path", () => {
  const make = (tlsFiles: {cert: string; key: string}) =>
    new GrpcServer({address: ":0", tls: tlsFiles, registry: newRegistry(), logger: nullLogger()});
  assert.throws(
    () => make({cert: "/no/such.pem", key: "/no/such.key"}),
    /cannot read server certificate \/no\/such.pem/,
  );
  assert.throws(() => make({cert: "x", key: ""}), /both server certificate and key/);
});

test("an address in use is an error that names it", async (t) => {
  const {address} = await startStore(t, store());
  const second = new GrpcServer({address, registry: newRegistry(), logger: nullLogger()});
  await assert.rejects(second.listen(), {code: "unavailable", message: new RegExp(`cannot listen on ${address}`)});
});

test("a handler's caller is the call's own span, which continues the span of whoever called", async (t) => {
  const own = {traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "1111111111111111", sampled: true};
  const seen: {parent?: string | undefined; handler?: string | undefined; code?: number} = {};
  const server = new GrpcServer({
    address: "127.0.0.1:0",
    registry: newRegistry(),
    logger: nullLogger(),
    observe(observed) {
      seen.parent = observed.parent?.spanId;
      return {
        span: own,
        end: (code) => {
          seen.code = code;
        },
      };
    },
  });
  server.unary(info.InfoService.Info, async (_request, ctx) => {
    seen.handler = ctx.parent?.spanId;
    return {};
  });
  const address = `127.0.0.1:${await server.listen()}`;
  t.after(() => server.stop(0));
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  await connect(t, address).unary(info.InfoService.Info, {}, {...call, traceparent});
  assert.deepEqual(seen, {parent: "00f067aa0ba902b7", handler: own.spanId, code: 0});
});
