import {type ChildProcess, spawn} from "node:child_process";
import {once} from "node:events";
import {accessSync, constants} from "node:fs";
import {mkdir, writeFile} from "node:fs/promises";
import {createServer} from "node:net";
import {delimiter, join} from "node:path";
import {setTimeout as sleep} from "node:timers/promises";
import type {Logger} from "@strata/telemetry";

/** How long Prometheus may take to write its head before it is killed. */
const STOP_GRACE_MS = 15_000;
const RESTART_MS = 2000;
/** Prometheus' own last words, shown when it ends by itself. */
const KEPT_LOG_BYTES = 2000;

/** The `prometheus` on PATH, or undefined. */
export function findPrometheus(path: string = process.env.PATH ?? ""): string | undefined {
  for (const dir of path.split(delimiter)) {
    const file = join(dir, "prometheus");
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here: the next directory.
    }
  }
  return undefined;
}

export type LocalPrometheusOptions = {
  readonly program: string;
  /** Holds its configuration and, below `data`, its database. */
  readonly dir: string;
  /** `host:port` of this process's own metrics. */
  readonly target: string;
  readonly logger: Logger;
};

/** A Prometheus that belongs to this process: scrapes it, keeps its data below the data directory, ends with it. */
export class LocalPrometheus {
  readonly url: URL;
  readonly dataDir: string;
  readonly #options: LocalPrometheusOptions;
  readonly #args: readonly string[];

  private constructor(options: LocalPrometheusOptions, port: number) {
    this.#options = options;
    this.url = new URL(`http://127.0.0.1:${port}`);
    this.dataDir = join(options.dir, "data");
    this.#args = [
      `--config.file=${join(options.dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${this.dataDir}`,
      "--storage.tsdb.min-block-duration=2h",
      "--storage.tsdb.max-block-duration=2h",
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ];
  }

  /** Writes its configuration and chooses a port; `run` starts it. */
  static async prepare(options: LocalPrometheusOptions): Promise<LocalPrometheus> {
    const prometheus = new LocalPrometheus(options, await freePort());
    await mkdir(prometheus.dataDir, {recursive: true});
    await writeFile(join(options.dir, "prometheus.yml"), configuration(options.target, prometheus.url.host));
    return prometheus;
  }

  /** Keeps it running until `signal` aborts, then stops it. */
  async run(signal: AbortSignal): Promise<void> {
    const {program, logger} = this.#options;
    while (!signal.aborted) {
      const child = spawn(program, this.#args, {stdio: ["ignore", "ignore", "pipe"]});
      const log = keepTail(child);
      const ended = once(child, "exit");
      const stop = (): void => void child.kill("SIGTERM");
      signal.addEventListener("abort", stop, {once: true});
      try {
        logger.info("started prometheus", {program, url: this.url.href});
        await Promise.race([ended, aborted(signal)]);
        if (signal.aborted) await this.#stopped(child, ended);
        else logger.warn("prometheus ended, starting it again", {log: log()});
      } catch (err) {
        logger.warn("cannot run prometheus", {program, err});
      } finally {
        signal.removeEventListener("abort", stop);
      }
      await sleep(RESTART_MS, undefined, {signal}).catch(() => {});
    }
  }

  async #stopped(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await ended;
    clearTimeout(timer);
  }
}

const configuration = (target: string, own: string): string => `# Written at every start; changes are lost.
global:
  scrape_interval: 5s
  external_labels:
    cluster: local
    replica: "0"
scrape_configs:
  - job_name: strata
    static_configs:
      - targets: ["${target}"]
  - job_name: prometheus
    static_configs:
      - targets: ["${own}"]
`;

function keepTail(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.on("data", (part: Buffer) => {
    tail = (tail + part.toString("utf8")).slice(-KEPT_LOG_BYTES);
  });
  return () => tail.trim();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), {once: true});
  });
}

/** A port that was free a moment ago: Prometheus cannot tell which one the system gave it. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
