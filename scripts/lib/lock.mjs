import {mkdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import {cacheDir} from "./paths.mjs";
import {say} from "./progress.mjs";

const file = join(cacheDir, "setup.lock");

/** Runs `fn` while no other set-up of this clone runs: two `npm ci` in one tree destroy each other's work. */
export async function alone(fn) {
  await acquire();
  const release = () => rmSync(file, {force: true});
  process.once("exit", release);
  try {
    return await fn();
  } finally {
    process.off("exit", release);
    release();
  }
}

async function acquire() {
  mkdirSync(cacheDir, {recursive: true});
  for (let told = false; ; ) {
    try {
      writeFileSync(file, String(process.pid), {flag: "wx"});
      return;
    } catch (err) {
      if (err.code !== "EEXIST") throw err;
    }
    const owner = lockOwner();
    if (owner === undefined) {
      // Its process is gone: whoever removes the file first tries again first.
      rmSync(file, {force: true});
      continue;
    }
    if (!told) say(`setup: waiting for the set-up that already runs here (process ${owner})`);
    told = true;
    await delay(100);
  }
}

/** The process that holds the lock, or undefined when there is none any more. */
function lockOwner() {
  let pid;
  try {
    pid = Number(readFileSync(file, "utf8"));
  } catch (err) {
    if (err.code === "ENOENT") return undefined;
    throw err;
  }
  // An empty file is one that its owner is just writing.
  if (!pid) return "?";
  try {
    process.kill(pid, 0);
    return pid;
  } catch (err) {
    return err.code === "EPERM" ? pid : undefined;
  }
}
