import {Gate, StrataError} from "@strata/base";
import type {StoreMetrics} from "./store-metrics.ts";

/** The gate of Series calls, with its metrics. */
export class CallGate {
  readonly #gate: Gate;
  readonly #metrics: StoreMetrics;

  /** `max` 0 lets all through. */
  constructor(max: number, metrics: StoreMetrics) {
    this.#gate = new Gate(max);
    this.#metrics = metrics;
    metrics.gateMax.set(max);
  }

  /** Waits for a turn; `leave` must be called when it is over. Throws `canceled` when the caller left while waiting. */
  async enter(signal: AbortSignal): Promise<void> {
    this.#metrics.gateTotal.inc();
    const stop = this.#metrics.gateSeconds.startTimer();
    try {
      await this.#gate.enter(signal);
      this.#metrics.gateInFlight.inc();
    } catch (err) {
      throw new StrataError("canceled", "cannot run call: the caller left while it waited for its turn", {cause: err});
    } finally {
      stop();
    }
  }

  leave(): void {
    this.#metrics.gateInFlight.dec();
    this.#gate.leave();
  }
}
