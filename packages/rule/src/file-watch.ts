import {globSync, statSync} from "node:fs";

/**
 * Notices that files or what patterns match have changed, by name, size, time and inode. Looking is a matter of the
 * caller: watching a file system fails silently on network mounts and where folders are swapped, as config maps are.
 */
export class FileWatch {
  readonly #patterns: readonly string[];
  #seen = "";

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
  }

  /** Whether something is different from the last call. */
  changed(): boolean {
    const now = this.#patterns.flatMap((pattern) => globSync(pattern).sort().map(mark)).join("\n");
    const before = this.#seen;
    this.#seen = now;
    return now !== before;
  }
}

function mark(path: string): string {
  try {
    const {size, mtimeMs, ino} = statSync(path);
    return `${path} ${size} ${mtimeMs} ${ino}`;
  } catch {
    return `${path} gone`;
  }
}
