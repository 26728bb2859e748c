import type {ConfigFields} from "@strata/base";
import {parseGoDuration} from "@strata/model";
import type {BreakerOptions} from "./breaker.ts";

/** Reads `set_async_circuit_breaker_config`; undefined where it is not enabled. */
export function breakerOptions(f: ConfigFields): BreakerOptions | undefined {
  const enabled = f.flag("enabled");
  const options = {
    halfOpenRequests: f.whole("half_open_max_requests", 10),
    openMs: f.parsed("open_duration", parseGoDuration, 5000),
    minRequests: f.whole("min_requests", 50),
    consecutiveFailures: f.whole("consecutive_failures", 5),
    failureRatio: f.number("failure_percent", 0.05),
  };
  if (!enabled) return undefined;
  if (options.consecutiveFailures === 0) throw f.bad("consecutive_failures must be greater than 0");
  if (options.failureRatio <= 0 || options.failureRatio > 1) throw f.bad("failure_percent must be in (0, 1]");
  return options;
}
