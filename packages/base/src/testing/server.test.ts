import assert from "node:assert/strict";
import {createServer} from "node:net";
import {test} from "node:test";
import {freePort} from "./free-port.ts";
import type {TestScope} from "./scope.ts";
import {httpReady, spawnServer, tcpReady} from "./server.ts";

/** A server of one line, on a port of the system's choice that it prints. */
const serve = `const s = require("node:http").createServer((q, r) => r.end("ok"));
s.listen(0, "127.0.0.1", () => console.log("port=" + s.address().port));`;

const command = process.execPath;
const portOf = (log: string): number => Number(/port=(\d+)/.exec(log)?.[1] ?? Number.NaN);

/** A scope that the test ends itself. */
function manualScope(): TestScope & {end: () => Promise<void>} {
  const hooks: (() => void | Promise<void>)[] = [];
  return {
    after: (fn) => void hooks.push(fn),
    end: async () => {
      for (const hook of hooks) await hook();
    },
  };
}

test("a server is ready when its probe answers and ends with its scope", async () => {
  const scope = manualScope();
  const server = await spawnServer(scope, {
    command,
    args: ["-e", serve],
    ready: ({logs}) => httpReady(`http://127.0.0.1:${portOf(logs())}/`)(),
  });
  assert.equal(await tcpReady(portOf(server.logs()))(), true);
  await scope.end();
  assert.equal(await server.exited, "SIGTERM");
  await assert.rejects(tcpReady(portOf(server.logs()))());
  assert.equal(await server.stop(), "SIGTERM");
});

test("a server that ends before it is ready fails with its log and exit code", async (t) => {
  const start = spawnServer(t, {
    command,
    args: ["-e", 'console.error("cannot bind"); process.exit(3)'],
    name: "probe",
    ready: () => false,
  });
  await assert.rejects(start, /probe ended \(3\) before it was ready\ncannot bind/);
});

test("a server that never gets ready is killed at the deadline and says what the probe saw", async (t) => {
  let pid = 0;
  const start = spawnServer(t, {
    command,
    args: ["-e", "setInterval(() => {}, 1000)"],
    deadlineMs: 60,
    ready: (server) => {
      pid = server.pid;
      throw new Error("connection refused");
    },
  });
  await assert.rejects(start, /not ready within 60 ms: connection refused/);
  assert.throws(() => process.kill(pid, 0), {code: "ESRCH"});
});

test("a program that does not exist fails without waiting for the deadline", async (t) => {
  await assert.rejects(spawnServer(t, {command: "/nonexistent/server", ready: () => false}), /ENOENT/);
});

test("a free port can be listened on", async (t) => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  t.after(() => void server.close());
  await new Promise((done) => server.once("listening", done));
});
