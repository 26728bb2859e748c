import assert from "node:assert/strict";
import {randomBytes} from "node:crypto";
import {once} from "node:events";
import http, {type IncomingMessage} from "node:http";
import {test} from "node:test";
import {gunzipSync, zstdDecompressSync} from "node:zlib";
import {StrataError} from "@strata/base";
import {newLogger} from "@strata/telemetry";
import {listen, splitAddress} from "./http-server.ts";
import {plainText} from "./http-types.ts";
import {parseRequestLogConfig} from "./request-log.ts";
import {Router} from "./router.ts";
import {startTestServer} from "./testing.ts";

/** A raw GET, so that headers and bytes are seen as sent. */
async function get(url: string, headers: Record<string, string> = {}): Promise<{res: IncomingMessage; body: Buffer}> {
  const req = http.get(url, {headers});
  const [res] = (await once(req, "response")) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of res) pieces.push(piece as Buffer);
  return {res, body: Buffer.concat(pieces)};
}

test("probes say OK only once they were set, and thanos_status follows", async (t) => {
  const {url, probes} = await startTestServer(t);
  const probe = async (path: string) => {
    const {res, body} = await get(`${url}${path}`);
    return `${res.statusCode} ${body}`;
  };
  assert.equal(await probe("/-/ready"), "503 NOT OK");
  assert.equal(await probe("/-/healthy"), "503 NOT OK");
  probes.setHealthy();
  probes.setReady();
  assert.equal(await probe("/-/ready"), "200 OK");
  assert.equal(await probe("/-/healthy"), "200 OK");
  assert.match(await probe("/metrics"), /thanos_status\{check="ready",component="test"\} 1/);
  probes.setNotReady("test");
  assert.equal(await probe("/-/ready"), "503 NOT OK");
});

test("metrics answer in the format asked for, compressed when accepted", async (t) => {
  const {url} = await startTestServer(t);
  const plain = await get(`${url}/metrics`);
  assert.equal(plain.res.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const open = await get(`${url}/metrics`, {
    accept: "application/openmetrics-text;version=1.0.0",
    "accept-encoding": "gzip",
  });
  assert.equal(open.res.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const text =
    open.res.headers["content-encoding"] === "gzip" ? gunzipSync(open.body).toString() : open.body.toString();
  assert.match(text, /# EOF\n$/);
});

test("bodies are compressed from 1024 bytes on, whole and streamed", async (t) => {
  const {url, router} = await startTestServer(t);
  const stream = async function* (size: number) {
    for (let sent = 0; sent < size; sent += 100) yield Buffer.alloc(Math.min(100, size - sent), "x");
  };
  router.get("/whole/:size", (r) => ({status: 200, body: "x".repeat(Number(r.params.size)), compress: true}));
  router.get("/stream/:size", (r) => ({status: 200, body: stream(Number(r.params.size)), compress: true}));
  const unpack = {gzip: gunzipSync, zstd: zstdDecompressSync};
  const accepts = {"br, gzip;q=0.5": "gzip", "gzip, deflate, br, zstd": "zstd", "zstd;q=0.1, *": "gzip"} as const;
  for (const kind of ["whole", "stream"]) {
    for (const size of [0, 1, 1023, 1024, 5000, 100_000]) {
      for (const [accept, coding] of Object.entries(accepts)) {
        const {res, body} = await get(`${url}/${kind}/${size}`, {"accept-encoding": accept});
        const packed = res.headers["content-encoding"];
        assert.equal(packed, size >= 1024 ? coding : undefined, `${kind} ${size} ${accept}`);
        assert.equal((packed === undefined ? body : unpack[coding](body)).length, size, `${kind} ${size} ${accept}`);
      }
      const refused = await get(`${url}/${kind}/${size}`, {"accept-encoding": "gzip;q=0"});
      assert.equal(refused.res.headers["content-encoding"], undefined);
      assert.equal(refused.body.length, size);
    }
  }
});

test("a stream is pulled only as fast as the client reads, and ended when the client leaves", async (t) => {
  const {url, router} = await startTestServer(t);
  let pulled = 0;
  const ended = Promise.withResolvers<void>();
  router.get("/endless", () => ({
    status: 200,
    body: (async function* () {
      try {
        for (;;) {
          pulled++;
          yield Buffer.alloc(1 << 16);
        }
      } finally {
        ended.resolve();
      }
    })(),
  }));
  const req = http.get(`${url}/endless`);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  await once(res, "readable");
  // Nobody reads on: once the buffers of both sides are full, pulling stops.
  let before = -1;
  while (before !== pulled) {
    before = pulled;
    for (let i = 0; i < 50; i++) await new Promise((r) => setImmediate(r));
  }
  assert.ok(pulled < 500, `${pulled} pieces of 64 KiB pulled for a client that does not read`);
  req.destroy();
  await ended.promise;
});

test("a client that leaves while the source works ends the source, compressed and not", async (t) => {
  const {url, router} = await startTestServer(t);
  for (const headers of [{}, {"accept-encoding": "gzip"}, {"accept-encoding": "zstd"}] as Record<string, string>[]) {
    const [begun, gone, ended] = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    router.get(`/slow/${headers["accept-encoding"] ?? "plain"}`, (request) => ({
      status: 200,
      compress: true,
      body: (async function* () {
        try {
          yield randomBytes(1 << 16);
          begun.resolve();
          request.signal.addEventListener("abort", () => setImmediate(gone.resolve));
          await gone.promise;
          for (let i = 0; i < 10; i++) yield randomBytes(1 << 16);
        } finally {
          ended.resolve();
        }
      })(),
    }));
    const req = http.get(`${url}/slow/${headers["accept-encoding"] ?? "plain"}`, {headers}).on("error", () => {});
    await begun.promise;
    req.destroy();
    await ended.promise;
  }
  assert.equal((await get(`${url}/metrics`)).res.statusCode, 200);
});

test("a source that fails in the middle breaks the connection off", async (t) => {
  const {url, router} = await startTestServer(t);
  router.get("/broken", () => ({
    status: 200,
    body: (async function* () {
      yield Buffer.alloc(5000);
      throw new StrataError("internal", "source failed");
    })(),
  }));
  await assert.rejects(get(`${url}/broken`), /aborted|hang up|ECONNRESET/);
});

test("errors become statuses by their code", async (t) => {
  const {url, router} = await startTestServer(t);
  router.get("/throw/:code", (r) => {
    throw new StrataError(r.params.code as "bad_data", "because");
  });
  const want = {
    bad_data: 400,
    not_found: 404,
    conflict: 409,
    limit: 422,
    unavailable: 503,
    timeout: 503,
    canceled: 503,
    execution: 422,
    corrupt: 500,
    internal: 500,
  };
  for (const [code, status] of Object.entries(want)) {
    const {res, body} = await get(`${url}/throw/${code}`);
    assert.equal(res.statusCode, status, code);
    assert.equal(body.toString(), "because\n");
  }
});

test("the request's signal is aborted when the client leaves", async (t) => {
  const {url, router} = await startTestServer(t);
  const [started, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  router.get("/slow", async (request) => {
    request.signal.addEventListener("abort", () => aborted.resolve((request.signal.reason as StrataError).code));
    started.resolve();
    await aborted.promise;
    return plainText(200, "late");
  });
  const req = http.get(`${url}/slow`).on("error", () => {});
  await started.promise;
  req.destroy();
  assert.equal(await aborted.promise, "canceled");
});

test("forms take body parameters before those of the query, and refuse huge bodies", async (t) => {
  const {url, router} = await startTestServer(t);
  router.add({
    methods: ["POST"],
    path: "/form",
    handle: async (r) => plainText(200, (await r.form()).getAll("a").join()),
  });
  const post = async (body: string, type: string) => {
    const res = await fetch(`${url}/form?a=q`, {method: "POST", body, headers: {"content-type": type}});
    return `${res.status} ${await res.text()}`;
  };
  assert.equal(await post("a=b&a=c", "application/x-www-form-urlencoded; charset=utf-8"), "200 b,c,q");
  assert.equal(await post('{"a":1}', "application/json"), "200 q");
  assert.match(
    await post(`a=${"x".repeat(11 << 20)}`, "application/x-www-form-urlencoded"),
    /^422 cannot read the request body/,
  );
});

test("named handlers are measured with code, method and duration", async (t) => {
  const {url, router} = await startTestServer(t);
  router.get("/named", () => plainText(200, "12345"), "thing");
  await get(`${url}/named`);
  const page = (await get(`${url}/metrics`)).body.toString();
  assert.match(page, /http_requests_total\{code="200",handler="thing",method="get"\} 1/);
  assert.match(page, /http_response_size_bytes_sum\{code="200",handler="thing",method="get"\} 5/);
  assert.match(page, /http_request_duration_seconds_bucket\{le="0\.3",code="200",handler="thing",method="get"\} 1/);
  assert.match(page, /http_inflight_requests\{handler="thing",method="get"\} 0/);
});

test("closing lets a running request finish, ends others after the grace period", async (t) => {
  const router = new Router();
  const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  router.get("/slow", async () => {
    started.resolve();
    await release.promise;
    return plainText(200, "done");
  });
  const waiting = Promise.withResolvers<void>();
  router.get("/never", () => {
    waiting.resolve();
    return new Promise(() => {});
  });
  const open = () =>
    listen({address: "127.0.0.1:0", router, log: newLogger({level: "error", format: "json", write: () => {}})});
  const first = await open();
  const slow = get(`${first.url}/slow`);
  await started.promise;
  const closed = first.close(60_000);
  await assert.rejects(get(`${first.url}/slow`), /ECONNREFUSED/);
  release.resolve();
  assert.equal((await slow).body.toString(), "done");
  await closed;
  const second = await open();
  const never = assert.rejects(get(`${second.url}/never`), /hang up|ECONNRESET/);
  await waiting.promise;
  await second.close(20);
  await never;
  t.diagnostic("both servers closed");
});

test("X-Request-ID of the client is kept, else one is made", async (t) => {
  const {url, router} = await startTestServer(t);
  router.get("/id", (r) => plainText(200, r.id));
  assert.equal((await get(`${url}/id`, {"x-request-id": "abc"})).body.toString(), "abc");
  assert.match((await get(`${url}/id`)).body.toString(), /^[0-9A-Z]{26}$/);
});

test("requests are logged as configured", async (t) => {
  const lines: string[] = [];
  const log = newLogger({level: "debug", format: "json", write: (l) => lines.push(l)});
  const config = parseRequestLogConfig(
    "http:\n  config: [{path: /a}]\n  options: {level: INFO, decision: {log_start: true, log_end: true}}",
  );
  const {url, router} = await startTestServer(t, {log, requestLog: config.http});
  router.get("/a", () => plainText(200, ""));
  router.get("/b", () => plainText(200, ""));
  await get(`${url}/a`);
  await get(`${url}/b`);
  const records = lines.map((l) => JSON.parse(l) as Record<string, unknown>);
  assert.deepEqual(
    records.map((r) => [r.msg, r.level, r["http.path"], r["http.code"]]),
    [
      ["started call", "info", "/a", undefined],
      ["finished call", "info", "/a", 200],
    ],
  );
});

test("request logging configuration says what is wrong with it", () => {
  const f = (text: string, want: RegExp) => assert.throws(() => parseRequestLogConfig(text), want);
  assert.deepEqual(parseRequestLogConfig(""), {});
  f("http: {options: {level: info, decision: {log_end: true}}}", /http: level is "info"; want DEBUG/);
  f("http: {options: {level: INFO, decision: {log_start: true}}}", /log_start without log_end/);
  f("nope: 1", /unknown key nope; known are options, http, grpc/);
  f("http: {config: [{service: a}]}", /http.config\[0\] has the unknown key service/);
  const global = parseRequestLogConfig("options: {level: WARNING, decision: {log_end: true}}");
  assert.deepEqual(global.grpc, {level: "warn", start: false, end: true, only: []});
});

test("a query of 500 kB in the URL is accepted", async (t) => {
  const {url, router} = await startTestServer(t);
  router.get("/q", (r) => plainText(200, String(r.query.get("query")?.length)));
  assert.equal((await get(`${url}/q?query=${"x".repeat(500_000)}`)).body.toString(), "500000");
});

test("addresses are host and port", () => {
  assert.deepEqual(splitAddress("0.0.0.0:10902"), {host: "0.0.0.0", port: 10902});
  assert.deepEqual(splitAddress(":80"), {host: "", port: 80});
  assert.deepEqual(splitAddress("[::1]:0"), {host: "::1", port: 0});
  for (const bad of ["localhost", "1.2.3.4", "a:b", ":70000", ""]) {
    assert.throws(() => splitAddress(bad), /want host:port/, bad);
  }
});

test("an address in use is a clear error", async (t) => {
  const {server} = await startTestServer(t);
  await assert.rejects(
    startTestServer(t, {address: `127.0.0.1:${server.address.port}`}),
    /cannot listen on 127.0.0.1:\d+: .*EADDRINUSE/,
  );
});
