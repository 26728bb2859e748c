import {readFileSync} from "node:fs";
import {rename, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import {errorText} from "@strata/base";
import type {Labels} from "@strata/model";
import type {Refused, RuleSamples, RuleStorage} from "@strata/rules";
import type {Logger, Registry} from "@strata/telemetry";
import {WAL_DIR, type WalCompression} from "@strata/tsdb";
import type {LogPosition} from "./log-tail.ts";
import type {RemoteConfig} from "./remote-config.ts";
import {type RemoteMetrics, remoteMetrics} from "./remote-metrics.ts";
import {RemoteWriter} from "./remote-writer.ts";
import {ResultLog} from "./result-log.ts";

export type RemoteStorageOptions = {
  readonly dataDir: string;
  readonly remotes: readonly RemoteConfig[];
  readonly externalLabels: Labels;
  readonly compression: WalCompression;
  readonly userAgent: string;
  readonly registry: Registry;
  readonly logger: Logger;
};

/** Notes how far each receiver has got. */
const POSITIONS_FILE = "remote-write-positions.json";
/** How often that is noted; after a crash so much is sent again. */
const NOTE_MS = 2000;

/** Results in a log of the ruler's own, from which they are sent to receivers. */
export class RemoteStorage implements RuleStorage {
  readonly #log: ResultLog;
  readonly #writers: readonly RemoteWriter[];
  readonly #positionsPath: string;
  readonly #metrics: RemoteMetrics;
  readonly #logger: Logger;
  #noted = "";
  #newest = 0;

  private constructor(
    log: ResultLog,
    writers: readonly RemoteWriter[],
    positionsPath: string,
    metrics: RemoteMetrics,
    logger: Logger,
  ) {
    this.#log = log;
    this.#metrics = metrics;
    this.#writers = writers;
    this.#positionsPath = positionsPath;
    this.#logger = logger;
  }

  static open(options: RemoteStorageOptions): RemoteStorage {
    const {dataDir, remotes, externalLabels, compression, userAgent, registry, logger} = options;
    const path = join(dataDir, POSITIONS_FILE);
    const positions = readPositions(path, logger);
    const log = ResultLog.open(join(dataDir, WAL_DIR), compression);
    const metrics = remoteMetrics(registry);
    const writers = remotes.map((config) => {
      // A receiver that is new gets what comes from now on.
      const position = positions.get(config.name) ?? {segment: log.segment, offset: 0};
      return new RemoteWriter({config, log, position, externalLabels, metrics, userAgent, logger});
    });
    return new RemoteStorage(log, writers, path, metrics, logger);
  }

  append(samples: RuleSamples): Promise<Refused> {
    const {t, labels, histograms} = samples;
    const {samplesIn, histogramsIn, highest} = this.#metrics;
    samplesIn.inc(labels.length - (histograms?.size ?? 0));
    histogramsIn.inc(histograms?.size ?? 0);
    this.#newest = Math.max(this.#newest, t);
    highest.set(this.#newest / 1000);
    return this.#log.append(samples);
  }

  /** Sends until `signal` aborts, and removes what everybody has. */
  async run(signal: AbortSignal): Promise<void> {
    const notes = async (): Promise<void> => {
      while (!signal.aborted) {
        await delay(NOTE_MS, undefined, {signal}).catch(() => undefined);
        await this.#note().catch((err: unknown) => {
          this.#logger.error("cannot note how far receivers have got", {err: errorText(err)});
        });
      }
    };
    await Promise.all([...this.#writers.map((writer) => writer.run(signal)), notes()]);
  }

  async #note(): Promise<void> {
    const positions = Object.fromEntries(this.#writers.map(({name, position}) => [name, position]));
    const text = JSON.stringify(positions);
    if (text === this.#noted) return;
    const tmp = `${this.#positionsPath}.tmp`;
    await writeFile(tmp, text);
    await rename(tmp, this.#positionsPath);
    this.#noted = text;
    await this.#log.truncate(Math.min(...this.#writers.map(({position}) => position.segment)));
  }

  /** Notes the positions and closes. Safe to call twice. */
  async close(): Promise<void> {
    await this.#note();
    for (const writer of this.#writers) writer.close();
    await this.#log.close();
  }
}

function readPositions(path: string, logger: Logger): Map<string, LogPosition> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return new Map();
  }
  try {
    const positions = Object.entries(JSON.parse(text) as Record<string, LogPosition>);
    return new Map(positions.filter(([, {segment, offset}]) => segment >= 0 && offset >= 0));
  } catch (err) {
    logger.error("cannot read how far receivers have got; everything in the log is sent again", {
      path,
      err: errorText(err),
    });
    return new Map();
  }
}
