import {forEachLimit} from "@strata/base";

/** `work` over all items, at most `limit` at once; results in the items' order. The first failure ends the others. */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  if (items.length === 1) return [await work(items[0] as T, signal)];
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const results: R[] = new Array(items.length);
  let first: {readonly err: unknown} | undefined;
  await forEachLimit(items.entries(), Math.max(1, limit), async ([i, item]) => {
    try {
      results[i] = await work(item, both);
    } catch (err) {
      first ??= {err};
      failed.abort();
      throw err;
    }
  }).catch(() => {});
  if (first !== undefined) throw first.err;
  return results;
}
