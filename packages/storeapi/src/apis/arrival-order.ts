/**
 * What all `inputs` give, as it comes. Each is asked for its next element once its last one was taken, so that at most
 * one of each waits here. The first failure ends it; inputs that are left behind are ended, too.
 */
export async function* arrivalOrder<T>(inputs: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, undefined> {
  const waiting: {readonly item: T; readonly taken: () => void}[] = [];
  let open = inputs.length;
  let failure: {readonly err: unknown} | undefined;
  let wake = (): void => {};
  let stopped = false;
  const pump = async (input: AsyncIterable<T>): Promise<void> => {
    try {
      for await (const item of input) {
        if (stopped) return;
        const taken = Promise.withResolvers<void>();
        waiting.push({item, taken: taken.resolve});
        wake();
        await taken.promise;
        if (stopped) return;
      }
    } catch (err) {
      failure ??= {err};
    } finally {
      open--;
      wake();
    }
  };
  for (const input of inputs) void pump(input);
  try {
    for (;;) {
      if (failure !== undefined) throw failure.err;
      const next = waiting.shift();
      if (next !== undefined) {
        yield next.item;
        next.taken();
      } else if (open === 0) return;
      else {
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        await woken.promise;
      }
    }
  } finally {
    stopped = true;
    for (const {taken} of waiting) taken();
  }
}
