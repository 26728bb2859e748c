import {appendFile, mkdir, readFile, rename, rm, writeFile} from "node:fs/promises";
import {dirname} from "node:path";
import {type BlockMeta, encodeBlockMeta, parseBlockMeta} from "@strata/tsdb/blocks";

/** A meta with the time its object had when it was read, ms; 0 where the listing does not say. */
export type CachedMeta = {readonly meta: BlockMeta; readonly lastModified: number};

/** The file is written anew when more than half of its lines, and at least this many, are of blocks that are gone. */
const REWRITE_FROM = 100;

/**
 * Metas of a bucket kept on disk, so that a restart reads one file instead of an object per block. One line a block:
 * modification time, space, meta.json without line breaks. It is only a cache: lines that cannot be read are passed
 * over, a later line of a block replaces an earlier one, and nothing is synced.
 */
export class MetaCacheFile {
  readonly #path: string;
  #lines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<Map<string, CachedMeta>> {
    const found = new Map<string, CachedMeta>();
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === "ENOENT") return found;
      throw err;
    }
    for (const line of text.split("\n")) {
      if (line === "") continue;
      this.#lines++;
      const entry = parseLine(line);
      if (entry !== undefined) found.set(entry.meta.ulid, entry);
    }
    return found;
  }

  /** Brings the file to `all`, of which `added` are not in it yet. */
  async store(all: ReadonlyMap<string, CachedMeta>, added: readonly CachedMeta[]): Promise<void> {
    const stale = this.#lines + added.length - all.size;
    if (stale >= REWRITE_FROM && stale > all.size) return this.#rewrite(all);
    if (added.length === 0) return;
    await mkdir(dirname(this.#path), {recursive: true});
    // A line cut off by a crash must not swallow the first new one.
    await appendFile(this.#path, `\n${added.map(formatLine).join("\n")}\n`);
    this.#lines += added.length;
  }

  async #rewrite(all: ReadonlyMap<string, CachedMeta>): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      await mkdir(dirname(this.#path), {recursive: true});
      await writeFile(temporary, `${[...all.values()].map(formatLine).join("\n")}\n`);
      await rename(temporary, this.#path);
      this.#lines = all.size;
    } catch (err) {
      await rm(temporary, {force: true});
      throw err;
    }
  }
}

const formatLine = (entry: CachedMeta): string =>
  `${entry.lastModified} ${JSON.stringify(JSON.parse(encodeBlockMeta(entry.meta)))}`;

function parseLine(line: string): CachedMeta | undefined {
  const space = line.indexOf(" ");
  const lastModified = Number(line.slice(0, space));
  if (space < 1 || !Number.isFinite(lastModified)) return undefined;
  try {
    return {meta: parseBlockMeta(line.slice(space + 1), "meta cache"), lastModified};
  } catch {
    return undefined; // a torn line; the object will be read again
  }
}
