import type {Span, Tracer} from "@strata/telemetry";
import type {Bucket, ObjectAttributes, ObjectEntry} from "./bucket.ts";

/** `inner` with a span for every operation, its name and key in it; `inner` itself where nothing is traced. */
export function traced(inner: Bucket, tracer: Tracer): Bucket {
  return tracer.enabled ? new TracedBucket(inner, tracer) : inner;
}

class TracedBucket implements Bucket {
  readonly name: string;
  readonly provider: string;
  readonly #inner: Bucket;
  readonly #tracer: Tracer;

  constructor(inner: Bucket, tracer: Tracer) {
    this.#inner = inner;
    this.#tracer = tracer;
    this.name = inner.name;
    this.provider = inner.provider;
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    const span = this.#tracer.start("bucket_iter", {kind: "client", attributes: {dir}});
    try {
      yield* this.#inner.list(dir, options, signal);
    } catch (err) {
      span.fail(err);
      throw err;
    } finally {
      span.end();
    }
  }

  /** The span is over when the answer begins: whoever reads the body sets its pace. */
  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#span("bucket_get", key, () => this.#inner.get(key, signal));
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#span("bucket_getrange", key, (span) => {
      span.set("offset", offset);
      span.set("length", length);
      return this.#inner.getRange(key, offset, length, signal);
    });
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    return this.#span("bucket_exists", key, () => this.#inner.exists(key, signal));
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    return this.#span("bucket_attributes", key, () => this.#inner.attributes(key, signal));
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#span("bucket_upload", key, () => this.#inner.upload(key, body, size, signal));
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    await this.#span("bucket_delete", key, () => this.#inner.delete(key, signal));
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #span<T>(name: string, key: string, work: (span: Span) => Promise<T>): Promise<T> {
    return this.#tracer.span(name, {kind: "client", attributes: {name: key}}, work);
  }
}
