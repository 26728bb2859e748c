import {type ChildProcess, spawn} from "node:child_process";
import {createConnection} from "node:net";
import {setTimeout as delay} from "node:timers/promises";
import type {TestScope} from "./scope.ts";

/** How to start a real server and how to know that it answers. */
export type ServerOptions = {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Name in failure messages; the command's last part when absent. */
  readonly name?: string;
  /** True once the server answers. False or an exception means «not yet»: it is asked again until the deadline. */
  readonly ready: (server: Server) => boolean | Promise<boolean>;
  /** Time until ready, 30 s when absent. */
  readonly deadlineMs?: number;
};

/** A running server process, which ends with the test that started it. */
export type Server = {
  readonly pid: number;
  /** Both outputs so far, the last 256 kB of them. */
  readonly logs: () => string;
  /** Settles with exit code or signal name once the process has ended. */
  readonly exited: Promise<number | string>;
  /** Sends `signal` (SIGTERM), after 10 s SIGKILL, and waits for the end. Safe to call twice. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | string>;
  /** kill −9, for crash tests; waits for the end. */
  readonly kill: () => Promise<number | string>;
};

const keepLogBytes = 256 * 1024;
const stopGraceMs = 10_000;
const probeEveryMs = 25;

/** Processes that still run, so that a test process that is ended early takes them along. By handle, never by name. */
const running = new Set<ChildProcess>();
let hooked = false;

/**
 * Starts a server and resolves when its probe answers. A server that ends early or misses the deadline is a failure
 * whose message carries its log. It is stopped when `t` is over.
 */
export async function spawnServer(t: TestScope, options: ServerOptions): Promise<Server> {
  const name = options.name ?? options.command.split("/").at(-1) ?? options.command;
  const child = spawn(options.command, [...(options.args ?? [])], {
    cwd: options.cwd,
    env: {...process.env, ...options.env},
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = track(child);
  t.after(async () => void (await server.stop()));
  await untilReady(server, child, name, options);
  return server;
}

function track(child: ChildProcess): Server {
  let log = "";
  const collect = (text: string) => {
    log += text;
    if (log.length > 2 * keepLogBytes) log = log.slice(-keepLogBytes);
  };
  child.stdout?.setEncoding("utf8").on("data", collect);
  child.stderr?.setEncoding("utf8").on("data", collect);
  hookExit();
  running.add(child);
  const exited = new Promise<number | string>((done) => {
    // "close" rather than "exit": by then the last of the log has arrived.
    child.once("close", (code, signal) => done(signal ?? code ?? 0));
    child.once("error", (err) => {
      collect(`${err.message}\n`);
      done(err.message);
    });
  }).finally(() => running.delete(child));
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (running.has(child)) child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), stopGraceMs);
    const end = await exited;
    clearTimeout(timer);
    return end;
  };
  return {pid: child.pid ?? -1, logs: () => log.slice(-keepLogBytes), exited, stop, kill: () => stop("SIGKILL")};
}

async function untilReady(server: Server, child: ChildProcess, name: string, options: ServerOptions): Promise<void> {
  const deadlineMs = options.deadlineMs ?? 30_000;
  const deadline = performance.now() + deadlineMs;
  let last = "the probe said not ready";
  while (performance.now() < deadline) {
    if (!running.has(child))
      throw new Error(`${name} ended (${await server.exited}) before it was ready\n${server.logs()}`);
    try {
      if (await options.ready(server)) return;
    } catch (err) {
      last = err instanceof Error ? `${err.message} ${err.cause ?? ""}` : String(err);
    }
    await delay(probeEveryMs);
  }
  await server.kill();
  throw new Error(`${name} was not ready within ${deadlineMs} ms: ${last}\n${server.logs()}`);
}

function hookExit(): void {
  if (hooked) return;
  hooked = true;
  const killAll = () => {
    for (const child of running) child.kill("SIGKILL");
  };
  process.once("exit", killAll);
  // The runner ends a hanging file with SIGTERM, which by default fires no "exit".
  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)
    process.once(signal, () => process.exit(code));
}

/** A probe: GET of `url` answers with a status below 400. */
export function httpReady(url: string): () => Promise<boolean> {
  return async () => {
    const response = await fetch(url, {signal: AbortSignal.timeout(5_000)});
    await response.arrayBuffer();
    return response.status < 400;
  };
}

/** A probe: something accepts connections on `port` of 127.0.0.1. */
export function tcpReady(port: number): () => Promise<boolean> {
  return () =>
    new Promise((done, fail) => {
      const socket = createConnection({host: "127.0.0.1", port}, () => {
        socket.destroy();
        done(true);
      });
      socket.once("error", fail);
    });
}
