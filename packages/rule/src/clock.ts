import {setTimeout as delay} from "node:timers/promises";

/** Wall clock and sleep; tests have one of their own. */
export type Clock = {
  /** ms since the epoch, with fractions. */
  now(): number;
  /** Resolves at `t`, or early when `signal` aborts. */
  sleepUntil(t: number, signal: AbortSignal): Promise<void>;
};

/** Longest sleep at a time: a timer takes no more, and a clock that is set forward is noticed. */
const MAX_SLEEP_MS = 30_000;

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now() + drift(),
  async sleepUntil(t, signal) {
    for (let wait = t - this.now(); wait > 0 && !signal.aborted; wait = t - this.now()) {
      try {
        await delay(Math.min(wait, MAX_SLEEP_MS), undefined, {signal});
      } catch {
        return;
      }
    }
  },
};

/** How far the wall clock has been moved since the process began, where it matters (fractions do not). */
function drift(): number {
  const off = Date.now() - (performance.timeOrigin + performance.now());
  return Math.abs(off) > 2 ? off : 0;
}
