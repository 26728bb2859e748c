import {spawn} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {projectNode, root} from "./paths.mjs";

const reporter = join(dirname(fileURLToPath(import.meta.url)), "test-reporter.mjs");

/** Groups of processes that run now, so that Ctrl-C takes them along. */
const groups = new Set();

/**
 * Runs one test file in a process of its own. Resolves with {file, tests, output, ms, problem}: `problem` says what was
 * wrong beside failed tests (a crash, a timeout, no tests at all). node's own `--test-timeout` does not end a file that
 * keeps a handle open or never leaves a loop, hence this. The file and all that it started form a process group, which
 * is ended with it.
 */
export function runTestFile(file, {env, timeoutMs}) {
  const started = Date.now();
  const dir = mkdtempSync(join(tmpdir(), "strata-test-"));
  const events = join(dir, "events.jsonl");
  const args = [`--test-reporter=${reporter}`, `--test-reporter-destination=${events}`, file];
  return new Promise((resolve) => {
    const child = spawn(projectNode, args, {cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true});
    let output = "";
    let timedOut = false;
    const collect = (data) => {
      output = (output + data).slice(-400_000);
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    groups.add(child.pid);
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, timeoutMs);
    let end;
    child.once("error", (err) => finish(err.message));
    child.once("exit", (code, signal) => {
      end = signal ?? code;
      // Whatever the file left behind would also keep its pipes, and so "close", open.
      const left = killGroup(child.pid);
      if (left && !timedOut) collect("(processes that this file started were still running and have been killed)\n");
    });
    child.once("close", () => finish(end));
    const finish = (how) => {
      clearTimeout(timer);
      groups.delete(child.pid);
      const tests = readEvents(events);
      rmSync(dir, {recursive: true, force: true});
      const failed = tests.some((test) => test.state === "fail");
      let problem;
      if (timedOut)
        problem = `did not end within ${timeoutMs / 1000} s; its last finished test: ${tests.at(-1)?.name ?? "none"}`;
      else if (how !== 0 && !failed) problem = `ended with ${how}`;
      else if (tests.length === 0) problem = "has no tests";
      resolve({file, tests, output, ms: Date.now() - started, problem});
    };
  });
}

/** Ends what is left of a group that we started; true when there was something. */
function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
    return true;
  } catch (err) {
    if (err.code === "ESRCH" || err.code === "EPERM") return false;
    throw err;
  }
}

export function killAllGroups() {
  for (const pid of groups) killGroup(pid);
}

function readEvents(path) {
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch (err) {
    if (err.code === "ENOENT") return [];
    throw err;
  }
  // A killed process may leave half a line.
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}
