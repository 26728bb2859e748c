import type {Counter, Gauge, Histogram, Registry} from "@strata/telemetry";
import type {Bucket, FileCopies, ObjectAttributes, ObjectEntry} from "./bucket.ts";
import {isNotFound} from "./bucket-errors.ts";

const OPERATIONS = ["iter", "get", "get_range", "exists", "upload", "delete", "attributes"] as const;
type Operation = (typeof OPERATIONS)[number];

/** Compat: bounds of the Go original; from a cache hit to a 2 min time-out, and 32 KiB to 1 GiB. */
const DURATION_BUCKETS = [0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120];
const SIZE_BUCKETS = Array.from({length: 16}, (_, i) => 32_768 * 2 ** i);

/** `inner` counted as `thanos_objstore_bucket_*`. A missing object and a caller who left are no failures. */
export function metered(inner: Bucket, registry: Registry): Bucket {
  return new MeteredBucket(inner, registry);
}

type OperationMetrics = {
  readonly attempts: Counter;
  readonly failures: Counter;
  readonly seconds: Histogram;
  readonly transferred: Histogram;
  readonly fetched: Counter;
};

class MeteredBucket implements Bucket {
  readonly name: string;
  readonly provider: string;
  readonly #inner: Bucket;
  readonly #of: Readonly<Record<Operation, OperationMetrics>>;
  readonly #lastUpload: Gauge;
  readonly files: FileCopies | undefined;

  constructor(inner: Bucket, registry: Registry) {
    this.#inner = inner;
    this.name = inner.name;
    this.provider = inner.provider;
    const metrics = bucketMetrics(registry);
    const entries = OPERATIONS.map((operation) => {
      const labels = {bucket: inner.name, operation};
      const of: OperationMetrics = {
        attempts: metrics.attempts.with(labels),
        failures: metrics.failures.with(labels),
        seconds: metrics.seconds.with(labels),
        transferred: metrics.transferred.with(labels),
        fetched: metrics.fetched.with(labels),
      };
      return [operation, of] as const;
    });
    this.#of = Object.fromEntries(entries) as Record<Operation, OperationMetrics>;
    this.#lastUpload = metrics.lastUpload.with({bucket: inner.name});
    this.files = inner.files && this.#countedCopies(inner.files);
  }

  /** Copies count as the operations they stand for. */
  #countedCopies(files: FileCopies): FileCopies {
    return {
      copyOut: async (key, path, options, signal) => {
        const of = this.#of.get;
        const bytes = await this.#timed(of, signal, () => files.copyOut(key, path, options, signal));
        of.fetched.inc(bytes);
        of.transferred.observe(bytes);
        return bytes;
      },
      copyIn: async (key, path, options, signal) => {
        const of = this.#of.upload;
        const bytes = await this.#timed(of, signal, () => files.copyIn(key, path, options, signal));
        of.transferred.observe(bytes);
        this.#lastUpload.setToCurrentTime();
        return bytes;
      },
      isShared: (key, path, signal) => files.isShared(key, path, signal),
    };
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    const of = this.#of.iter;
    of.attempts.inc();
    const stop = of.seconds.startTimer();
    try {
      yield* this.#inner.list(dir, options, signal);
    } catch (err) {
      throw counted(of, err, signal);
    } finally {
      stop();
    }
  }

  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const of = this.#of.get;
    of.attempts.inc();
    const stop = of.seconds.startTimer();
    try {
      return countedStream(await this.#inner.get(key, signal), of, stop, signal);
    } catch (err) {
      stop();
      throw counted(of, err, signal);
    }
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const of = this.#of.get_range;
    const bytes = await this.#timed(of, signal, () => this.#inner.getRange(key, offset, length, signal));
    of.fetched.inc(bytes.length);
    of.transferred.observe(bytes.length);
    return bytes;
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    return this.#timed(this.#of.exists, signal, () => this.#inner.exists(key, signal));
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    return this.#timed(this.#of.attributes, signal, () => this.#inner.attributes(key, signal));
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const of = this.#of.upload;
    let sent = 0;
    async function* counting(): AsyncGenerator<Uint8Array> {
      for await (const part of body) {
        sent += part.length;
        yield part;
      }
    }
    await this.#timed(of, signal, () => this.#inner.upload(key, counting(), size, signal));
    of.transferred.observe(sent);
    this.#lastUpload.setToCurrentTime();
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    await this.#timed(this.#of.delete, signal, () => this.#inner.delete(key, signal));
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async #timed<T>(of: OperationMetrics, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    of.attempts.inc();
    const stop = of.seconds.startTimer();
    try {
      return await work();
    } catch (err) {
      throw counted(of, err, signal);
    } finally {
      stop();
    }
  }
}

/** Passes a body through; the operation ends with the body, or when the consumer lets go of it. */
function countedStream(
  body: ReadableStream<Uint8Array>,
  of: OperationMetrics,
  stop: () => number,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let size = 0;
  const end = () => {
    stop();
    of.transferred.observe(size);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const {done, value} = await reader.read();
          if (done) {
            end();
            controller.close();
            return;
          }
          size += value.length;
          of.fetched.inc(value.length);
          controller.enqueue(value);
        } catch (err) {
          end();
          throw counted(of, err, signal);
        }
      },
      async cancel(reason) {
        end();
        await reader.cancel(reason);
      },
    },
    {highWaterMark: 0},
  );
}

function counted(of: OperationMetrics, err: unknown, signal: AbortSignal): unknown {
  if (!isNotFound(err) && !signal.aborted) of.failures.inc();
  return err;
}

const bucketMetrics = (r: Registry) => {
  const labels = ["bucket", "operation"] as const;
  const name = (rest: string) => `thanos_objstore_bucket_${rest}`;
  return {
    attempts: r.counter({name: name("operations_total"), help: "Operations tried on the bucket.", labels}),
    failures: r.counter({
      name: name("operation_failures_total"),
      help: "Operations on the bucket that failed, missing objects not counted.",
      labels,
    }),
    seconds: r.histogram({
      name: name("operation_duration_seconds"),
      help: "How long operations on the bucket took, bodies included.",
      labels,
      buckets: DURATION_BUCKETS,
    }),
    transferred: r.histogram({
      name: name("operation_transferred_bytes"),
      help: "Bytes that one operation moved.",
      labels,
      buckets: SIZE_BUCKETS,
    }),
    fetched: r.counter({name: name("operation_fetched_bytes_total"), help: "Bytes downloaded.", labels}),
    lastUpload: r.gauge({
      name: name("last_successful_upload_time"),
      help: "Unix time of the last upload that succeeded.",
      labels: ["bucket"] as const,
    }),
  };
};
