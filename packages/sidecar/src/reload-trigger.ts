import {readdir, readFile} from "node:fs/promises";
import {setTimeout as sleep} from "node:timers/promises";
import {StrataError} from "@strata/base";
import type {HttpClient} from "@strata/http-client";

/** Makes Prometheus read its configuration again; resolves once it has, as far as that can be seen. */
export type ReloadTrigger = {
  readonly method: "http" | "signal";
  reload(signal: AbortSignal): Promise<void>;
};

/** An answer of `/-/reload` or `status/runtimeinfo` is a few lines. */
const MAX_ANSWER_BYTES = 1 << 20;
/** Pause between looks at whether a signalled Prometheus has reloaded. */
const LOOK_MS = 200;
/** After so many looks a reload that followed a failed one is taken to have failed, too. */
const MAX_LOOKS = 50;

/** `POST /-/reload`, which answers when the new configuration is in force. */
export function httpReload(client: HttpClient): ReloadTrigger {
  return {
    method: "http",
    async reload(signal) {
      try {
        await client.body({method: "POST", path: "/-/reload"}, MAX_ANSWER_BYTES, signal);
      } catch (err) {
        const status = err instanceof StrataError ? err.fields.status : undefined;
        if (status !== 403) throw err;
        throw new StrataError(
          "unavailable",
          "cannot reload Prometheus: it refuses; start it with --web.enable-lifecycle, or use --reloader.method=signal",
          {cause: err},
        );
      }
    },
  };
}

/** SIGHUP to the process called `name`, then waits until Prometheus says that it reloaded, and how that went. */
export function signalReload(name: string, client: HttpClient, procDir = "/proc"): ReloadTrigger {
  return {
    method: "signal",
    async reload(signal) {
      const before = await runtimeInfo(client, signal);
      // Prometheus tells the time of its last load in whole seconds: this one has to come in a later one.
      if (Date.now() - Date.parse(before.lastConfigTime) < 1000) await sleep(1000, undefined, {signal});
      process.kill(await findProcess(name, procDir), "SIGHUP");
      for (let looks = 1; ; looks++) {
        const now = await runtimeInfo(client, signal);
        // The time moves only with a success; after a failure before this one there is nothing that tells them apart.
        if (now.lastConfigTime !== before.lastConfigTime) return;
        if (!now.reloadConfigSuccess && (before.reloadConfigSuccess || looks >= MAX_LOOKS)) {
          throw new StrataError(
            "unavailable",
            "cannot reload Prometheus: it refuses the new configuration; see its log",
          );
        }
        await sleep(LOOK_MS, undefined, {signal});
      }
    },
  };
}

type RuntimeInfo = {readonly lastConfigTime: string; readonly reloadConfigSuccess: boolean};

async function runtimeInfo(client: HttpClient, signal: AbortSignal): Promise<RuntimeInfo> {
  const body = await client.body({method: "GET", path: "/api/v1/status/runtimeinfo"}, MAX_ANSWER_BYTES, signal);
  const {data} = JSON.parse(body.toString("utf8")) as {data: RuntimeInfo};
  return data;
}

/** The lowest pid of a process whose executable's name is `name` (the kernel keeps its first 15 characters). */
async function findProcess(name: string, procDir: string): Promise<number> {
  const pids = (await readdir(procDir)).filter((entry) => /^[0-9]+$/.test(entry)).map(Number);
  for (const pid of pids.sort((a, b) => a - b)) {
    // A process may end between the listing and the look.
    const comm = await readFile(`${procDir}/${pid}/comm`, "utf8").catch(() => "");
    if (comm.trimEnd() === name.slice(0, 15)) return pid;
  }
  throw new StrataError("unavailable", `cannot reload Prometheus: there is no process ${JSON.stringify(name)}`);
}
