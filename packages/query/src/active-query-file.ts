import {closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync} from "node:fs";
import {join} from "node:path";
import {errorText, StrataError} from "@strata/base";

/** A query that was running when the last process ended. */
export type LeftQuery = {readonly query: string; readonly timestamp_sec: number};

/** Name of the file in the directory of `--query.active-query-path`. */
const FILE = "queries.active";
/** Compat: size of a slot; the last byte of it is a comma, what its entry leaves free is zero. */
const SLOT = 1000;
const COMMA = 0x2c;

/**
 * A file that names the queries that are running, for whoever wants to know what a process that crashed was at. In
 * Prometheus' form: `[`, then a slot of SLOT bytes a query that may run. Written through the system's cache, which
 * outlives the process.
 */
export class ActiveQueryFile {
  /** What the process before this one did not get to finish. */
  readonly left: readonly LeftQuery[];
  #fd: number | undefined;

  private constructor(fd: number, left: readonly LeftQuery[]) {
    this.#fd = fd;
    this.left = left;
  }

  /** Reads what is left in the directory's file and makes it anew with so many slots. */
  static open(dir: string, slots: number): ActiveQueryFile {
    const path = join(dir, FILE);
    try {
      mkdirSync(dir, {recursive: true});
      const left = readLeft(path);
      const fd = openSync(path, "w+");
      const empty = Buffer.alloc(1 + slots * SLOT);
      empty[0] = 0x5b;
      for (let slot = 0; slot < slots; slot++) empty[(slot + 1) * SLOT] = COMMA;
      ftruncateSync(fd, empty.length);
      writeSync(fd, empty, 0, empty.length, 0);
      return new ActiveQueryFile(fd, left);
    } catch (err) {
      throw new StrataError("bad_data", `cannot use ${path} to name running queries: ${errorText(err)}`, {cause: err});
    }
  }

  enter(slot: number, query: string, nowMs: number): void {
    this.#write(slot, entryOf(query, Math.floor(nowMs / 1000)));
  }

  leave(slot: number): void {
    this.#write(slot, Buffer.alloc(0));
  }

  /** What is written then says that nothing was running. Safe to call twice. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  #write(slot: number, entry: Buffer): void {
    if (this.#fd === undefined) return;
    const bytes = Buffer.alloc(SLOT - 1);
    entry.copy(bytes);
    writeSync(this.#fd, bytes, 0, bytes.length, 1 + slot * SLOT);
  }
}

/** The entry of a query, its text cut so that it fits. */
function entryOf(query: string, timestamp_sec: number): Buffer {
  const encode = (text: string): Buffer => Buffer.from(JSON.stringify({query: text, timestamp_sec}));
  const whole = encode(query.slice(0, SLOT));
  if (query.length <= SLOT && whole.length < SLOT) return whole;
  let low = 0;
  let high = Math.min(query.length, SLOT);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (encode(query.slice(0, middle)).length < SLOT) low = middle;
    else high = middle - 1;
  }
  // Not within a pair of surrogates.
  if (!query.slice(0, low).isWellFormed()) low--;
  return encode(query.slice(0, low));
}

/** Damage of the file is no reason not to start: what cannot be read is left out. */
function readLeft(path: string): LeftQuery[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return [];
  }
  const left: LeftQuery[] = [];
  for (let at = 1; at < bytes.length; at += SLOT) {
    const slot = bytes.subarray(at, at + SLOT - 1);
    const end = slot.indexOf(0);
    const text = slot.toString("utf8", 0, end < 0 ? slot.length : end);
    if (text === "") continue;
    try {
      left.push(JSON.parse(text) as LeftQuery);
    } catch {
      left.push({query: text, timestamp_sec: 0});
    }
  }
  return left;
}
