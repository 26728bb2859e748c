import {closeSync, openSync, readFileSync, rmSync, writeSync} from "node:fs";
import {join, resolve} from "node:path";
import {StrataError} from "@strata/base";
import {fileError} from "../random-access.ts";
import {writeError} from "../writer/file-sink.ts";

const LOCK_FILE = "lock";
/** Directories that this process holds. */
const held = new Set<string>();

/**
 * Keeps two processes out of one data directory: a file `lock` with the number of the process and the time it started, by
 * which a file that a killed process left behind is told from one in use, also where numbers are used again (a container's
 * first process always has the same). Node has no file locks. Compat: Prometheus keeps its lock in a file of this name, too.
 */
export class DirLock {
  /** Whether a file of an earlier process was in the way. */
  readonly replaced: boolean;
  readonly #path: string;
  #released = false;

  private constructor(path: string, replaced: boolean) {
    this.#path = path;
    this.replaced = replaced;
  }

  /** Throws `unavailable` where another process, or this one, holds the directory. */
  static take(dir: string): DirLock {
    const path = join(resolve(dir), LOCK_FILE);
    const old = readOld(path);
    if (held.has(path)) throw busy(path, "this process has it open already");
    if (old !== undefined && old !== "" && old === identity(Number(old.split(" ")[0]))) {
      throw busy(path, `process ${old.split(" ")[0]} has it open`);
    }
    try {
      const file = openSync(path, "w");
      writeSync(file, identity(process.pid));
      closeSync(file);
    } catch (err) {
      throw writeError(err, path);
    }
    held.add(path);
    return new DirLock(path, old !== undefined);
  }

  /** Safe to call twice. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    held.delete(this.#path);
    rmSync(this.#path, {force: true});
  }
}

const busy = (path: string, why: string): StrataError =>
  new StrataError("unavailable", `cannot lock ${path}: ${why}`, {fields: {file: path}});

function readOld(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch (err) {
    const error = fileError(err, path);
    if (error.code === "not_found") return undefined;
    throw error;
  }
}

/** Number and start of a process, "" when there is none. Where the system has no /proc, its number alone tells. */
function identity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the name, which may hold anything: field 22 of the line is the start in ticks since the system's.
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${pid} ${start} ${boot}`;
  } catch {
    return isAlive(pid) ? `${pid}` : "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === "EPERM";
  }
}
