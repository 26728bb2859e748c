import {type FSWatcher, watch} from "node:fs";
import {basename, dirname} from "node:path";
import {setTimeout as sleep} from "node:timers/promises";
import {errorText} from "@strata/base";
import type {Logger} from "@strata/telemetry";

export type FollowOptions = {
  readonly path: string;
  /** It is looked at this often without being told, ms. */
  readonly refreshMs: number;
  /** A change comes as several events; it is taken when none came for so long, ms. */
  readonly settleMs: number;
  /** Must not throw. */
  readonly look: () => Promise<void>;
  readonly logger: Logger;
};

/** Calls `look` when the file may have changed, until `signal` aborts. */
export async function followFile(options: FollowOptions, signal: AbortSignal): Promise<void> {
  let wake: () => void = () => {};
  const watcher = watchFolder(options, () => wake());
  try {
    while (!signal.aborted) {
      const timer = new AbortController();
      wake = () => timer.abort();
      await sleep(options.refreshMs, undefined, {signal: AbortSignal.any([signal, timer.signal])}).catch(() => {});
      wake = () => {};
      if (timer.signal.aborted) await sleep(options.settleMs, undefined, {signal}).catch(() => {});
      if (!signal.aborted) await options.look();
    }
  } finally {
    watcher?.close();
  }
}

/** The folder, not the file: files are replaced, and a mounted configuration is a link that changes. */
function watchFolder({path, logger}: FollowOptions, wake: () => void): FSWatcher | undefined {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), {persistent: false}, (_event, file) => {
      if (file === name || file === null || file.startsWith("..")) wake();
    });
    return watcher.on("error", (err) => logger.warn("watching stopped", {path, err: errorText(err)}));
  } catch (err) {
    logger.warn("cannot watch, looking now and then", {path, err: errorText(err)});
    return undefined;
  }
}
