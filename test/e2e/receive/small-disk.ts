import {execFileSync} from "node:child_process";
import {closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import type {TestScope} from "@strata/base/testing";

/** A file system of its own that can be full. */
export class SmallDisk {
  readonly dir: string;
  readonly #ballast: string;

  private constructor(dir: string) {
    this.dir = dir;
    this.#ballast = join(dir, "ballast");
  }

  /** Mounts one of so many megabytes in memory; undefined where this process may not mount. */
  static mount(t: TestScope, megabytes: number): SmallDisk | undefined {
    const dir = mkdtempSync(join(tmpdir(), "small-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir], {stdio: "ignore"});
    } catch {
      rmdirSync(dir);
      return undefined;
    }
    t.after(() => {
      // Lazily: who still has files open there is ended by hooks of its own.
      execFileSync("umount", ["-l", dir]);
      rmdirSync(dir);
    });
    return new SmallDisk(dir);
  }

  /** Takes all the room there is, to the last byte. */
  fill(): void {
    const file = openSync(this.#ballast, "a");
    try {
      for (let size = 1 << 20; size > 0; ) {
        try {
          if (writeSync(file, Buffer.alloc(size)) < size) size >>>= 1;
        } catch (err) {
          if ((err as NodeJS.ErrnoException).code !== "ENOSPC") throw err;
          size >>>= 1;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives it back. */
  free(): void {
    rmSync(this.#ballast, {force: true});
  }
}
