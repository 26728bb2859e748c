import {errorCode, errorText, StrataError} from "@strata/base";
import {type V2Counts, type WriteLimits, type WriteWindow, writeWindow} from "@strata/kernels";
import type {Logger} from "@strata/telemetry";
import {type HttpRequest, type HttpResponse, resolveTenant, type TenantConfig} from "@strata/web";
import {type BodyLimits, BodyReader} from "./body-reader.ts";
import {TenantsMissing} from "./local-writer.ts";
import type {RequestLimiter} from "./request-limits.ts";
import {type RewriteOptions, rewriteRequest, type TenantPart} from "./request-rewrite.ts";
import {refused, writeFailure} from "./write-failure.ts";
import type {WriteMetrics} from "./write-metrics.ts";
import type {WriteSink} from "./write-sink.ts";

export type WriteHandlerOptions = {
  readonly sink: WriteSink;
  /** Why nothing can be written now; undefined when it can. */
  readonly notReady: () => string | undefined;
  readonly tenants: TenantConfig;
  readonly replicaHeader: string;
  readonly limiter: RequestLimiter;
  readonly rewrite: RewriteOptions;
  /** Whether start times are kept. */
  readonly startTimes: boolean;
  readonly metrics: WriteMetrics;
  readonly logger: Logger;
  /** BODY_LIMITS when left out. */
  readonly bodies?: BodyLimits | undefined;
};

/** What a request may unpack to and hold at the most, whatever limits are set. */
export const HARD_LIMITS: WriteLimits = {bytes: 128 << 20, entries: 4_000_000};
const V2_MESSAGE = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const V1_MESSAGES = ["application/x-protobuf", "application/x-protobuf;proto=prometheus.WriteRequest"];

type Stats = {readonly tenant: string; readonly series: number; readonly samples: number};

/** `POST /api/v1/receive`: remote write 1.0 and 2.0. */
export class WriteHandler {
  readonly #o: WriteHandlerOptions;
  readonly #bodies: BodyReader;

  constructor(options: WriteHandlerOptions) {
    this.#o = options;
    this.#bodies = new BodyReader(options.bodies);
  }

  /** Remote write. */
  async receive(request: HttpRequest): Promise<HttpResponse> {
    let counts: V2Counts | undefined;
    const answer = await this.handle(request, async (tenant, body) => {
      const {headers} = request;
      await this.write(tenant, body, (window, bytes) => {
        this.#unpack(window, bytes, tenant);
        counts = undefined;
        const isV2 = protocolVersion(headers["x-prometheus-remote-write-version"], headers["content-type"]) === 2;
        const startTimes = this.#o.startTimes && isV2;
        if (isV2) {
          counts = window.fromV2(HARD_LIMITS, startTimes);
          this.#o.metrics.metadataDropped.inc(counts.metadata);
        }
        window.walk(HARD_LIMITS, startTimes);
        return this.replicaHeader(request);
      });
    });
    if (counts === undefined || answer.status !== 200) return answer;
    const written = "x-prometheus-remote-write";
    return {
      ...answer,
      headers: {
        [`${written}-samples-written`]: String(counts.samples),
        [`${written}-histograms-written`]: String(counts.histograms),
        [`${written}-exemplars-written`]: String(counts.exemplars),
      },
    };
  }

  /** What all write endpoints do around reading and writing a body. */
  async handle(
    request: HttpRequest,
    write: (tenant: string, body: Uint8Array) => Promise<void>,
  ): Promise<HttpResponse> {
    const {notReady, limiter} = this.#o;
    if (notReady() !== undefined) return writeFailure(new StrataError("unavailable", "Service Unavailable"));
    let end: (() => void) | undefined;
    try {
      const tenant = resolveTenant(request.raw, this.#o.tenants);
      end = await limiter.start(request.signal);
      if (!limiter.isUnderHeadLimit(tenant)) throw refused(429, "tenant is above active series limit");
      const length = request.headers["content-length"];
      if (length !== undefined) this.checkSize(tenant, Number(length));
      await this.#bodies.read(request, tenant, (body) => write(tenant, body));
      return {status: 200};
    } catch (err) {
      const answer = writeFailure(err);
      if (answer.status === 500) this.#o.logger.error("cannot write", {path: request.path, err: errorText(err)});
      else this.#o.logger.debug("write refused", {status: answer.status, err: errorText(err)});
      return answer;
    } finally {
      end?.();
    }
  }

  /** Throws 413 when a body or its content is larger than the tenant may send. */
  checkSize(tenant: string, bytes: number): void {
    const {sizeBytes} = this.#o.limiter.request(tenant);
    if (sizeBytes <= 0 || bytes <= sizeBytes) return;
    this.#o.limiter.hit(tenant, "body_size", bytes - sizeBytes);
    throw refused(413, "write request too large");
  }

  #unpack(window: WriteWindow, body: Uint8Array, tenant: string): void {
    const {sizeBytes} = this.#o.limiter.request(tenant);
    const bytes = sizeBytes > 0 ? Math.min(sizeBytes, HARD_LIMITS.bytes) : HARD_LIMITS.bytes;
    try {
      window.loadSnappy(body, {...HARD_LIMITS, bytes});
    } catch (err) {
      if (errorCode(err) !== "limit") throw refused(400, `snappy decode error: ${errorText(err)}`);
      throw refused(413, "write request too large");
    }
  }

  /** The number of the replica that the request is, 0 for none. */
  replicaHeader(request: HttpRequest): number {
    const value = request.headers[this.#o.replicaHeader.toLowerCase()];
    const text = Array.isArray(value) ? value[0] : value;
    if (text === undefined || text === "") return 0;
    const replica = Number(text);
    if (!/^\d+$/.test(text) || replica >= 2 ** 64) throw refused(400, "could not parse replica header");
    return replica;
  }

  /**
   * Parses and writes a body. `fill` leaves a walked window and gives the replica's number. It may be called again, when
   * databases had to be opened.
   */
  async write(
    tenant: string,
    body: Uint8Array,
    fill: (window: WriteWindow, body: Uint8Array) => number,
  ): Promise<void> {
    for (;;) {
      let written: Promise<void>;
      let stats: readonly Stats[];
      try {
        using window = writeWindow();
        const replica = filled(window, body, fill);
        if (window.series === 0) return;
        this.#checkCounts(tenant, window);
        const {rewrite, startTimes, metrics} = this.#o;
        if (!startTimes) metrics.startTimesDropped.inc(window.startTimes);
        const parts = rewriteRequest(window, tenant, rewrite, HARD_LIMITS, startTimes && window.starts !== 0);
        if (window.series === 0) return;
        stats = statsOf(window, parts);
        written = this.#o.sink.begin(window, parts, replica);
      } catch (err) {
        if (!(err instanceof TenantsMissing)) throw err;
        await this.#o.sink.open(err);
        continue;
      }
      await this.#measured(written, stats);
      return;
    }
  }

  #checkCounts(tenant: string, window: WriteWindow): void {
    const {limiter} = this.#o;
    const limits = limiter.request(tenant);
    if (limits.series > 0 && window.series > limits.series) {
      limiter.hit(tenant, "series", window.series - limits.series);
      throw refused(413, "too many timeseries");
    }
    if (limits.samples > 0 && window.samples > limits.samples) {
      limiter.hit(tenant, "samples", window.samples - limits.samples);
      throw refused(413, "too many samples");
    }
  }

  async #measured(written: Promise<void>, stats: readonly Stats[]): Promise<void> {
    let code = 200;
    try {
      await written;
    } catch (err) {
      code = writeFailure(err).status;
      throw err;
    } finally {
      const {metrics} = this.#o;
      for (const {tenant, series, samples} of stats) {
        const labels = {code: String(code), tenant};
        metrics.series.with(labels).observe(series);
        metrics.samples.with(labels).observe(samples);
      }
    }
  }
}

/** Compat: only the exact version header makes a request one of 2.0. */
function protocolVersion(version: string | string[] | undefined, contentType: string | undefined): 1 | 2 {
  if (version !== "2.0.0") return 1;
  if (contentType === undefined || contentType === "") throw refused(400, "missing Content-Type header");
  if (contentType === V2_MESSAGE) return 2;
  if (V1_MESSAGES.includes(contentType)) return 1;
  throw refused(400, "required headers Content-Type and/or X-Prometheus-Remote-Write-Version not found");
}

/** What no flag allows is a request too large, not a tenant that has too much. */
function filled(
  window: WriteWindow,
  body: Uint8Array,
  fill: (window: WriteWindow, body: Uint8Array) => number,
): number {
  try {
    return fill(window, body);
  } catch (err) {
    if (errorCode(err) !== "limit" || (err instanceof StrataError && err.fields.status !== undefined)) throw err;
    throw refused(413, `write request too large: ${errorText(err)}`);
  }
}

function statsOf(window: WriteWindow, parts: readonly TenantPart[]): Stats[] {
  return parts.map(({tenant, list}) => ({
    tenant,
    series: list?.length ?? window.series,
    samples: list === undefined ? window.samples : window.samplesOf(list),
  }));
}
