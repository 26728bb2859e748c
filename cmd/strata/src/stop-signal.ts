import {StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";

/** A terminal, npm and the re-running parent may each pass on one Ctrl-C; within this time they are one. */
const SAME_SIGNAL_MS = 250;

export type StopSignal = {
  /** Aborted by the first SIGINT or SIGTERM; the reason's text names the signal. */
  readonly signal: AbortSignal;
  /** What SIGHUP calls; errors are logged. */
  onReload(reload: () => Promise<void> | void): void;
  close(): void;
};

/**
 * Listens to the signals of the process until `close`. A second SIGINT or SIGTERM ends the process at once, with the
 * exit code a shell expects of a signal.
 */
export function listenToSignals(log: Logger, exit: (code: number) => void = process.exit): StopSignal {
  const stop = new AbortController();
  const reloads: (() => Promise<void> | void)[] = [];
  let stoppedAt = Number.NEGATIVE_INFINITY;
  const onStop = (name: NodeJS.Signals): void => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      log.info("caught signal, stopping", {signal: name});
      stop.abort(new StrataError("canceled", `received signal ${name}`));
      return;
    }
    if (performance.now() - stoppedAt < SAME_SIGNAL_MS) return;
    log.warn("caught another signal, ending at once", {signal: name});
    exit(name === "SIGINT" ? 130 : 143);
  };
  const onHangup = (): void => {
    log.info("caught signal, reloading", {signal: "SIGHUP"});
    for (const reload of reloads) {
      Promise.resolve()
        .then(reload)
        .catch((err: unknown) => log.error("cannot reload", {err}));
    }
  };
  process.on("SIGINT", onStop);
  process.on("SIGTERM", onStop);
  process.on("SIGHUP", onHangup);
  return {
    signal: stop.signal,
    onReload: (reload) => void reloads.push(reload),
    close() {
      process.off("SIGINT", onStop);
      process.off("SIGTERM", onStop);
      process.off("SIGHUP", onHangup);
    },
  };
}
