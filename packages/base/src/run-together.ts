/**
 * Runs all parts until each has ended. The first failure aborts the signal of the others, is waited out and then thrown;
 * what they throw after that, or after `signal` aborted, is how they stop.
 */
export async function runTogether(
  parts: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  let failed: {readonly err: unknown} | undefined;
  const guarded = parts.map(async (part) => {
    try {
      await part(both);
    } catch (err) {
      if (both.aborted) return;
      failed = {err};
      failure.abort(err);
    }
  });
  await Promise.all(guarded);
  if (failed !== undefined) throw failed.err;
}
