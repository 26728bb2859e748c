import type {Cache} from "./cache.ts";

export type LruOptions = {
  readonly name: string;
  /** Bytes of keys and values together. */
  readonly maxBytes: number;
  /** A larger item is not kept. */
  readonly maxItemBytes: number;
  /** What an item counts, of its key and value; their lengths when left out. */
  readonly sizeOf?: ((key: string, value: Uint8Array) => number) | undefined;
  readonly events?: LruEvents | undefined;
  readonly now?: (() => number) | undefined;
};

/** Told of every change, with the key and what the item counts. */
export type LruEvents = {
  added?(key: string, bytes: number): void;
  evicted?(key: string, bytes: number): void;
  /** Larger than an item may be. */
  overflowed?(key: string): void;
};

type Item = {readonly value: Uint8Array; readonly bytes: number; readonly expires: number};

/** What an item costs beside its key and value: the map's entry and the objects around the bytes. */
export const ITEM_OVERHEAD_BYTES = 16;

/** A cache in this process, bounded by bytes; what was not asked for the longest goes first. */
export class LruCache implements Cache {
  readonly name: string;
  readonly #o: LruOptions;
  readonly #now: () => number;
  /** In the order of last use: a Map keeps insertion order, and a use inserts anew. */
  readonly #items = new Map<string, Item>();
  #bytes = 0;

  constructor(options: LruOptions) {
    this.#o = options;
    this.name = options.name;
    this.#now = options.now ?? Date.now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#items.size;
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.get(key));
  }

  get(key: string): Uint8Array | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    if (item.expires !== 0 && item.expires <= this.#now()) {
      this.#remove(key, item);
      return undefined;
    }
    this.#items.delete(key);
    this.#items.set(key, item);
    return item.value;
  }

  set(key: string, value: Uint8Array, ttlMs: number): void {
    const size = this.#o.sizeOf?.(key, value) ?? key.length + value.length;
    const bytes = size + ITEM_OVERHEAD_BYTES;
    if (bytes > this.#o.maxItemBytes || bytes > this.#o.maxBytes) {
      this.#o.events?.overflowed?.(key);
      return;
    }
    const old = this.#items.get(key);
    if (old !== undefined) this.#remove(key, old);
    while (this.#bytes + bytes > this.#o.maxBytes) {
      const [oldest, item] = this.#items.entries().next().value as [string, Item];
      this.#remove(oldest, item);
    }
    // A view would keep all of the buffer that it looks into alive, uncounted.
    const own = value.byteLength * 2 < value.buffer.byteLength ? value.slice() : value;
    this.#items.set(key, {value: own, bytes, expires: ttlMs > 0 ? this.#now() + ttlMs : 0});
    this.#bytes += bytes;
    this.#o.events?.added?.(key, bytes);
  }

  #remove(key: string, item: Item): void {
    this.#items.delete(key);
    this.#bytes -= item.bytes;
    this.#o.events?.evicted?.(key, item.bytes);
  }

  async close(): Promise<void> {
    this.#items.clear();
    this.#bytes = 0;
  }
}
