import {StrataError} from "@strata/base";
import type {Bucket} from "@strata/objstore";
import type {RandomAccess} from "@strata/tsdb/blocks";

/** An object of a bucket read at any place. Nothing is held open. */
export class BucketAccess implements RandomAccess {
  readonly name: string;
  readonly size: number;
  readonly #bucket: Bucket;
  readonly #signal: AbortSignal;

  constructor(bucket: Bucket, key: string, size: number, signal: AbortSignal) {
    this.#bucket = bucket;
    this.name = key;
    this.size = size;
    this.#signal = signal;
  }

  /** Asks the bucket for the object's size. */
  static async open(bucket: Bucket, key: string, signal: AbortSignal): Promise<BucketAccess> {
    return new BucketAccess(bucket, key, (await bucket.attributes(key, signal)).size, signal);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = await this.#bucket.getRange(this.name, offset, length, this.#signal);
    if (bytes.length === length) return bytes;
    throw new StrataError(
      "corrupt",
      `cannot read ${length} bytes at ${offset} of ${this.name}: it ends after ${bytes.length} of them`,
      {fields: {file: this.name, offset, length}},
    );
  }

  async close(): Promise<void> {}
}
