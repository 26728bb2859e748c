import {createHash, type Hash} from "node:crypto";
import {createReadStream, type FSWatcher, watch} from "node:fs";
import {readdir, readFile, realpath, rename, rm, stat, writeFile} from "node:fs/promises";
import {dirname, join} from "node:path";
import {setTimeout as sleep} from "node:timers/promises";
import {promisify} from "node:util";
import {gunzip} from "node:zlib";
import {errorText, StrataError, withContext} from "@strata/base";
import type {Logger, Registry} from "@strata/telemetry";
import type {ReloadTrigger} from "./reload-trigger.ts";

export type ReloaderOptions = {
  /** `--reloader.config-file`; "" watches rules only. */
  readonly configFile: string;
  /** `--reloader.config-envsubst-file`: where the configuration goes with `$(NAME)` put in; "" nowhere. */
  readonly outputFile: string;
  /** `--reloader.rule-dir`: directories watched for changes; files below them count, too, at each round. */
  readonly ruleDirs: readonly string[];
  /** `--reloader.watch-interval`; 0 writes the output once and watches nothing. */
  readonly watchIntervalMs: number;
  /** `--reloader.retry-interval`: pause after a reload that failed. */
  readonly retryIntervalMs: number;
  readonly trigger: ReloadTrigger;
  /** Puts the environment into a configuration; throws `bad_data` for a variable that is not set. */
  readonly expand: (text: string) => string;
};

/** Editors and configuration managers write several files in a row: they become one reload. */
const SETTLE_MS = 1000;
/** A configuration unpacked from gzip is a text that Prometheus holds whole, too. */
const MAX_CONFIG_BYTES = 64 << 20;

const unzip = promisify(gunzip);

/**
 * Watches a Prometheus' configuration and rules, writes the configuration with the environment put in, and makes
 * Prometheus reload when anything changed. A change that is not reported is found at the next round.
 */
export class ConfigReloader {
  readonly #o: ReloaderOptions;
  readonly #logger: Logger;
  readonly #metrics: ReloaderMetrics;
  #watchers: FSWatcher[] = [];
  /** What Prometheus has read last; undefined before the first reload and after one that failed. */
  #loaded: string | undefined;

  constructor(options: ReloaderOptions, logger: Logger, registry: Registry) {
    this.#o = options;
    this.#logger = logger;
    this.#metrics = reloaderMetrics(registry);
    this.#metrics.info.with({method: options.trigger.method}).set(1);
  }

  /** Runs until `signal` aborts. Throws when the configuration cannot be prepared at the start; later it tries again. */
  async run(signal: AbortSignal): Promise<void> {
    const {configFile, ruleDirs, watchIntervalMs} = this.#o;
    if (configFile === "" && ruleDirs.length === 0) return;
    if (watchIntervalMs === 0) {
      await this.#prepare();
      return;
    }
    const wake = new Bell();
    try {
      this.#watch(wake);
      if (configFile !== "") await this.#round(signal);
      this.#logger.info("watching configuration and rules", {config: configFile, out: this.#o.outputFile, ruleDirs});
      while (!signal.aborted) {
        if (await wake.wait(watchIntervalMs, signal)) await sleep(SETTLE_MS, undefined, {signal});
        wake.reset();
        this.#metrics.applies.inc();
        try {
          await this.#round(signal);
        } catch (err) {
          if (signal.aborted) return;
          this.#metrics.applyFailures.inc();
          this.#logger.error("cannot apply the configuration", {err: errorText(err)});
        }
      }
    } catch (err) {
      if (!signal.aborted) throw err;
    } finally {
      for (const watcher of this.#watchers) watcher.close();
      this.#watchers = [];
      this.#metrics.watches.set(0);
    }
  }

  /** The directories are watched, not the files: a file that is replaced by rename would be lost from sight. */
  #watch(wake: Bell): void {
    const dirs = new Set([...(this.#o.configFile === "" ? [] : [dirname(this.#o.configFile)]), ...this.#o.ruleDirs]);
    for (const dir of dirs) {
      try {
        const watcher = watch(dir, () => {
          this.#metrics.events.inc();
          wake.ring();
        });
        watcher.on("error", (err) => {
          this.#metrics.watchErrors.inc();
          this.#logger.error("cannot watch directory any more", {dir, err: errorText(err)});
        });
        this.#watchers.push(watcher);
      } catch (err) {
        throw new StrataError("bad_data", `cannot watch directory ${dir}: ${errorText(err)}`, {cause: err});
      }
    }
    this.#metrics.watches.set(dirs.size);
  }

  /** Prepares the configuration and, when it or the rules changed, reloads until that succeeds or the round is over. */
  async #round(signal: AbortSignal): Promise<void> {
    const found = await this.#prepare();
    if (found === this.#loaded) return;
    const round = AbortSignal.any([signal, AbortSignal.timeout(this.#o.watchIntervalMs)]);
    while (!round.aborted) {
      this.#metrics.reloads.inc();
      try {
        await this.#o.trigger.reload(round);
        this.#loaded = found;
        this.#metrics.lastSuccessful.set(1);
        this.#metrics.lastSuccess.set(Date.now() / 1000);
        this.#logger.info("prometheus reloaded", {config: this.#o.configFile, ruleDirs: this.#o.ruleDirs});
        return;
      } catch (err) {
        if (signal.aborted) return;
        // The next round has to try again even if the files are as they were before.
        this.#loaded = undefined;
        this.#metrics.reloadFailures.inc();
        this.#metrics.lastSuccessful.set(0);
        this.#logger.error("cannot reload prometheus, trying again", {err: errorText(err)});
      }
      await sleep(this.#o.retryIntervalMs, undefined, {signal: round}).catch(() => {});
    }
  }

  /** Writes the output file; gives a digest of all that Prometheus would read. */
  async #prepare(): Promise<string> {
    const hash = createHash("sha256");
    const {configFile, outputFile, ruleDirs} = this.#o;
    if (configFile !== "") {
      await hashFile(hash, configFile);
      if (outputFile !== "") await this.#expandInto(outputFile);
    }
    for (const dir of ruleDirs) await hashFolder(hash, await realDir(dir));
    return hash.digest("hex");
  }

  async #expandInto(outputFile: string): Promise<void> {
    const text = (await readConfig(this.#o.configFile)).toString("utf8");
    let expanded: string;
    try {
      expanded = this.#o.expand(text);
      this.#metrics.expansionErrors.set(0);
    } catch (err) {
      this.#metrics.expansionErrors.set(1);
      throw err;
    }
    const temporary = `${outputFile}.tmp`;
    try {
      await writeFile(temporary, expanded);
      await rename(temporary, outputFile);
    } catch (err) {
      await rm(temporary, {force: true});
      throw withContext(err, `cannot write ${outputFile}`);
    }
  }
}

async function readConfig(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await unzip(bytes, {maxOutputLength: MAX_CONFIG_BYTES});
  } catch (err) {
    throw new StrataError("bad_data", `cannot unpack ${path}: ${errorText(err)}`, {cause: err});
  }
}

async function realDir(dir: string): Promise<string> {
  try {
    return await realpath(dir);
  } catch (err) {
    throw new StrataError("bad_data", `cannot read rules in ${dir}: ${errorText(err)}`, {cause: err});
  }
}

/** All files below `dir`, through links, in the order of their names. */
async function hashFolder(hash: Hash, dir: string): Promise<void> {
  for (const entry of (await readdir(dir, {withFileTypes: true})).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await hashFolder(hash, path);
    else if ((await stat(path)).isFile()) await hashFile(hash, path);
  }
}

async function hashFile(hash: Hash, path: string): Promise<void> {
  hash.update(`\0${path}\0`);
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch (err) {
    throw withContext(err, `cannot read ${path}`);
  }
}

/** Rung from outside, waited for inside; rings while nobody waits are kept. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  reset(): void {
    this.#rung = false;
  }

  /** true once rung, false after `ms`; throws when `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.#rung) return true;
    const done = new AbortController();
    this.#wake = () => done.abort();
    try {
      await sleep(ms, undefined, {signal: AbortSignal.any([signal, done.signal])});
      return false;
    } catch (err) {
      if (signal.aborted) throw err;
      return true;
    } finally {
      this.#wake = undefined;
    }
  }
}

const reloaderMetrics = (r: Registry) => ({
  reloads: r.counter({name: "thanos_sidecar_reloader_reloads_total", help: "Reloads of Prometheus asked for."}),
  reloadFailures: r.counter({name: "thanos_sidecar_reloader_reloads_failed_total", help: "Reloads that failed."}),
  lastSuccessful: r.gauge({
    name: "thanos_sidecar_reloader_last_reload_successful",
    help: "1 when the last reload succeeded, else 0.",
  }),
  lastSuccess: r.gauge({
    name: "thanos_sidecar_reloader_last_reload_success_timestamp_seconds",
    help: "When a reload succeeded last, in seconds of Unix time.",
  }),
  applies: r.counter({
    name: "thanos_sidecar_reloader_config_apply_operations_total",
    help: "Rounds over configuration and rules.",
  }),
  applyFailures: r.counter({
    name: "thanos_sidecar_reloader_config_apply_operations_failed_total",
    help: "Rounds that failed before a reload was asked for.",
  }),
  expansionErrors: r.gauge({
    name: "thanos_sidecar_reloader_config_environment_variable_expansion_errors",
    help: "1 while the configuration uses an environment variable that is not set.",
  }),
  info: r.gauge({
    name: "thanos_sidecar_reloader_info",
    help: "How Prometheus is told to reload; always 1.",
    labels: ["method"],
  }),
  watches: r.gauge({name: "thanos_sidecar_reloader_watches", help: "Directories watched."}),
  events: r.counter({name: "thanos_sidecar_reloader_watch_events_total", help: "Changes reported by the file system."}),
  watchErrors: r.counter({name: "thanos_sidecar_reloader_watch_errors_total", help: "Watches that broke."}),
});

type ReloaderMetrics = ReturnType<typeof reloaderMetrics>;
