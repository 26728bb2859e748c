import {setTimeout as sleep} from "node:timers/promises";
import {errorCode, type StrataError} from "@strata/base";
import type {DownstreamAnswer} from "./downstream.ts";

/** Pause before the second try at the most, and before any. Each pause is a random part of it. */
const FIRST_MS = 200;
const LAST_MS = 2000;

/**
 * Asks until there is an answer below 500 or `tries` are used up; 0 is one try without a second. What no retry mends is
 * thrown at once. `retried` is told how often it was asked again.
 */
export async function withRetries(
  tries: number,
  ask: () => Promise<DownstreamAnswer>,
  retried: (times: number) => void,
  signal: AbortSignal,
): Promise<DownstreamAnswer> {
  for (let attempt = 1; ; attempt++) {
    let answer: DownstreamAnswer | undefined;
    let failure: StrataError | undefined;
    try {
      answer = await ask();
    } catch (err) {
      if (signal.aborted || errorCode(err) !== "unavailable") throw err;
      failure = err as StrataError;
    }
    const isLast = attempt >= tries;
    if (answer !== undefined && (answer.status < 500 || isLast)) {
      retried(attempt - 1);
      return answer;
    }
    if (isLast) {
      retried(attempt - 1);
      throw failure;
    }
    await sleep(Math.random() * Math.min(LAST_MS, FIRST_MS * 2 ** (attempt - 1)), undefined, {signal});
  }
}
