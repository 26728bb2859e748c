// Answers per second of the API envelope, and bytes per second of a streamed answer, client included. Run it by hand:
// node packages/web/src/http.bench.ts
import http from "node:http";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {Api} from "./api/envelope.ts";
import {httpMetrics} from "./http-metrics.ts";
import {listen} from "./http-server.ts";
import {Router} from "./router.ts";

const PIECE = Buffer.alloc(1 << 16, '[1700000000,"1.25"],');
const STREAM_BYTES = 256 << 20;
const REQUESTS = 20_000;
const CLIENTS = 10;

const router = new Router();
const api = new Api(router, {routePrefix: "", cors: true, log: nullLogger()});
api.add(["GET"], "/small", "small", () => ({data: {resultType: "vector", result: []}}));
api.add(["GET"], "/stream", "stream", () => ({
  pieces: (function* () {
    for (let sent = 0; sent < STREAM_BYTES; sent += PIECE.length) yield PIECE;
  })(),
}));
const metrics = httpMetrics(newRegistry(), true);
const server = await listen({address: "127.0.0.1:0", router, log: nullLogger(), metrics});
const agent = new http.Agent({keepAlive: true, maxSockets: CLIENTS});

function get(path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get(`${server.url}${path}`, {agent, headers}, (res) => {
        let bytes = 0;
        res.on("data", (piece: Buffer) => {
          bytes += piece.length;
        });
        res.on("end", () => resolve(bytes));
      })
      .on("error", reject);
  });
}

async function measure(name: string, work: () => Promise<string>): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const result = await work();
  const {user, system} = process.cpuUsage(cpu);
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  console.log(`${name}: ${result}, ${seconds} s, cpu ${((user + system) / 1e6).toFixed(2)} s (client included)`);
}

await measure("small answers", async () => {
  let left = REQUESTS;
  const client = async (): Promise<void> => {
    while (left-- > 0) await get("/api/v1/small");
  };
  await Promise.all(Array.from({length: CLIENTS}, client));
  return `${REQUESTS} requests`;
});
await measure("stream", async () => `${((await get("/api/v1/stream")) / 2 ** 20).toFixed(0)} MiB`);
await measure("stream, gzip", async () => {
  const bytes = await get("/api/v1/stream", {"accept-encoding": "gzip"});
  return `${STREAM_BYTES / 2 ** 20} MiB as ${(bytes / 2 ** 20).toFixed(1)} MiB`;
});
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
agent.destroy();
await server.close(0);
