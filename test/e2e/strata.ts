import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {join} from "node:path";
import {after} from "node:test";
import {setTimeout as delay} from "node:timers/promises";
import {freePort, httpReady, repoRoot, type Server, spawnServer, type TestScope} from "@strata/base/testing";

/**
 * A scope that lasts as long as the suite that calls this, also for what its `before` hook starts: a hook registered
 * while another one runs would fire as soon as that one is over. Newest first.
 */
export function suiteScope(): TestScope {
  const cleanups: (() => unknown)[] = [];
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  return {after: (cleanup) => void cleanups.push(cleanup)};
}

const executable = join(repoRoot, "cmd/strata/bin/strata.js");

export type StrataOptions = {
  readonly deadlineMs?: number;
  /** Instead of an answer of `/-/ready`. */
  readonly ready?: (port: number) => boolean | Promise<boolean>;
  /** A program with arguments that runs the rest of its command line. */
  readonly through?: readonly string[];
  /** Instead of a port that is free: the one it had before. */
  readonly port?: number;
  /** `https` for one that is told so by --http.config; the test has to trust its certificate. */
  readonly scheme?: "http" | "https";
};

/** Runs a command so that root, too, is refused what the permissions of a file forbid. */
export const withoutOverride: readonly string[] =
  process.getuid?.() === 0 ? ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"] : [];

/** Starts `strata COMMAND …` with an HTTP address of its own and waits until it says it is ready. */
export async function strata(
  t: TestScope,
  command: string,
  args: readonly string[],
  options: StrataOptions = {},
): Promise<Server & {readonly url: string; readonly port: number}> {
  const port = options.port ?? (await freePort());
  const url = `${options.scheme ?? "http"}://127.0.0.1:${port}`;
  const [program = process.execPath, ...before] = [...(options.through ?? []), process.execPath];
  const server = await spawnServer(t, {
    command: program,
    args: [...before, executable, command, `--http-address=127.0.0.1:${port}`, ...args],
    name: `strata ${command}`,
    ready: () => (options.ready === undefined ? httpReady(`${url}/-/ready`)() : options.ready(port)),
    deadlineMs: options.deadlineMs ?? 60_000,
  });
  return Object.assign(server, {url, port});
}

/** Exit code (or signal) and outputs of a command that ends by itself. */
export type Ended = {readonly code: number | string; readonly out: string; readonly err: string};

/** Runs `strata …` to its end, in `cwd` if given. */
export async function strataEnds(args: readonly string[], cwd?: string): Promise<Ended> {
  const child = spawn(process.execPath, [executable, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000,
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return {code: code ?? signal ?? "", out, err};
}

/** Asks again and again until `holds` is true; after a minute, or `deadlineMs`, fails with `what` and `server`'s logs. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  server?: Server | undefined,
  deadlineMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs / 1000} s for ${what}\n${server?.logs() ?? ""}`);
    await delay(50);
  }
}

/** Waits until the querier at `url` lists a healthy endpoint of the given kind. */
export async function endpointSeen(url: string, component: string, server?: Server | undefined): Promise<void> {
  await until(
    async () => {
      const answer = (await (await fetch(`${url}/api/v1/stores`)).json()) as {
        data: Record<string, {lastError: string | null}[]>;
      };
      return (answer.data[component] ?? []).some((endpoint) => endpoint.lastError === null);
    },
    `a ${component} endpoint at ${url}`,
    server,
  );
}

/** Reads a sample of `/metrics` at `url` by name and labels as they are printed. One that is not there fails. */
export async function metricsOf(url: string): Promise<(sample: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (sample) => {
    const line = text.split("\n").find((l) => l.startsWith(`${sample} `));
    assert.ok(line !== undefined, `${sample} is not in\n${text}`);
    return Number(line.slice(sample.length + 1));
  };
}
