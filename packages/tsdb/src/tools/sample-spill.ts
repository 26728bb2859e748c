import {type FileHandle, mkdir, mkdtemp, open, rm} from "node:fs/promises";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {writeError} from "../writer/file-sink.ts";

/*
 * record := series u32 · t float64 · value float64, as five words in the machine's order (the file never leaves it)
 */
const WORDS = 5;
const RECORD_BYTES = WORDS * 4;
const FIRST_RECORDS = 64;
const READ_RECORDS = 64 * 1024;

/** Gets n records at words[0], words[5], …; both views are valid until it returns. */
export type RecordVisitor = (words: Uint32Array, n: number) => void;

/** The samples of one block range: the latest in memory, what came before in a file. */
class Range {
  readonly start: number;
  records = 0;
  words = new Uint32Array(FIRST_RECORDS * WORDS);
  used = 0;
  /** Records in the file. */
  written = 0;

  constructor(start: number) {
    this.start = start;
  }
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
/** Prometheus's ordinary NaN, which is not the one of this language. */
const NAN_WORDS = [1, 0x7ff80000] as const;

/**
 * Samples in the order of their coming, sorted into ranges of `rangeMs` aligned to 0. Holds up to `bufferBytes` of them;
 * beyond that `isDue` and `flush` appends them to one temporary file for each range, in a folder below `parent` that
 * `close` removes.
 */
export class SampleSpill {
  readonly #parent: string;
  readonly #rangeMs: number;
  readonly #bufferBytes: number;
  readonly #ranges = new Map<number, Range>();
  #last: Range | undefined;
  #buffered = 0;
  #dir: string | undefined;

  constructor(parent: string, rangeMs: number, bufferBytes: number) {
    this.#parent = parent;
    this.#rangeMs = rangeMs;
    this.#bufferBytes = bufferBytes;
  }

  /** Starts of the ranges that have samples, ascending. */
  get starts(): number[] {
    return [...this.#ranges.keys()].sort((a, b) => a - b);
  }

  get isDue(): boolean {
    return this.#buffered >= this.#bufferBytes;
  }

  /** Samples in the range. */
  count(start: number): number {
    return this.#ranges.get(start)?.records ?? 0;
  }

  add(series: number, t: number, value: number): void {
    const range = this.#rangeOf(t);
    if (range.used === range.words.length) {
      const next = new Uint32Array(range.words.length * 2);
      next.set(range.words);
      this.#buffered += range.words.byteLength;
      range.words = next;
    }
    const {words, used} = range;
    words[used] = series;
    double[0] = t;
    words[used + 1] = doubleWords[0] as number;
    words[used + 2] = doubleWords[1] as number;
    double[0] = value;
    const isNan = Number.isNaN(value);
    words[used + 3] = isNan ? NAN_WORDS[0] : (doubleWords[0] as number);
    words[used + 4] = isNan ? NAN_WORDS[1] : (doubleWords[1] as number);
    range.used += WORDS;
    range.records++;
  }

  #rangeOf(t: number): Range {
    const last = this.#last;
    if (last !== undefined && t >= last.start && t < last.start + this.#rangeMs) return last;
    const start = Math.floor(t / this.#rangeMs) * this.#rangeMs;
    let range = this.#ranges.get(start);
    if (range === undefined) {
      range = new Range(start);
      this.#ranges.set(start, range);
    }
    if (range.words.length === 0) range.words = new Uint32Array(FIRST_RECORDS * WORDS);
    if (range.used === 0) this.#buffered += range.words.byteLength;
    this.#last = range;
    return range;
  }

  /** Puts everything held into the files. */
  async flush(): Promise<void> {
    try {
      if (this.#dir === undefined) {
        await mkdir(this.#parent, {recursive: true});
        this.#dir = await mkdtemp(join(this.#parent, "import-"));
      }
      for (const range of this.#ranges.values()) if (range.used > 0) await this.#append(range);
    } catch (err) {
      throw writeError(err, this.#dir ?? this.#parent);
    }
    this.#buffered = 0;
    this.#last = undefined;
  }

  async #append(range: Range): Promise<void> {
    const handle = await open(this.#path(range), "a");
    try {
      await handle.appendFile(new Uint8Array(range.words.buffer, 0, range.used * 4));
    } finally {
      await handle.close();
    }
    range.written += range.used / WORDS;
    range.used = 0;
    range.words = new Uint32Array(0);
  }

  #path(range: Range): string {
    return join(this.#dir as string, `${range.start}.samples`);
  }

  /** Gives all samples of the range, in the order of their coming. May be called many times. */
  async read(start: number, visit: RecordVisitor): Promise<void> {
    const range = this.#ranges.get(start);
    if (range === undefined) return;
    if (range.written > 0) {
      const handle = await open(this.#path(range), "r");
      try {
        await readRecords(handle, this.#path(range), range.written, visit);
      } finally {
        await handle.close();
      }
    }
    visit(range.words, range.used / WORDS);
  }

  /** Forgets the samples of the range. */
  async drop(start: number): Promise<void> {
    const range = this.#ranges.get(start);
    if (range === undefined) return;
    this.#ranges.delete(start);
    this.#last = undefined;
    if (range.written > 0) await rm(this.#path(range), {force: true});
  }

  /** Removes the files; safe to call twice. */
  async close(): Promise<void> {
    this.#ranges.clear();
    this.#last = undefined;
    const dir = this.#dir;
    this.#dir = undefined;
    if (dir !== undefined) await rm(dir, {recursive: true, force: true});
  }
}

async function readRecords(handle: FileHandle, path: string, count: number, visit: RecordVisitor): Promise<void> {
  const words = new Uint32Array(READ_RECORDS * WORDS);
  const bytes = new Uint8Array(words.buffer);
  for (let done = 0; done < count; ) {
    const n = Math.min(READ_RECORDS, count - done);
    for (let got = 0; got < n * RECORD_BYTES; ) {
      const {bytesRead} = await handle.read(bytes, got, n * RECORD_BYTES - got, done * RECORD_BYTES + got);
      if (bytesRead === 0) throw new StrataError("corrupt", `cannot read ${path}: it became shorter`);
      got += bytesRead;
    }
    visit(words, n);
    done += n;
  }
}
