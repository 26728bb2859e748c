import os from "node:os";
import type {BuildInfo} from "@strata/telemetry";
import type {Api} from "./envelope.ts";

export type StatusOptions = {
  /** Every flag of the command as text. */
  readonly flags: Readonly<Record<string, string>>;
  readonly build: BuildInfo;
};

/** Adds `/status/flags`, `/status/runtimeinfo` and `/status/buildinfo`. */
export function addStatusRoutes(api: Api, options: StatusOptions): void {
  const {flags, build} = options;
  api.add(["GET"], "/status/flags", "status_flags", () => ({data: flags}));
  api.add(["GET"], "/status/runtimeinfo", "status_runtime", () => ({data: runtimeInfo()}));
  api.add(["GET"], "/status/buildinfo", "status_build", () => ({
    data: {...build, goVersion: `node${process.version}`},
  }));
}

/** Compat: the keys are those of the Go originals, with the nearest thing Node has. */
function runtimeInfo(): Record<string, unknown> {
  return {
    startTime: new Date(performance.timeOrigin).toISOString(),
    CWD: process.cwd(),
    goroutineCount: process.getActiveResourcesInfo().length,
    GOMAXPROCS: os.availableParallelism(),
    GOGC: "",
    GODEBUG: "",
    GOMEMLIMIT: 2n ** 63n - 1n,
  };
}
