import {useCallback, useEffect, useRef, useState} from "react";
import {type Answer, ApiError, callApi, toApiError} from "../api.ts";

/** What is known of something that is asked for again and again. */
export type Polled<T> = {
  /** The latest answer; it stays while later ones fail. */
  readonly answer: Answer<T> | undefined;
  /** When it came, ms. */
  readonly at: number;
  /** Why the latest attempt failed. */
  readonly error: ApiError | undefined;
  /** Asks at once. */
  readonly refresh: () => void;
};

/** How often pages ask again unless they say otherwise, ms. */
export const POLL_MS = 15_000;
/** How long a page waits for an answer before it says that there is none, ms. */
const PATIENCE_MS = 60_000;

/**
 * Asks `path` below the API at once and then every `everyMs` for as long as the page is there and visible; `undefined`
 * asks nothing.
 */
export function usePolled<T>(path: string | undefined, everyMs = POLL_MS): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, "refresh">>({answer: undefined, at: 0, error: undefined});
  const ask = useRef<() => void>(undefined);
  useEffect(() => {
    setState({answer: undefined, at: 0, error: undefined});
    if (path === undefined) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    const run = async (): Promise<void> => {
      if (running) return;
      running = true;
      clearTimeout(timer);
      try {
        const answer = await askPatiently<T>(path, abort.signal);
        setState({answer, at: Date.now(), error: undefined});
      } catch (err) {
        if (abort.signal.aborted) return;
        setState((before) => ({...before, error: toApiError(err)}));
      }
      running = false;
      timer = setTimeout(tick, everyMs);
    };
    // A page in the background asks nothing, and at once when it is looked at again.
    const tick = (): void => {
      if (!document.hidden) void run();
    };
    ask.current = () => void run();
    void run();
    document.addEventListener("visibilitychange", tick);
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [path, everyMs]);
  const refresh = useCallback(() => ask.current?.(), []);
  return {...state, refresh};
}

/** An answer, or an error that says that none came. */
async function askPatiently<T>(path: string, signal: AbortSignal): Promise<Answer<T>> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), PATIENCE_MS);
  try {
    return await callApi<T>(path, {signal: AbortSignal.any([signal, silence.signal])});
  } catch (err) {
    if (!silence.signal.aborted) throw err;
    throw new ApiError("timeout", `The server gave no answer within ${PATIENCE_MS / 1000} seconds.`);
  } finally {
    clearTimeout(timer);
  }
}
