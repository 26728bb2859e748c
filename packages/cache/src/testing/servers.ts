import {freePort, requireTool, type Server, spawnServer, type TestScope, tcpReady} from "@strata/base/testing";

/** A server of its kind on a port that stays the same when it is started again. */
export type CacheServer = {
  readonly address: string;
  readonly port: number;
  readonly process: () => Server;
  /** Starts it anew, empty, after it was ended. */
  readonly restart: () => Promise<void>;
};

/** Starts the Redis or memcached that the machine has; the test skips where it has none. */
export async function startCacheServer(
  t: TestScope,
  kind: "redis-server" | "memcached",
  more: readonly string[] = [],
): Promise<CacheServer> {
  const tool = requireTool(kind);
  const port = await freePort();
  const args =
    kind === "redis-server"
      ? ["--port", String(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", ...more]
      : ["-p", String(port), "-l", "127.0.0.1", "-U", "0", "-m", "64", "-u", "nobody", ...more];
  const start = () => spawnServer(t, {command: tool.path, args, ready: tcpReady(port)});
  let process = await start();
  return {
    address: `127.0.0.1:${port}`,
    port,
    process: () => process,
    async restart() {
      process = await start();
    },
  };
}
