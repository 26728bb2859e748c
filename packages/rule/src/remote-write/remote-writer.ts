import {setTimeout as delay} from "node:timers/promises";
import {errorText} from "@strata/base";
import {snappyEncode} from "@strata/bytes";
import {HttpClient} from "@strata/http-client";
import {Labels, relabel} from "@strata/model";
import type {Logger} from "@strata/telemetry";
import type {LogBatch, LogPosition} from "./log-tail.ts";
import {LogTail} from "./log-tail.ts";
import type {RemoteConfig} from "./remote-config.ts";
import type {RemoteMetrics} from "./remote-metrics.ts";
import type {ResultLog} from "./result-log.ts";
import {type OutgoingSample, writeRequest} from "./write-request.ts";

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

/** What became of a request. */
type Outcome = "sent" | "refused" | "aborted";

/**
 * Sends what is in the log to one receiver, in order within each series, until it takes it. What was sent may be sent
 * again after a restart; nothing is left out but what the receiver refuses for good.
 */
export class RemoteWriter {
  readonly #options: RemoteWriterOptions;
  readonly #tail: LogTail;
  readonly #client: HttpClient;
  readonly #relabelled = new WeakMap<Labels, Labels>();
  readonly #labels: {readonly remote_name: string; readonly url: string};
  /** Aborted some time after the writer was told to stop: what is on its way may arrive. */
  readonly #hard = new AbortController();
  #shards: number;
  #wake: () => void = () => undefined;

  constructor(options: RemoteWriterOptions) {
    const {config, log, position, logger, userAgent} = options;
    this.#options = options;
    this.#tail = new LogTail(log.dir, position, logger);
    this.#client = new HttpClient(config.url, config.http, userAgent);
    this.#shards = config.queue.minShards;
    const {origin, pathname} = config.url;
    this.#labels = {remote_name: config.name, url: origin + pathname};
    this.#tellShards();
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
    this.#shards = Math.min(maxShards, Math.max(minShards, wanted));
    this.#tellShards();
  }

  #tellShards(): void {
    const {metrics, config} = this.#options;
    metrics.shards.with(this.#labels).set(this.#shards);
    metrics.shardsMin.with(this.#labels).set(config.queue.minShards);
    metrics.shardsMax.with(this.#labels).set(config.queue.maxShards);
  }

  /** False when it was broken off. Each series has its shard, which sends its samples in order. */
  async #send(batch: LogBatch, signal: AbortSignal): Promise<boolean> {
    const {metrics} = this.#options;
    const shards = this.#shardsOf(batch);
    const total = shards.reduce((sum, shard) => sum + shard.length, 0);
    metrics.pending.with(this.#labels).set(total);
    const done = await Promise.all(shards.map((shard) => this.#sendShard(shard, signal)));
    metrics.pending.with(this.#labels).set(0);
    return !done.includes(false);
  }

  #shardsOf(batch: LogBatch): OutgoingSample[][] {
    const shards: OutgoingSample[][] = Array.from({length: this.#shards}, () => []);
    const {sampleAgeLimitMs} = this.#options.config.queue;
    const oldest = sampleAgeLimitMs > 0 ? Date.now() - sampleAgeLimitMs : Number.NEGATIVE_INFINITY;
    const add = (ref: number, sample: Omit<OutgoingSample, "labels">): void => {
      const own = batch.labels.get(ref);
      const labels = own === undefined ? undefined : this.#outgoingLabels(own);
      if (labels === undefined || labels.size === 0 || sample.t < oldest) return;
      (shards[ref % shards.length] as OutgoingSample[]).push({labels, ...sample});
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
      const outcome = await this.#deliver(snappyEncode(writeRequest(part)), part.length, signal);
      if (outcome === "aborted") return false;
      const counter = outcome === "sent" ? metrics.samples : metrics.failed;
      counter.with(this.#labels).inc(part.length);
      if (outcome === "sent") metrics.sentTime.with(this.#labels).set((part.at(-1) as OutgoingSample).t / 1000);
      else logger.error("the receiver refused samples for good", {remote: this.name, samples: part.length});
    }
    return true;
  }

  /** Tries until the receiver takes it, or refuses it for good. */
  async #deliver(body: Uint8Array, count: number, signal: AbortSignal): Promise<Outcome> {
    const {config, metrics, logger} = this.#options;
    const {queue} = config;
    let backoff = queue.minBackoffMs;
    for (let attempt = 0; ; attempt++) {
      if (signal.aborted) return "aborted";
      const started = performance.now();
      let wait = backoff;
      try {
        const limit = AbortSignal.any([this.#hard.signal, AbortSignal.timeout(config.timeoutMs)]);
        const {
          status,
          headers,
          body: answer,
        } = await this.#client.answer(
          {method: "POST", path: "", headers: this.#headers(attempt), body},
          MAX_ANSWER_BYTES,
          limit,
        );
        metrics.seconds.with(this.#labels).observe((performance.now() - started) / 1000);
        if (status >= 200 && status < 300) {
          metrics.bytes.with(this.#labels).inc(body.length);
          return "sent";
        }
        const text = `status ${status}: ${answer.toString("utf8").slice(0, 500)}`;
        const again = status >= 500 || (status === 429 && queue.retryOn429);
        logger.warn("cannot send samples", {remote: this.name, samples: count, err: text, again});
        if (!again) return "refused";
        wait = retryAfter(headers["retry-after"]) ?? backoff;
      } catch (err) {
        if (signal.aborted) return "aborted";
        logger.warn("cannot send samples", {remote: this.name, samples: count, err: errorText(err), again: true});
      }
      metrics.retried.with(this.#labels).inc(count);
      await delay(wait, undefined, {signal}).catch(() => undefined);
      backoff = Math.min(queue.maxBackoffMs, backoff * 2);
    }
  }

  #headers(attempt: number): Record<string, string> {
    return {
      ...this.#options.config.headers,
      "content-encoding": "snappy",
      "content-type": "application/x-protobuf",
      "x-prometheus-remote-write-version": "0.1.0",
      ...(attempt === 0 ? {} : {"retry-attempt": String(attempt)}),
    };
  }
}

const countOf = ({floats, histograms}: LogBatch): number => floats.n + histograms.length;

/** Seconds, or a date. */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}
