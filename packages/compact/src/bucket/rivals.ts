import {hostname} from "node:os";
import {errorText} from "@strata/base";
import {newUlid} from "@strata/model";
import {type Bucket, isNotFound, readObject, uploadBytes} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {CompactMetrics} from "../metrics.ts";
import type {BucketState} from "./bucket-sync.ts";
import {holderOf} from "./garbage.ts";

/** Where compactors leave word of themselves; block readers pass over everything that is not named by a ULID. */
const RIVALS_DIR = "debug/compactors";
/** Word older than this is of a compactor that is gone. */
const STALE_MS = 15 * 60_000;
/** Real ones have some kilobytes, a line for each group. */
const MAX_BYTES = 1024 * 1024;

type Word = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** ms. */
  readonly seenAt: number;
  readonly groups: readonly string[];
};

/**
 * Finds out whether another compactor works on the same blocks, which is a mistake that costs work, not data: results of
 * both hold the same sources, and the later one is collected as garbage. Each compactor leaves word of the groups it works
 * on; a compactor of another kind is known by blocks that were made of the same sources twice.
 */
export class Rivals {
  readonly #bucket: Bucket;
  readonly #logger: Logger;
  readonly #metrics: CompactMetrics;
  readonly #now: () => number;
  readonly #id: string;

  constructor(bucket: Bucket, logger: Logger, metrics: CompactMetrics, now: () => number) {
    this.#bucket = bucket;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#now = now;
    this.#id = newUlid(now());
    ownIds.add(this.#id);
  }

  /** Leaves word and looks for that of others, and for their traces. Trouble with that is logged and no more. */
  async look(state: BucketState, groups: readonly string[], signal: AbortSignal): Promise<void> {
    ownIds.add(this.#id);
    try {
      const others = await this.#others(signal);
      const rivals = others.filter((other) => other.groups.some((group) => groups.includes(group)));
      for (const {host, pid, groups: theirs} of rivals) {
        const shared = theirs.filter((group) => groups.includes(group));
        this.#logger.error(EXPLANATION, {host, pid, groups: shared.slice(0, 5).join(","), count: shared.length});
      }
      const twins = twinsOf(state);
      for (const [meta, twin] of twins) {
        this.#logger.error(EXPLANATION, {block: meta.ulid, twin: twin.ulid, why: "made of the same sources twice"});
      }
      this.#metrics.rivals.set(Math.max(rivals.length, Math.sign(twins.length)));
      const word: Word = {id: this.#id, host: hostname(), pid: process.pid, seenAt: this.#now(), groups};
      await uploadBytes(this.#bucket, this.#key(this.#id), Buffer.from(JSON.stringify(word)), signal);
    } catch (err) {
      if (signal.aborted) throw err;
      this.#logger.warn("cannot look for other compactors", {err: errorText(err)});
    }
  }

  /** Takes back its word. */
  async leave(signal: AbortSignal): Promise<void> {
    ownIds.delete(this.#id);
    try {
      await this.#bucket.delete(this.#key(this.#id), signal);
    } catch (err) {
      if (!isNotFound(err)) this.#logger.debug("cannot take back word in the bucket", {err: errorText(err)});
    }
  }

  /** Compactors that were here not long ago; word of those that are gone is removed. */
  async #others(signal: AbortSignal): Promise<Word[]> {
    const words: Word[] = [];
    for await (const {name} of this.#bucket.list(RIVALS_DIR, {}, signal)) {
      if (!name.endsWith(".json") || name === this.#key(this.#id)) continue;
      const word = await this.#read(name, signal);
      if (word === undefined) continue;
      if (Math.abs(this.#now() - word.seenAt) <= STALE_MS && !isGone(word)) words.push(word);
      else await this.#bucket.delete(name, signal);
    }
    return words;
  }

  async #read(name: string, signal: AbortSignal): Promise<Word | undefined> {
    try {
      const bytes = await readObject(this.#bucket, name, MAX_BYTES, signal);
      const word = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Word>;
      if (typeof word.id !== "string" || typeof word.seenAt !== "number" || !Array.isArray(word.groups))
        return undefined;
      const groups = word.groups.map(String);
      return {id: word.id, host: String(word.host), pid: Number(word.pid), seenAt: word.seenAt, groups};
    } catch (err) {
      // Taken back meanwhile, or written by something else: no rival.
      if (isNotFound(err) || err instanceof SyntaxError) return undefined;
      throw err;
    }
  }

  #key(id: string): string {
    return `${RIVALS_DIR}/${id}.json`;
  }
}

/** Compactors of this process. */
const ownIds = new Set<string>();

/** Whether the word is of a process of this machine that ended without taking it back. */
function isGone({id, host, pid}: Word): boolean {
  if (host !== hostname()) return false;
  // After a restart in a container host and process number are often the same as before.
  if (pid === process.pid) return !ownIds.has(id);
  try {
    process.kill(pid, 0);
    return false;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === "ESRCH";
  }
}

const EXPLANATION =
  "another compactor works on the same blocks; nothing is lost, but all work is done twice: stop one of them, or give each " +
  "its own share with --selector.relabel-config";

/** Unmarked duplicates that a compactor made of the very sources of another block that one made. */
function twinsOf(state: BucketState): [BlockMeta, BlockMeta][] {
  const twins: [BlockMeta, BlockMeta][] = [];
  for (const ulid of state.duplicates) {
    const meta = state.all.get(ulid);
    if (meta === undefined || state.deletionMarks.has(ulid) || meta.thanos?.source !== "compactor") continue;
    const twin = holderOf(meta, state.metas.values());
    if (twin?.thanos?.source !== "compactor") continue;
    const same = twin.compaction.level === meta.compaction.level;
    if (same && twin.compaction.sources.length === meta.compaction.sources.length) twins.push([meta, twin]);
  }
  return twins;
}
