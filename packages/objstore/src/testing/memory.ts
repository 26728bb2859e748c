import {StrataError} from "@strata/base";
import type {Bucket, ObjectAttributes, ObjectEntry} from "../bucket.ts";
import {notFound, throwIfAborted} from "../bucket-errors.ts";
import {checkDir, checkKey, compareKeys} from "../key.ts";

/** A bucket in memory for tests. `objects` may be read and changed by the test. */
export class MemoryBucket implements Bucket {
  readonly provider = "MEMORY";
  readonly name: string;
  readonly objects = new Map<string, {bytes: Uint8Array; lastModified: Date}>();
  readonly #now: () => Date;

  constructor(name = "memory", now: () => Date = () => new Date()) {
    this.name = name;
    this.#now = now;
  }

  /** Puts an object without the streaming detour. */
  put(key: string, body: Uint8Array | string): void {
    checkKey(key);
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.objects.set(key, {bytes, lastModified: this.#now()});
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    const trimmed = checkDir(dir);
    const prefix = trimmed === "" ? "" : `${trimmed}/`;
    let folder = "";
    for (const key of [...this.objects.keys()].filter((k) => k.startsWith(prefix)).sort(compareKeys)) {
      throwIfAborted(signal, `list ${dir}`);
      const slash = key.indexOf("/", prefix.length);
      const object = this.objects.get(key);
      if (object === undefined) continue; // deleted meanwhile
      if (options.recursive === true) {
        yield {name: key, size: object.bytes.length, lastModified: object.lastModified};
      } else if (slash < 0) {
        yield {name: key};
      } else if (key.slice(0, slash + 1) !== folder) {
        folder = key.slice(0, slash + 1);
        yield {name: folder};
      }
    }
  }

  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const {bytes} = this.#must(key, signal);
    return new ReadableStream<Uint8Array>({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes.slice());
        controller.close();
      },
    });
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#must(key, signal).bytes.slice(offset, offset + length);
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    checkKey(key);
    throwIfAborted(signal, `look for ${key}`);
    return this.objects.has(key);
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    const {bytes, lastModified} = this.#must(key, signal);
    return {size: bytes.length, lastModified};
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    checkKey(key);
    const parts: Uint8Array[] = [];
    throwIfAborted(signal, `upload ${key}`);
    for await (const part of body) {
      throwIfAborted(signal, `upload ${key}`);
      parts.push(part);
    }
    const bytes = Uint8Array.from(Buffer.concat(parts));
    if (size !== undefined && bytes.length !== size) {
      throw new StrataError("bad_data", `cannot upload ${key}: body has ${bytes.length} bytes, ${size} were announced`);
    }
    this.put(key, bytes);
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    this.#must(key, signal);
    this.objects.delete(key);
  }

  async close(): Promise<void> {}

  #must(key: string, signal: AbortSignal): {bytes: Uint8Array; lastModified: Date} {
    checkKey(key);
    throwIfAborted(signal, `read ${key}`);
    const object = this.objects.get(key);
    if (object === undefined) throw notFound(this.name, key);
    return object;
  }
}
