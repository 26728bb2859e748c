import {StrataError} from "./errors.ts";

/**
 * Counts the bytes one request (or one process) holds. Whoever allocates a buffer of a size that input decides takes
 * its bytes first and gives them back when the buffer is dropped. A child budget also draws on its parent.
 */
export class ByteBudget {
  readonly name: string;
  readonly limit: number;
  readonly #parent: ByteBudget | undefined;
  #used = 0;
  #peak = 0;
  /** The highest `used` since the innermost search began. */
  #most = 0;

  /** `limit` in bytes; 0 means no limit of its own (the parent's still holds). */
  constructor(name: string, limit: number, parent?: ByteBudget) {
    this.name = name;
    this.limit = limit;
    this.#parent = parent;
  }

  get used(): number {
    return this.#used;
  }

  /** The highest `used` so far. */
  get peak(): number {
    return this.#peak;
  }

  /**
   * Begins to look for the most that is used from here on; returns what an enclosing search has found so far, to be
   * handed to `endSearch`. Searches nest like calls.
   */
  beginSearch(): number {
    const outer = this.#most;
    this.#most = this.#used;
    return outer;
  }

  /** The highest `used` since the `beginSearch` that returned `outer`. */
  endSearch(outer: number): number {
    const most = this.#most;
    this.#most = Math.max(outer, most);
    return most;
  }

  /** Counts `bytes` more, or throws `limit` and counts nothing. */
  take(bytes: number, what: string): void {
    const next = this.#used + bytes;
    if (this.limit > 0 && next > this.limit) {
      throw new StrataError(
        "limit",
        `cannot hold ${bytes} bytes more for ${what}: ${this.name} holds ${this.#used} of ${this.limit} bytes`,
        {fields: {limit: this.limit, used: this.#used, asked: bytes}},
      );
    }
    this.#parent?.take(bytes, what);
    this.#used = next;
    if (next > this.#peak) this.#peak = next;
    if (next > this.#most) this.#most = next;
  }

  /** Gives back what `take` counted. */
  give(bytes: number): void {
    this.#used -= bytes;
    this.#parent?.give(bytes);
  }
}

/** A budget without a limit, for tools and tests. */
export const unlimited = (): ByteBudget => new ByteBudget("unlimited", 0);
