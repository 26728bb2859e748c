/**
 * A binary heap that sifts exactly as Go's `container/heap`. Compat: among equal items the order of removal follows from
 * the sifting, and merged chunks depend on it; any other heap would give other bytes.
 */
export class GoHeap<T> {
  readonly #items: T[] = [];
  readonly #less: (a: T, b: T) => boolean;

  constructor(less: (a: T, b: T) => boolean) {
    this.#less = less;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item; undefined when empty. */
  get top(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#up(this.#items.length - 1);
  }

  /** Removes and gives the first item; undefined when empty. */
  pop(): T | undefined {
    const items = this.#items;
    const n = items.length - 1;
    if (n < 0) return undefined;
    this.#swap(0, n);
    this.#down(n);
    return items.pop();
  }

  #up(start: number): void {
    for (let j = start; ; ) {
      const parent = Math.trunc((j - 1) / 2);
      if (parent === j || !this.#less(this.#items[j] as T, this.#items[parent] as T)) return;
      this.#swap(parent, j);
      j = parent;
    }
  }

  #down(n: number): void {
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      if (left >= n) return;
      const right = left + 1;
      const least = right < n && this.#less(this.#items[right] as T, this.#items[left] as T) ? right : left;
      if (!this.#less(this.#items[least] as T, this.#items[i] as T)) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #swap(i: number, j: number): void {
    const items = this.#items;
    const held = items[i] as T;
    items[i] = items[j] as T;
    items[j] = held;
  }
}
