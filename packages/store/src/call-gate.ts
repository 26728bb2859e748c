import {StrataError} from "@strata/base";
import type {StoreMetrics} from "./store-metrics.ts";

/** Lets so many calls run at once; the others wait their turn, first come first served. */
export class CallGate {
  readonly #max: number;
  readonly #metrics: StoreMetrics;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `max` 0 lets all through. */
  constructor(max: number, metrics: StoreMetrics) {
    this.#max = max;
    this.#metrics = metrics;
    metrics.gateMax.set(max);
  }

  /** Waits for a turn; `leave` must be called when it is over. Throws `canceled` when the caller left while waiting. */
  async enter(signal: AbortSignal): Promise<void> {
    this.#metrics.gateTotal.inc();
    const stop = this.#metrics.gateSeconds.startTimer();
    try {
      if (this.#max > 0 && this.#running >= this.#max) await this.#wait(signal);
      else this.#running++;
      this.#metrics.gateInFlight.inc();
    } finally {
      stop();
    }
  }

  leave(): void {
    this.#metrics.gateInFlight.dec();
    const next = this.#waiting.shift();
    // The place is handed on, so that nobody who comes later gets it first.
    if (next === undefined) this.#running--;
    else next();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener("abort", left);
        resolve();
      };
      const left = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(new StrataError("canceled", "cannot run call: the caller left while it waited for its turn"));
      };
      if (signal.aborted) return left();
      signal.addEventListener("abort", left, {once: true});
      this.#waiting.push(turn);
    });
  }
}
