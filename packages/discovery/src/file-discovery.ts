import {type FSWatcher, globSync, readFileSync, watch} from "node:fs";
import {dirname} from "node:path";
import {StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import {parse} from "yaml";

export type FileDiscoveryOptions = {
  /** Paths, whose last part may hold `*` and `?`. */
  readonly patterns: readonly string[];
  /** Everything is read again this often, besides after each change that is noticed. */
  readonly intervalMs: number;
  readonly logger: Logger;
};

/** How long a burst of changes may last before the files are read: editors and config maps write in several steps. */
const SETTLE_MS = 50;

/**
 * Targets from files in Prometheus' file-SD form (YAML or JSON lists of `{targets: [host:port], labels: {…}}`; labels
 * are not used). A file that cannot be read or parsed keeps its last targets; a file that is gone has none.
 */
export class FileDiscovery {
  readonly #options: FileDiscoveryOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #listeners = new Set<() => void>();
  #settle: NodeJS.Timeout | undefined;
  #targets = new Map<string, readonly string[]>();
  #closed = false;

  /** Reads the files at once. */
  constructor(options: FileDiscoveryOptions) {
    this.#options = options;
    this.refresh();
    this.#timer = setInterval(() => this.refresh(), options.intervalMs);
    this.#timer.unref();
  }

  /** Every target once. */
  get targets(): readonly string[] {
    return [...new Set([...this.#targets.values()].flat())];
  }

  /** Calls `listener` after each change of the targets. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Reads all files again. */
  refresh(): void {
    if (this.#closed) return;
    const before = this.targets.join();
    const next = new Map<string, readonly string[]>();
    for (const file of this.#files()) {
      try {
        next.set(file, parseTargets(readFileSync(file, "utf8"), file));
      } catch (err) {
        this.#options.logger.warn("cannot read service discovery file", {file, err});
        const last = this.#targets.get(file);
        if (last !== undefined) next.set(file, last);
      }
    }
    this.#targets = next;
    this.#watch();
    if (this.targets.join() !== before) for (const listener of this.#listeners) listener();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#settle);
    for (const w of this.#watchers.values()) w.close();
    this.#watchers.clear();
  }

  #files(): string[] {
    return [...new Set(this.#options.patterns.flatMap((pattern) => globSync(pattern)))].sort();
  }

  /** Watches the folders and not the files, because files are usually replaced and not written. */
  #watch(): void {
    for (const pattern of this.#options.patterns) {
      const dir = dirname(pattern);
      if (this.#watchers.has(dir)) continue;
      try {
        const watcher = watch(dir, {persistent: false}, () => this.#changed());
        watcher.on("error", () => this.#unwatch(dir));
        this.#watchers.set(dir, watcher);
      } catch {
        // A folder that is not there (yet), or a system out of watches: the interval looks again.
      }
    }
  }

  #unwatch(dir: string): void {
    this.#watchers.get(dir)?.close();
    this.#watchers.delete(dir);
  }

  #changed(): void {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.refresh(), SETTLE_MS);
    this.#settle.unref();
  }
}

/** The targets of one file's text; `bad_data` says what is wrong with it. */
export function parseTargets(text: string, file: string): readonly string[] {
  let groups: unknown;
  try {
    groups = parse(text);
  } catch (err) {
    throw new StrataError("bad_data", `cannot parse ${file}: ${(err as Error).message}`, {cause: err});
  }
  if (groups === null) return [];
  if (!Array.isArray(groups)) throw new StrataError("bad_data", `cannot use ${file}: want a list of target groups`);
  return groups.flatMap((group: unknown, i) => {
    const targets = (group as {targets?: unknown} | null)?.targets;
    if (Array.isArray(targets) && targets.every((t) => typeof t === "string")) return targets as string[];
    throw new StrataError("bad_data", `cannot use ${file}: entry ${i} has no list of targets`);
  });
}
