import {accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {delimiter, join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import {freePort, httpReady, repoRoot, type Server, spawnServer, type TestScope} from "@strata/base/testing";
import {REPLICA_LABEL} from "./fleet.ts";

/** A program under measurement: how it is called, and the flags that only it needs. */
export type Program = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly flags: readonly string[];
};

const STRATA: Program = {
  name: "strata",
  command: process.execPath,
  args: [join(repoRoot, "cmd/strata/bin/strata.js")],
  flags: [],
};

/** Strata, and thanos where it is on PATH. */
export function programs(): readonly Program[] {
  const thanos = onPath("thanos");
  if (thanos === undefined) {
    console.log("no thanos on PATH: nothing to compare with");
    return [STRATA];
  }
  return [STRATA, {name: "thanos", command: thanos, args: [], flags: ["--log.level=error"]}];
}

/** The path of a program on PATH. */
export function onPath(name: string): string | undefined {
  for (const dir of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory: the next one.
    }
  }
  return undefined;
}

export type RunningStore = Server & {readonly grpc: string; readonly url: string};

/** Starts a store gateway over a filesystem bucket; resolves once it is ready. */
export async function startStore(t: TestScope, p: Program, bucket: string, dataDir: string): Promise<RunningStore> {
  mkdirSync(dataDir, {recursive: true});
  const [http, grpc] = [await freePort(), await freePort()];
  const server = await spawnServer(t, {
    command: p.command,
    args: [
      ...[...p.args, "store", ...p.flags],
      `--http-address=127.0.0.1:${http}`,
      `--grpc-address=127.0.0.1:${grpc}`,
      `--data-dir=${dataDir}`,
      `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
    ],
    name: `${p.name} store`,
    ready: httpReady(`http://127.0.0.1:${http}/-/ready`),
    deadlineMs: 120_000,
  });
  return Object.assign(server, {grpc: `127.0.0.1:${grpc}`, url: `http://127.0.0.1:${http}`});
}

export type RunningQuerier = Server & {readonly url: string};

/** Starts a querier over stores; resolves once it knows them. */
export async function startQuerier(
  t: TestScope,
  p: Program,
  stores: readonly {readonly grpc: string}[],
  replicaLabel: string,
): Promise<RunningQuerier> {
  const [http, grpc] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const server = await spawnServer(t, {
    command: p.command,
    args: [
      ...[...p.args, "query", ...p.flags],
      `--http-address=127.0.0.1:${http}`,
      `--grpc-address=127.0.0.1:${grpc}`,
      ...stores.map(({grpc}) => `--endpoint=${grpc}`),
      `--query.replica-label=${replicaLabel}`,
    ],
    name: `${p.name} query`,
    ready: () => seesStores(url, stores.length),
    deadlineMs: 60_000,
  });
  return Object.assign(server, {url});
}

async function seesStores(url: string, count: number): Promise<boolean> {
  const answer = (await (await fetch(`${url}/api/v1/stores`)).json()) as {
    data: Record<string, readonly {readonly lastError: string | null}[]>;
  };
  return (
    Object.values(answer.data)
      .flat()
      .filter((e) => e.lastError === null).length === count
  );
}

/** CPU seconds that a process has used so far; NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  const stat = proc(pid, "stat");
  if (stat === undefined) return Number.NaN;
  // Fields are counted from behind the name, which may hold anything. The kernel's clock for users ticks 100 times a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory in MB: the most so far, and now. */
export function residentMb(pid: number): {readonly peak: number; readonly now: number} {
  const status = proc(pid, "status") ?? "";
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1000;
  return {peak: field("VmHWM"), now: field("VmRSS")};
}

function proc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}

/** Runs `body` and ends all that it started, the newest first, whatever happens. */
export async function withScope<T>(body: (scope: TestScope) => Promise<T>): Promise<T> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await body({after: (cleanup) => void cleanups.push(cleanup)});
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** Waits until the machine has written what was generated: else the first to read pays for it. */
export const settle = (): Promise<void> => delay(500);

/** A store gateway and a querier over it, each a process of its own. */
export type System = {
  readonly name: string;
  readonly url: string;
  readonly parts: readonly {readonly name: string; readonly server: Server & {readonly url?: string}}[];
};

/** Each program over the same bucket. */
export async function startSystems(scope: TestScope, bucket: string): Promise<readonly System[]> {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const systems: System[] = [];
  for (const program of programs()) {
    const store = await startStore(scope, program, bucket, join(dir, program.name));
    const querier = await startQuerier(scope, program, [store], REPLICA_LABEL);
    systems.push({
      name: program.name,
      url: querier.url,
      parts: [
        {name: "store", server: store},
        {name: "query", server: querier},
      ],
    });
  }
  return systems;
}
