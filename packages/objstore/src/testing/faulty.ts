import type {Bucket, ObjectAttributes, ObjectEntry} from "../bucket.ts";

export type BucketCall = {
  readonly operation: "iter" | "get" | "get_range" | "exists" | "attributes" | "upload" | "delete";
  readonly key: string;
  /** Only for `get_range`. */
  readonly offset: number;
  readonly length: number;
};

/**
 * `inner` with trouble: `before` sees every call first; it may throw (a fault), wait (a slow store), or return. A
 * returned function changes the bytes of `get_range` (a truncated or garbled body). All calls are kept in `calls`.
 */
export class FaultyBucket implements Bucket {
  readonly name: string;
  readonly provider: string;
  readonly calls: BucketCall[] = [];
  before: (call: BucketCall) => undefined | ((bytes: Uint8Array) => Uint8Array) | Promise<undefined>;
  readonly #inner: Bucket;

  constructor(inner: Bucket, before: FaultyBucket["before"] = () => undefined) {
    this.#inner = inner;
    this.before = before;
    this.name = inner.name;
    this.provider = inner.provider;
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    await this.#call("iter", dir);
    yield* this.#inner.list(dir, options, signal);
  }

  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    await this.#call("get", key);
    return this.#inner.get(key, signal);
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const change = await this.#call("get_range", key, offset, length);
    const bytes = await this.#inner.getRange(key, offset, length, signal);
    return change === undefined ? bytes : change(bytes);
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    await this.#call("exists", key);
    return this.#inner.exists(key, signal);
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    await this.#call("attributes", key);
    return this.#inner.attributes(key, signal);
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#call("upload", key);
    await this.#inner.upload(key, body, size, signal);
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    await this.#call("delete", key);
    await this.#inner.delete(key, signal);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async #call(operation: BucketCall["operation"], key: string, offset = 0, length = 0) {
    const call = {operation, key, offset, length};
    this.calls.push(call);
    return this.before(call);
  }
}
