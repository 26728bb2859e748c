import {rm} from "node:fs/promises";
import {errorCode, StrataError} from "@strata/base";
import {BufferAccess, type RandomAccess} from "@strata/tsdb/blocks";
import {buildIndexHeader, indexHeaderBytes} from "./build.ts";
import {IndexHeaderReader} from "./reader.ts";

/** What the life of index-headers adds up to; the owner turns it into metrics. */
export type IndexHeaderEvents = {
  built(seconds: number): void;
  loaded(seconds: number): void;
  loadFailed(): void;
  unloaded(): void;
};

const NOTHING = new Uint8Array(0);

/**
 * The index-header of one block: a file built once, and a reader that is open only while somebody uses it or did so a
 * short while ago. A damaged file is built again, once per `use`. Idle, it holds no file and a few hundred bytes.
 */
export class LazyIndexHeader {
  readonly path: string;
  /** Without a file: the bytes, once they are built. */
  #bytes: Uint8Array | undefined;
  readonly #inMemory: boolean;
  readonly #index: (signal: AbortSignal) => Promise<RandomAccess>;
  readonly #events: IndexHeaderEvents;
  #reader: Promise<IndexHeaderReader> | undefined;
  #users = 0;
  #lastUsed = 0;
  readonly #life = new AbortController();

  /**
   * `index` opens the block's whole index, to build from. With `inMemory` nothing is written, `path` is but a name, and the
   * bytes stay until `close`.
   */
  constructor(
    path: string,
    index: (signal: AbortSignal) => Promise<RandomAccess>,
    events: IndexHeaderEvents,
    inMemory = false,
  ) {
    this.path = path;
    this.#inMemory = inMemory;
    this.#index = index;
    this.#events = events;
  }

  /** Runs `work` with an open reader, which must not be kept. */
  async use<T>(work: (reader: IndexHeaderReader) => Promise<T>): Promise<T> {
    const {reader, release} = await this.acquire();
    try {
      return await work(reader);
    } finally {
      await release();
    }
  }

  /** An open reader, valid until `release`, which must be called once. */
  async acquire(): Promise<{reader: IndexHeaderReader; release: () => Promise<void>}> {
    if (this.#life.signal.aborted) throw this.#dropped();
    this.#users++;
    const release = async () => {
      this.#users--;
      this.#lastUsed = performance.now();
      if (this.#life.signal.aborted && this.#users === 0) await this.#unload();
    };
    // Shared by all who come meanwhile, so no one caller's departure may end it.
    this.#reader ??= this.#load(this.#life.signal);
    const reader = this.#reader;
    try {
      return {reader: await reader, release};
    } catch (err) {
      if (this.#reader === reader) this.#reader = undefined;
      await release();
      throw this.#life.signal.aborted ? this.#dropped() : err;
    }
  }

  /** Builds the file unless it is there already. What is in it is checked when it is first used. */
  async build(signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const source = await this.#index(signal);
    try {
      if (this.#inMemory) this.#bytes = await indexHeaderBytes(source);
      else await buildIndexHeader(source, this.path);
    } finally {
      await source.close();
    }
    this.#events.built((performance.now() - started) / 1000);
  }

  /** Closes the reader when nobody has used it for `idleMs`; true when it did. */
  async unloadIdle(idleMs: number): Promise<boolean> {
    if (this.#users > 0 || this.#reader === undefined || performance.now() - this.#lastUsed < idleMs) return false;
    await this.#unload();
    this.#events.unloaded();
    return true;
  }

  get loaded(): boolean {
    return this.#reader !== undefined;
  }

  /** Closes the reader once its users are done. The file stays. */
  async close(): Promise<void> {
    this.#life.abort();
    if (this.#users === 0) await this.#unload();
  }

  #dropped(): StrataError {
    return new StrataError("unavailable", `cannot read ${this.path}: its block was dropped`);
  }

  async #load(signal: AbortSignal): Promise<IndexHeaderReader> {
    const started = performance.now();
    try {
      const reader = await this.#open(signal);
      this.#events.loaded((performance.now() - started) / 1000);
      return reader;
    } catch (err) {
      this.#events.loadFailed();
      throw err;
    }
  }

  async #open(signal: AbortSignal): Promise<IndexHeaderReader> {
    if (this.#inMemory) {
      if (this.#bytes === undefined) await this.build(signal);
      return IndexHeaderReader.over(new BufferAccess(this.path, this.#bytes ?? NOTHING));
    }
    try {
      return await IndexHeaderReader.open(this.path);
    } catch (err) {
      const code = errorCode(err);
      if (code !== "corrupt" && code !== "not_found") throw err;
    }
    await rm(this.path, {force: true});
    await this.build(signal);
    return IndexHeaderReader.open(this.path);
  }

  async #unload(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.then(
      (open) => open.close(),
      () => undefined, // the failure was thrown to whoever used it
    );
  }
}
