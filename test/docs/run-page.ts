import {spawn} from "node:child_process";
import {existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from "node:fs";
import {delimiter, join} from "node:path";
import {anySkip, freePort, repoRoot, requireTool, type TestScope, type ToolName, tempDir} from "@strata/base/testing";
import type {Block, Page} from "./page.ts";
import {withRepository, writeStandIns} from "./stand-ins.ts";

/** Longest that a page may take. */
const DEADLINE_MS = 200_000;

/** Programs that pages may start beside Strata, by the names they have there. */
const TOOLS: Readonly<Record<string, ToolName>> = {
  prometheus: "prometheus",
  promtool: "promtool",
  alertmanager: "alertmanager",
  amtool: "amtool",
  "redis-server": "redis-server",
  memcached: "memcached",
  moto_server: "moto",
};

/** The blocks that are run: `sh`, but for those that say why not. */
export const isRun = ({kind, info}: Block): boolean => kind === "sh" && !info.startsWith("not-run=");

/** Tools that a page's blocks call, by name. */
function toolsOf(page: Page): readonly string[] {
  const text = page.blocks
    .filter(isRun)
    .map((block) => block.text)
    .join("\n");
  return Object.keys(TOOLS).filter((name) => new RegExp(`(^|[|&;(]\\s*)${name}\\s`, "m").test(text));
}

/** Programs of the system that pages use and that not every machine has. */
const SYSTEM = ["curl", "openssl"];

/** Why a page cannot run here, or false. */
export function skipReason(page: Page): string | false {
  const text = page.blocks
    .filter(isRun)
    .map((block) => block.text)
    .join("\n");
  const dirs = (process.env.PATH ?? "").split(delimiter);
  for (const name of SYSTEM.filter((name) => new RegExp(`(^|[\\s(])${name} `, "m").test(text))) {
    if (!dirs.some((dir) => existsSync(join(dir, name)))) return `optional: no ${name} on PATH`;
  }
  return anySkip(...toolsOf(page).map((name) => requireTool(TOOLS[name] as ToolName)));
}

/**
 * Runs a page's `sh` blocks in order, in one shell in an empty directory; a `console` block behind one must match what it
 * printed. Every address 127.0.0.1:PORT of the page is another free port here, the same one wherever it stands; git and npm
 * are stand-ins. Whatever the page has started ends with it. Throws with block, command and logs where something is not as the page says.
 */
export async function runPage(t: TestScope & {readonly signal?: AbortSignal}, page: Page): Promise<void> {
  const dir = tempDir(t);
  const [work, bin] = [join(dir, "work"), join(dir, "bin")];
  for (const path of [work, bin]) mkdirSync(path);
  writeStandIns(bin);
  for (const name of toolsOf(page)) symlinkSync(requireTool(TOOLS[name] as ToolName).path, join(bin, name));
  const ports = await portsOf(page);
  const blocks = page.blocks.filter((block) => isRun(block) || block.kind === "console");
  const script = join(dir, "page.sh");
  writeFileSync(script, scriptOf(page, blocks, ports, dir));
  const {code, err} = await runScript(script, work, bin);
  if (code !== 0) throw new Error(`${page.path}: ended with ${code}: ${err}\n${logsIn(work)}`);
  for (const [i, block] of blocks.entries()) {
    if (block.kind !== "console") continue;
    const printed = readFileSync(join(dir, `out.${i - 1}`), "utf8");
    const problem = compareOutput(replacePorts(block.text, ports), printed);
    if (problem !== undefined) throw new Error(`${page.path}:${block.line}: ${problem}\nit printed:\n${printed}`);
  }
}

/** One script: each block with an output file of its own, and a trap that names the line of the page that failed. */
function scriptOf(page: Page, blocks: readonly Block[], ports: ReadonlyMap<string, number>, dir: string): string {
  const parts = [
    "set -Eeuo pipefail",
    "exec 3>&2",
    'trap \'echo "line $((BLOCK + LINENO - START)) of the page: $BASH_COMMAND" >&3; cat "$ERRORS" >&3\' ERR',
  ];
  for (const [i, block] of blocks.entries()) {
    if (block.kind === "console") continue;
    parts.push(`exec > "${join(dir, `out.${i}`)}" 2> "${join(dir, `err.${i}`)}"`);
    parts.push(`ERRORS="${join(dir, `err.${i}`)}" BLOCK=${block.line} START=$((LINENO + 1))`);
    parts.push(replacePorts(withRepository(block.text), ports));
  }
  parts.push("trap - ERR", `echo "${page.path} is through" >&3`);
  return `${parts.join("\n")}\n`;
}

function runScript(script: string, work: string, bin: string): Promise<{code: number | string; err: string}> {
  const path = [bin, join(repoRoot, "node_modules/.bin"), process.env.PATH ?? ""].join(delimiter);
  const env: NodeJS.ProcessEnv = {...process.env, PATH: path, HOME: work, LC_ALL: "C.UTF-8"};
  delete env.NODE_TEST_CONTEXT;
  const child = spawn("bash", [script], {cwd: work, env, stdio: ["ignore", "ignore", "pipe"], detached: true});
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      err += `\nnot through after ${DEADLINE_MS / 1000} s`;
      killGroup(child.pid);
    }, DEADLINE_MS);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      killGroup(child.pid);
      resolve({code: signal ?? code ?? 0, err});
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (err) {
    // Nothing was left of it.
    if ((err as NodeJS.ErrnoException).code !== "ESRCH") throw err;
  }
}

const ADDRESS = /\b(127\.0\.0\.1|localhost):(\d{4,5})\b/g;

async function portsOf(page: Page): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for (const {text} of page.blocks)
    for (const [, , port = ""] of text.matchAll(ADDRESS)) if (!ports.has(port)) ports.set(port, await freePort());
  return ports;
}

const replacePorts = (text: string, ports: ReadonlyMap<string, number>): string =>
  text.replace(ADDRESS, (_, host: string, port: string) => `${host}:${ports.get(port)}`);

/**
 * Compares what a page says with what was printed. A line `...` stands for any lines, `…` within a line for any text; runs
 * of spaces are one. Gives what is wrong.
 */
export function compareOutput(want: string, printed: string): string | undefined {
  const squeeze = (line: string): string => line.replace(/\s+/g, " ").trim();
  const lines = printed.trimEnd().split("\n").map(squeeze);
  const wanted = want.trimEnd().split("\n").map(squeeze);
  let at = 0;
  let loose = false;
  for (const line of wanted) {
    if (line === "...") {
      loose = true;
      continue;
    }
    const pattern = new RegExp(
      `^${line
        .split("…")
        .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
        .join(".*")}$`,
    );
    const found = lines.findIndex((own, i) => i >= at && pattern.test(own));
    if (found < 0 || (!loose && found !== at)) return `does not print the line: ${line}`;
    at = found + 1;
    loose = false;
  }
  return loose || at === lines.length ? undefined : `prints more: ${lines[at]}`;
}

/** The ends of all logs that the page's programs have written. */
function logsIn(dir: string): string {
  return readdirSync(dir, {recursive: true, encoding: "utf8"})
    .filter((name) => name.endsWith(".log"))
    .map((name) => `── ${name}\n${readFileSync(join(dir, name), "utf8").slice(-1500)}`)
    .join("\n");
}
