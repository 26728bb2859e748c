/** Whether and when a stream was broken off for want of frames. */
export type FrameTimeout = {readonly expired: boolean};

/**
 * Passes `open(signal)` on and aborts its signal when one element takes longer than `timeoutMs` (0: never). The clock
 * runs only while the consumer waits, and starts again with each element. `state.expired` tells afterwards.
 */
export async function* withFrameTimeout<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  timeoutMs: number,
  signal: AbortSignal,
  state: {expired: boolean},
): AsyncGenerator<T, void, undefined> {
  const abort = new AbortController();
  const all = timeoutMs > 0 ? AbortSignal.any([signal, abort.signal]) : signal;
  const input = open(all)[Symbol.asyncIterator]();
  let finished = false;
  try {
    for (;;) {
      const timer = timeoutMs > 0 ? setTimeout(() => expire(), timeoutMs) : undefined;
      const expire = (): void => {
        state.expired = true;
        abort.abort(new Error("context canceled"));
      };
      let next: IteratorResult<T>;
      try {
        next = await input.next();
      } catch (err) {
        finished = true;
        throw err;
      } finally {
        clearTimeout(timer);
      }
      if (next.done === true) {
        finished = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!finished) await input.return?.();
  }
}
