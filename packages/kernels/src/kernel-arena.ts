import type {ByteBudget} from "@strata/base";
import {type Kernel, kernel} from "./kernel.ts";

/**
 * A group of kernel allocations with one end of life, for example all columns of one query: `close` frees whatever is
 * left, also after an error. With a budget, allocations count there too. Belongs to the thread that made it.
 */
export class KernelArena implements Disposable {
  readonly #kernel: Kernel;
  readonly #budget: ByteBudget | undefined;
  readonly #what: string;
  /** Address → bytes asked for. */
  readonly #live = new Map<number, number>();
  #bytes = 0;

  /** `what` names the holder in the budget's errors. */
  constructor(what = "kernel memory", budget?: ByteBudget, k: Kernel = kernel()) {
    this.#what = what;
    this.#budget = budget;
    this.#kernel = k;
  }

  /** Bytes asked for and not yet freed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Like Kernel.alloc; throws `limit` when the budget or linear memory is exhausted. */
  alloc(bytes: number): number {
    this.#budget?.take(bytes, this.#what);
    let ptr: number;
    try {
      ptr = this.#kernel.alloc(bytes);
    } catch (err) {
      this.#budget?.give(bytes);
      throw err;
    }
    this.#live.set(ptr, bytes);
    this.#bytes += bytes;
    return ptr;
  }

  /** Frees one allocation of this arena early. Others' addresses, and those already freed, are ignored. */
  free(ptr: number): void {
    const bytes = this.#live.get(ptr);
    if (bytes === undefined) return;
    this.#live.delete(ptr);
    this.#bytes -= bytes;
    this.#budget?.give(bytes);
    this.#kernel.free(ptr);
  }

  /** Moves an allocation to another arena of the same thread and budget chain, which then owns it. */
  moveTo(other: KernelArena, ptr: number): void {
    const bytes = this.#live.get(ptr);
    if (bytes === undefined || other === this) return;
    other.#budget?.take(bytes, other.#what);
    this.#live.delete(ptr);
    this.#bytes -= bytes;
    this.#budget?.give(bytes);
    other.#live.set(ptr, bytes);
    other.#bytes += bytes;
  }

  /** Frees all. May be called twice; the arena can be used again. */
  close(): void {
    for (const ptr of this.#live.keys()) this.#kernel.free(ptr);
    this.#live.clear();
    this.#budget?.give(this.#bytes);
    this.#bytes = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
