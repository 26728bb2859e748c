import {setTimeout as delay} from "node:timers/promises";
import {errorText} from "@strata/base";
import {snappyEncode} from "@strata/bytes";
import {type HttpAnswer, HttpClient} from "@strata/http-client";
import {Labels, relabel} from "@strata/model";
import type {Logger} from "@strata/telemetry";
import type {LogBatch, LogPosition} from "./log-tail.ts";
import {LogTail} from "./log-tail.ts";
import type {RemoteConfig} from "./remote-config.ts";
import type {RemoteLabels, RemoteMetrics} from "./remote-metrics.ts";
import {OLDEST_PROTOCOL, PROTOCOLS, type RemoteProtocol, writtenIn} from "./remote-protocol.ts";
import type {ResultLog} from "./result-log.ts";
import {countsOf, type OutgoingSample, type SampleCounts} from "./write-request.ts";

export type RemoteWriterOptions = {
  readonly config: RemoteConfig;
  readonly log: ResultLog;
  readonly position: LogPosition;
  readonly externalLabels: Labels;
  readonly metrics: RemoteMetrics;
  readonly userAgent: string;
  readonly logger: Logger;
};

/** Samples read from the log at a time: bounds what is held while the receiver is slow. */
const MAX_READ_SAMPLES = 50_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** How long a request may go on when the writer is to stop. */
const FINISH_MS = 5000;

/**
 * Sends what is in the log to one receiver, in order within each series, until it takes it. What was sent may be sent
 * again after a restart; nothing is left out but what the receiver refuses for good.
 */
export class RemoteWriter {
  readonly #options: RemoteWriterOptions;
  readonly #tail: LogTail;
  readonly #client: HttpClient;
  readonly #relabelled = new WeakMap<Labels, Labels>();
  readonly #labels: RemoteLabels;
  /** Aborted some time after the writer was told to stop: what is on its way may arrive. */
  readonly #hard = new AbortController();
  #protocol: RemoteProtocol;
  #shards: number;
  #wake: () => void = () => undefined;

  constructor(options: RemoteWriterOptions) {
    const {config, log, position, metrics, logger, userAgent} = options;
    this.#options = options;
    this.#tail = new LogTail(log.dir, position, logger);
    this.#client = new HttpClient(config.url, config.http, userAgent);
    this.#protocol = PROTOCOLS[config.message];
    this.#shards = config.queue.minShards;
    const {origin, pathname} = config.url;
    this.#labels = {remote_name: config.name, url: origin + pathname};
    this.#tellShards();
    // From the start, so that the first failure is seen as one.
    for (const count of [metrics.sent, metrics.failed, metrics.retried])
      count(this.#labels, {samples: 0, histograms: 0});
  }

  get name(): string {
    return this.#options.config.name;
  }

  /** Everything before it has been dealt with. */
  get position(): LogPosition {
    return this.#tail.position;
  }

  /** Sends until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const {queue} = this.#options.config;
    const off = this.#options.log.onWrite(() => this.#wake());
    const stop = (): void => {
      this.#wake();
      setTimeout(() => this.#hard.abort(), FINISH_MS).unref();
    };
    signal.addEventListener("abort", stop, {once: true});
    try {
      while (!signal.aborted) {
        const written = this.#nextWrite();
        const capacity = Math.min(MAX_READ_SAMPLES, this.#shards * queue.maxSamplesPerSend);
        let batch = this.#tail.read(capacity);
        if (batch === undefined) {
          await written;
          continue;
        }
        if (countOf(batch) < queue.maxSamplesPerSend) {
          // More may come within the deadline; several rules write one after the other.
          await delay(queue.deadlineMs, undefined, {signal}).catch(() => undefined);
          batch = this.#tail.read(capacity) ?? batch;
        }
        if (!(await this.#send(batch, signal))) return;
        this.#tail.moveTo(batch.end);
        this.#adjust(countOf(batch) >= capacity);
      }
    } finally {
      off();
      signal.removeEventListener("abort", stop);
    }
  }

  close(): void {
    this.#client.close();
  }

  #nextWrite(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Twice the shards while there is more than one round to send, half of them when there is not. */
  #adjust(behind: boolean): void {
    const {minShards, maxShards} = this.#options.config.queue;
    const wanted = behind ? this.#shards * 2 : Math.ceil(this.#shards / 2);
    this.#options.metrics.shardsDesired.with(this.#labels).set(Math.max(minShards, wanted));
    this.#shards = Math.min(maxShards, Math.max(minShards, wanted));
    this.#tellShards();
  }

  #tellShards(): void {
    const {metrics, config} = this.#options;
    metrics.shards.with(this.#labels).set(this.#shards);
    metrics.shardsMin.with(this.#labels).set(config.queue.minShards);
    metrics.shardsMax.with(this.#labels).set(config.queue.maxShards);
    metrics.samplesPerSend.with(this.#labels).set(config.queue.maxSamplesPerSend);
  }

  /** False when it was broken off. Each series has its shard, which sends its samples in order. */
  async #send(batch: LogBatch, signal: AbortSignal): Promise<boolean> {
    const {metrics} = this.#options;
    const shards = this.#shardsOf(batch);
    const total = shards.reduce((sum, shard) => sum + shard.length, 0);
    metrics.pending.with(this.#labels).set(total);
    const newest = shards.reduce((t, shard) => Math.max(t, shard.at(-1)?.t ?? 0), 0);
    if (newest > 0) metrics.readTime.with(this.#labels).set(newest / 1000);
    const done = await Promise.all(shards.map((shard) => this.#sendShard(shard, signal)));
    metrics.pending.with(this.#labels).set(0);
    return !done.includes(false);
  }

  #shardsOf(batch: LogBatch): OutgoingSample[][] {
    const shards: OutgoingSample[][] = Array.from({length: this.#shards}, () => []);
    const {sampleAgeLimitMs} = this.#options.config.queue;
    const oldest = sampleAgeLimitMs > 0 ? Date.now() - sampleAgeLimitMs : Number.NEGATIVE_INFINITY;
    const {dropped} = this.#options.metrics;
    const add = (ref: number, sample: Omit<OutgoingSample, "labels">): void => {
      const own = batch.labels.get(ref);
      const labels = own === undefined ? undefined : this.#outgoingLabels(own);
      if (labels === undefined || labels.size === 0) dropped.with({...this.#labels, reason: "dropped_series"}).inc();
      else if (sample.t < oldest) dropped.with({...this.#labels, reason: "too_old"}).inc();
      else (shards[ref % shards.length] as OutgoingSample[]).push({labels, ...sample});
    };
    const {ref, t, words, n} = batch.floats;
    for (let i = 0; i < n; i++) {
      const [low, high] = [words[2 * i] as number, words[2 * i + 1] as number];
      add(ref[i] as number, {t: t[i] as number, low, high, histogram: undefined});
    }
    if (this.#options.config.histograms) {
      for (const h of batch.histograms) add(h.ref, {t: h.t, low: 0, high: 0, histogram: h.h});
    }
    // Floats and histograms of one series stand in records of their own.
    for (const shard of shards) shard.sort((a, b) => a.t - b.t);
    return shards.filter((shard) => shard.length > 0);
  }

  /** With external labels, where the series has none of its own, and relabelled; empty where it is not to be sent. */
  #outgoingLabels(own: Labels): Labels {
    let labels = this.#relabelled.get(own);
    if (labels === undefined) {
      const {externalLabels, config} = this.#options;
      labels = relabel(externalLabels.extend(own), config.relabel) ?? Labels.EMPTY;
      this.#relabelled.set(own, labels);
    }
    return labels;
  }

  async #sendShard(samples: readonly OutgoingSample[], signal: AbortSignal): Promise<boolean> {
    const {maxSamplesPerSend} = this.#options.config.queue;
    const {metrics, logger} = this.#options;
    for (let from = 0; from < samples.length; from += maxSamplesPerSend) {
      const part = samples.slice(from, from + maxSamplesPerSend);
      const counts = countsOf(part);
      const written = await this.#deliver(part, counts, signal);
      if (written === undefined) return false;
      const lost = {samples: counts.samples - written.samples, histograms: counts.histograms - written.histograms};
      metrics.sent(this.#labels, written);
      metrics.failed(this.#labels, lost);
      if (sumOf(written) > 0) metrics.sentTime.with(this.#labels).set((part.at(-1) as OutgoingSample).t / 1000);
      if (sumOf(lost) === 0) continue;
      logger.error("the receiver refused samples for good", {remote: this.name, samples: sumOf(lost)});
    }
    return true;
  }

  /** Tries until the receiver takes it, or refuses it for good. Gives how much of it it has; undefined when broken off. */
  async #deliver(
    part: readonly OutgoingSample[],
    counts: SampleCounts,
    signal: AbortSignal,
  ): Promise<SampleCounts | undefined> {
    const {metrics} = this.#options;
    const {minBackoffMs, maxBackoffMs} = this.#options.config.queue;
    let backoff = minBackoffMs;
    let protocol = this.#protocol;
    let body = snappyEncode(protocol.encode(part));
    for (let attempt = 0; !signal.aborted; attempt++) {
      const answer = await this.#post(body, protocol, attempt, part.length);
      if (signal.aborted && answer === undefined) return undefined;
      if (answer !== undefined && protocol.confirms && knowsOnlyOldest(answer)) {
        this.#useOldest(answer.status);
        protocol = this.#protocol;
        body = snappyEncode(protocol.encode(part));
        continue;
      }
      const written = answer && this.#writtenOf(answer, counts);
      if (written !== undefined) return written;
      metrics.retried(this.#labels, counts);
      await delay(retryAfter(answer?.headers["retry-after"]) ?? backoff, undefined, {signal}).catch(() => undefined);
      backoff = Math.min(maxBackoffMs, backoff * 2);
    }
    return undefined;
  }

  /** Undefined when there was no answer. */
  async #post(
    body: Uint8Array,
    protocol: RemoteProtocol,
    attempt: number,
    samples: number,
  ): Promise<HttpAnswer | undefined> {
    const {config, metrics, logger} = this.#options;
    const started = performance.now();
    const limit = AbortSignal.any([this.#hard.signal, AbortSignal.timeout(config.timeoutMs)]);
    const again = attempt === 0 ? {} : {"retry-attempt": String(attempt)};
    const headers = {...config.headers, ...protocol.headers, ...again};
    try {
      const answer = await this.#client.answer({method: "POST", path: "", headers, body}, MAX_ANSWER_BYTES, limit);
      metrics.seconds.with(this.#labels).observe((performance.now() - started) / 1000);
      if (isSuccess(answer)) metrics.bytes.with(this.#labels).inc(body.length);
      return answer;
    } catch (err) {
      if (!this.#hard.signal.aborted) {
        logger.warn("cannot send samples", {remote: this.name, samples, err: errorText(err), again: true});
      }
      return undefined;
    }
  }

  /** How much of `counts` the receiver has now, for good; undefined when it is to be asked again. */
  #writtenOf(answer: HttpAnswer, counts: SampleCounts): SampleCounts | undefined {
    const {config, logger} = this.#options;
    const {status} = answer;
    const confirmed = writtenIn(answer.headers);
    const most = confirmed && {
      samples: Math.min(confirmed.samples, counts.samples),
      histograms: Math.min(confirmed.histograms, counts.histograms),
    };
    if (isSuccess(answer)) return most ?? counts;
    // A redirection is a mistake of configuration that somebody will see to.
    const again = status >= 500 || (status >= 300 && status < 400) || (status === 429 && config.queue.retryOn429);
    const err = `status ${status}: ${answer.body.toString("utf8").slice(0, 500)}`;
    logger.warn("cannot send samples", {remote: this.name, samples: sumOf(counts), err, again});
    return again ? undefined : (most ?? {samples: 0, histograms: 0});
  }

  /** Nothing is lost to a receiver that is older than its configuration says. */
  #useOldest(status: number): void {
    if (this.#protocol === OLDEST_PROTOCOL) return;
    this.#protocol = OLDEST_PROTOCOL;
    this.#options.logger.warn("the receiver does not know remote write 2.0, going on with 1.0", {
      remote: this.name,
      status,
    });
  }
}

const sumOf = ({samples, histograms}: SampleCounts): number => samples + histograms;

const isSuccess = ({status}: HttpAnswer): boolean => status >= 200 && status < 300;

/** A receiver of 1.0 refuses the type of the message, or takes it for an empty one and confirms nothing. */
const knowsOnlyOldest = (answer: HttpAnswer): boolean =>
  answer.status === 415 || (isSuccess(answer) && writtenIn(answer.headers) === undefined);

const countOf = ({floats, histograms}: LogBatch): number => floats.n + histograms.length;

/** Seconds, or a date. */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}
