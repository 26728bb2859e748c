/**
 * Runs `work` over `items` with at most `limit` under way. The first failure stops the taking of further items and is
 * thrown once those under way have ended, so that nothing goes on behind the caller's back.
 */
export async function forEachLimit<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const running = new Set<Promise<void>>();
  const start = (item: T) => {
    const done: Promise<void> = work(item)
      .catch((err: unknown) => void failures.push(err))
      .finally(() => running.delete(done));
    running.add(done);
  };
  try {
    for await (const item of items) {
      if (failures.length > 0) break;
      start(item);
      if (running.size >= limit) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
