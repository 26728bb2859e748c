/**
 * A queue between a message handler and an async loop. `put` never waits; `next` waits for an item or the end. One reader.
 */
export class Mailbox<T> {
  #items: T[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#notify();
  }

  /** No more items; `next` rejects with `error`, where given, once all were taken. The first end counts. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#notify();
  }

  /** The next item, or undefined at the end. */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0) {
      if (this.#ended) {
        if (this.#error !== undefined) throw this.#error;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.shift();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
