import {spawn} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {projectEnv} from "./builds.mjs";
import {projectNode, root} from "./paths.mjs";

/** Printed lines that are kept for the report. */
const KEEP_CHARS = 20_000;

/**
 * Runs a benchmark with its output on the terminal, and gives what it recorded, what it printed and how it ended. It and
 * what it started are a group of processes, which is ended with it, with this process, and after `minutes`.
 */
export function runScenario(file, flags, minutes) {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-rows-"));
  const path = join(dir, "rows.jsonl");
  const begun = performance.now();
  return new Promise((resolve) => {
    const env = {...projectEnv(), STRATA_BENCH_ROWS: path};
    const stdio = ["ignore", "pipe", "inherit"];
    const child = spawn(projectNode, ["--expose-gc", file, ...flags], {cwd: root, env, stdio, detached: true});
    let output = "";
    let late = false;
    child.stdout.setEncoding("utf8").on("data", (text) => {
      process.stdout.write(text);
      output = (output + text).slice(-KEEP_CHARS);
    });
    const kill = () => killGroup(child.pid);
    const interrupted = () => process.exit(130);
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, minutes * 60_000);
    process.once("exit", kill);
    process.once("SIGINT", interrupted);
    process.once("SIGTERM", interrupted);
    child.once("exit", (code, signal) => {
      kill();
      clearTimeout(timer);
      process.off("exit", kill);
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
      const rows = readRows(path);
      rmSync(dir, {recursive: true, force: true});
      const status = late ? `ended after ${minutes} minutes` : code === 0 ? "done" : `failed (${signal ?? code})`;
      resolve({status, seconds: (performance.now() - begun) / 1000, output, rows});
    });
  });
}

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (err) {
    if (err.code !== "ESRCH" && err.code !== "EPERM") throw err;
  }
}

/** Rows that were written whole; the last may be torn when the benchmark was killed. */
function readRows(path) {
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch (err) {
    if (err.code === "ENOENT") return [];
    throw err;
  }
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
