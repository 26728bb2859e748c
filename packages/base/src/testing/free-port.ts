import {mkdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {createServer} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";

/** Below what systems give to outgoing connections, which could take a port before or between its uses. */
const [LOWEST, HIGHEST] = [12_000, 32_000];

/** A file a port, with the process that has it: tests run in several processes, and a port is used a while after it is chosen. */
const TAKEN = join(tmpdir(), "strata-test-ports");

const own = new Set<number>();

/** A free port of 127.0.0.1, which no other test is given while this process lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (take(port) && (await isFree(port))) return port;
  }
}

function take(port: number): boolean {
  const file = join(TAKEN, String(port));
  if (own.size === 0) {
    mkdirSync(TAKEN, {recursive: true});
    process.once("exit", giveBack);
  }
  try {
    writeFileSync(file, String(process.pid), {flag: "wx"});
  } catch {
    // Of a process that was killed: free for the next who comes by.
    if (!isAlive(file)) rmSync(file, {force: true});
    return false;
  }
  own.add(port);
  return true;
}

function isAlive(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === "EPERM";
  }
}

function giveBack(): void {
  for (const port of own) rmSync(join(TAKEN, String(port)), {force: true});
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}
