import type {FileHandle} from "node:fs/promises";

/** A file stays open this long after its last use. */
const IDLE_MS = 2000;

/** Files kept open at the most while nobody uses them. */
const MAX_IDLE = 256;

type Entry = {readonly file: Promise<FileHandle>; users: number; lastUsed: number; dropped: boolean};

/**
 * Files kept open between reads that follow each other closely: a query reads some hundred ranges of a few files, and
 * opening and closing cost three times as much as the read itself. `drop` a path whose file was replaced or deleted.
 */
export class OpenFiles {
  readonly #open: (path: string) => Promise<FileHandle>;
  readonly #entries = new Map<string, Entry>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(open: (path: string) => Promise<FileHandle>) {
    this.#open = open;
  }

  async use<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
    let entry = this.#entries.get(path);
    if (entry === undefined) {
      entry = {file: this.#open(path), users: 0, lastUsed: 0, dropped: false};
      this.#entries.set(path, entry);
    }
    entry.users++;
    try {
      return await work(await entry.file);
    } catch (err) {
      // Also a file that could not be opened: the next read tries anew.
      this.drop(path);
      throw err;
    } finally {
      entry.users--;
      entry.lastUsed = performance.now();
      if (entry.users === 0) this.#idle(path, entry);
    }
  }

  /** The next read opens the path again. */
  drop(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    entry.dropped = true;
    if (entry.users === 0) close(entry);
  }

  close(): void {
    for (const path of [...this.#entries.keys()]) this.drop(path);
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #idle(path: string, entry: Entry): void {
    if (entry.dropped) close(entry);
    else if (this.#entries.size > MAX_IDLE) this.drop(path);
    else this.#startSweep();
  }

  #startSweep(): void {
    if (this.#sweep !== undefined) return;
    this.#sweep = setInterval(() => this.#closeIdle(), IDLE_MS / 2);
    // Open files must not keep a finished process alive.
    this.#sweep.unref();
  }

  #closeIdle(): void {
    const before = performance.now() - IDLE_MS;
    for (const [path, entry] of this.#entries) if (entry.users === 0 && entry.lastUsed < before) this.drop(path);
    if (this.#entries.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

/** Nobody uses the file any more: what closing it says cannot matter, and one that never opened has told its user. */
const close = (entry: Entry): void => void entry.file.then((file) => file.close()).catch(() => undefined);
