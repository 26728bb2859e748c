import type {Bucket, FileCopies, ObjectAttributes, ObjectEntry} from "./bucket.ts";
import {checkDir, checkKey} from "./key.ts";

/** `inner` seen below `prefix`; slashes at both ends of the prefix are trimmed, an empty one gives `inner` back. */
export function prefixed(inner: Bucket, prefix: string): Bucket {
  const trimmed = prefix.replace(/^\/+|\/+$/g, "");
  if (trimmed === "") return inner;
  checkKey(trimmed);
  return new PrefixBucket(inner, trimmed);
}

class PrefixBucket implements Bucket {
  readonly name: string;
  readonly provider: string;
  readonly #inner: Bucket;
  readonly #prefix: string;
  readonly files: FileCopies | undefined;

  constructor(inner: Bucket, prefix: string) {
    this.#inner = inner;
    this.#prefix = prefix;
    this.name = inner.name;
    this.provider = inner.provider;
    const {files} = inner;
    this.files = files && {
      copyOut: (key, path, options, signal) => files.copyOut(this.#key(key), path, options, signal),
      copyIn: (key, path, options, signal) => files.copyIn(this.#key(key), path, options, signal),
      isShared: (key, path, signal) => files.isShared(this.#key(key), path, signal),
    };
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    const below = checkDir(dir);
    const outer = below === "" ? this.#prefix : `${this.#prefix}/${below}`;
    for await (const entry of this.#inner.list(outer, options, signal)) {
      yield {...entry, name: entry.name.slice(this.#prefix.length + 1)};
    }
  }

  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#inner.get(this.#key(key), signal);
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#inner.getRange(this.#key(key), offset, length, signal);
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    return this.#inner.exists(this.#key(key), signal);
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    return this.#inner.attributes(this.#key(key), signal);
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#inner.upload(this.#key(key), body, size, signal);
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    await this.#inner.delete(this.#key(key), signal);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** Checked before the prefix is put in front: "" and "../x" must not pass as parts of a longer key. */
  #key(key: string): string {
    checkKey(key);
    return `${this.#prefix}/${key}`;
  }
}
