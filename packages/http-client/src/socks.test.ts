import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {type AddressInfo, connect, createServer, type Socket} from "node:net";
import {type TestContext, test} from "node:test";
import {makeCertificates, tempDir} from "@strata/base/testing";
import {HttpClient} from "./http-client.ts";
import {parseHttpClientConfig} from "./http-client-config.ts";
import {testServer} from "./testing/index.ts";

const never = new AbortController().signal;

type Behaviour = {readonly login?: string; readonly refuse?: number; readonly garbage?: boolean};

/** A SOCKS proxy that takes every name for this machine; `asked` has what it was to connect to, and as whom. */
async function socksProxy(t: TestContext, {login, refuse = 0, garbage = false}: Behaviour = {}) {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    // A client that is refused leaves in the middle.
    converse(socket).catch(() => socket.destroy());
  });
  const converse = async (socket: Socket): Promise<void> => {
    const parts = socket[Symbol.asyncIterator]();
    let held = Buffer.alloc(0);
    const read = async (length: number): Promise<Buffer> => {
      while (held.length < length) {
        const {done, value} = await parts.next();
        if (done) throw new Error("the client is gone");
        held = Buffer.concat([held, value as Buffer]);
      }
      const taken = held.subarray(0, length);
      held = held.subarray(length);
      return taken;
    };
    const text = async (): Promise<string> => (await read((await read(1))[0] as number)).toString();
    const methods = await read((await read(2))[1] as number);
    if (garbage) return void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    const wanted = login === undefined ? 0 : 2;
    socket.write(Uint8Array.of(5, methods.includes(wanted) ? wanted : 0xff));
    let who = "";
    if (login !== undefined) {
      await read(1);
      who = `${await text()}:${await text()}@`;
      socket.write(Uint8Array.of(1, who === `${login}@` ? 0 : 1));
    }
    await read(4);
    const host = await text();
    const port = (await read(2)).readUInt16BE();
    asked.push(`${who}${host}:${port}`);
    const reply = Uint8Array.of(5, refuse, 0, 1, 127, 0, 0, 1, 0, 0);
    if (refuse !== 0) return void socket.end(reply);
    const onward = connect(port, "127.0.0.1", async () => {
      socket.write(reply);
      onward.write(held);
      onward.pipe(socket);
      for (;;) {
        const {done, value} = await parts.next().catch(() => ({done: true, value: undefined}));
        if (done) break;
        onward.write(value as Buffer);
      }
      onward.destroy();
    });
    onward.on("error", () => socket.destroy());
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return {address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked};
}

async function get(t: TestContext, url: string, config: string): Promise<string> {
  const client = new HttpClient(new URL(url), parseHttpClientConfig(config));
  t.after(() => client.close());
  return (await client.body({method: "GET", path: "/x"}, 100, never)).toString();
}

test("both what is plain and what is encrypted goes through, names are left to the proxy", async (t) => {
  const plain = await testServer(t, () => ({body: "plain"}));
  const {ca, cert, key} = makeCertificates(tempDir(t), "far.test");
  const secure = await testServer(t, () => ({body: "secure"}), {cert: readFileSync(cert), key: readFileSync(key)});
  const proxy = await socksProxy(t);
  const config = `{proxy_url: "socks5://${proxy.address}", tls_config: {ca_file: "${ca}"}}`;
  assert.equal(await get(t, `http://far.test:${plain.port}`, config), "plain");
  assert.equal(await get(t, `https://far.test:${secure.port}`, config), "secure");
  assert.deepEqual(proxy.asked, [`far.test:${plain.port}`, `far.test:${secure.port}`]);
});

test("a proxy that wants a name and a password gets those of its URL", async (t) => {
  const server = await testServer(t, () => ({body: "in"}));
  const proxy = await socksProxy(t, {login: "u:p@"});
  const f = (who: string) => get(t, `http://far.test:${server.port}`, `proxy_url: "socks5h://${who}${proxy.address}"`);
  assert.equal(await f("u:p%40@"), "in");
  await assert.rejects(f("u:q@"), /far\.test:\d+ through the proxy .*: it refuses the user name or password/);
  await assert.rejects(f(""), /it wants another way to log in/);
});

test("what keeps a proxy from connecting is told", async (t) => {
  const f = async (behaviour: Behaviour, want: RegExp): Promise<void> => {
    const proxy = await socksProxy(t, behaviour);
    await assert.rejects(get(t, "http://far.test", `proxy_url: "socks5://${proxy.address}"`), want);
  };
  await f({refuse: 5}, /far\.test:80 through the proxy .*: connection refused/);
  await f({refuse: 99}, /refusal 99/);
  await f({garbage: true}, /it speaks another version: 72/);
  const gone = get(t, "http://far.test", 'proxy_url: "socks5://127.0.0.1:1"');
  await assert.rejects(gone, /far\.test:80 through the proxy 127\.0\.0\.1:1: .*ECONNREFUSED/);
});
