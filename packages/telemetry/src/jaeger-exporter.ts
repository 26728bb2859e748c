import {createSocket, type Socket} from "node:dgram";
import {type Attributes, type HrTime, SpanKind, SpanStatusCode} from "@opentelemetry/api";
import {type ExportResult, ExportResultCode} from "@opentelemetry/core";
import type {ReadableSpan, SpanExporter} from "@opentelemetry/sdk-trace";
import {StrataError} from "@strata/base";
import {ThriftBinary, ThriftCompact, type ThriftWriter} from "./thrift.ts";
import type {JaegerConfig} from "./tracing-config.ts";

/** A UDP packet carries at most this much; the agent reads no more. */
const PACKET_BYTES = 65_000;
const HTTP_TIMEOUT_MS = 10_000;

/** Sends spans as Jaeger's Thrift batches: over HTTP to a collector, else by UDP to an agent. */
export class JaegerExporter implements SpanExporter {
  readonly #config: JaegerConfig;
  #socket: Socket | undefined;

  constructor(config: JaegerConfig) {
    this.#config = config;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const sent = this.#config.endpoint === "" ? this.#toAgent(spans) : this.#toCollector(spans);
    sent.then(
      () => done({code: ExportResultCode.SUCCESS}),
      (error: Error) => done({code: ExportResultCode.FAILED, error}),
    );
  }

  async shutdown(): Promise<void> {
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #toCollector(spans: readonly ReadableSpan[]): Promise<void> {
    const {endpoint, user, password} = this.#config;
    const out = new ThriftBinary();
    writeBatch(out, this.#config, spans);
    const login = Buffer.from(`${user}:${password}`).toString("base64");
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {"content-type": "application/x-thrift", ...(user === "" ? {} : {authorization: `Basic ${login}`})},
      body: out.bytes() as Uint8Array<ArrayBuffer>,
      signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    if (!response.ok)
      throw new StrataError("unavailable", `cannot send spans to ${endpoint}: status ${response.status}`);
  }

  async #toAgent(spans: readonly ReadableSpan[]): Promise<void> {
    const out = new ThriftCompact();
    out.oneWayCall("emitBatch");
    // The call's arguments are a struct whose first field is the batch.
    out.structField(1, () => writeBatch(out, this.#config, spans));
    out.stop();
    const packet = out.bytes();
    if (packet.length > PACKET_BYTES && spans.length > 1) {
      const half = spans.length >> 1;
      await this.#toAgent(spans.slice(0, half));
      return this.#toAgent(spans.slice(half));
    }
    this.#socket ??= createSocket("udp4").unref();
    const socket = this.#socket;
    await new Promise<void>((resolve, reject) =>
      socket.send(packet, this.#config.agentPort, this.#config.agentHost, (err) => (err ? reject(err) : resolve())),
    );
  }
}

/** Field numbers and types are those of Jaeger's jaeger.thrift. */
function writeBatch(out: ThriftWriter, config: JaegerConfig, spans: readonly ReadableSpan[]): void {
  out.structField(1, () => {
    out.stringField(1, config.serviceName);
    writeTags(out, 2, config.resource);
    out.stop();
  });
  out.listField(2, spans, (span) => writeSpan(out, span));
  out.stop();
}

function writeSpan(out: ThriftWriter, span: ReadableSpan): void {
  const {traceId, spanId, traceFlags} = span.spanContext();
  out.i64Field(1, BigInt(`0x${traceId.slice(16)}`));
  out.i64Field(2, BigInt(`0x${traceId.slice(0, 16)}`));
  out.i64Field(3, BigInt(`0x${spanId}`));
  out.i64Field(4, BigInt(`0x${span.parentSpanContext?.spanId ?? "0"}`));
  out.stringField(5, span.name);
  out.i32Field(7, traceFlags);
  out.i64Field(8, micros(span.startTime));
  out.i64Field(9, micros(span.duration));
  writeTags(out, 10, {...span.attributes, ...kindAndStatus(span)});
  out.listField(11, span.events, (event) => {
    out.i64Field(1, micros(event.time));
    writeTags(out, 2, {event: event.name, ...event.attributes});
    out.stop();
  });
  out.stop();
}

function kindAndStatus(span: ReadableSpan): Attributes {
  const kind = span.kind === SpanKind.SERVER ? "server" : span.kind === SpanKind.CLIENT ? "client" : undefined;
  const failed = span.status.code === SpanStatusCode.ERROR;
  return {
    ...(kind === undefined ? {} : {"span.kind": kind}),
    ...(failed ? {error: true, "otel.status_description": span.status.message ?? ""} : {}),
  };
}

const micros = (time: HrTime): bigint => BigInt(time[0]) * 1_000_000n + BigInt(Math.round(time[1] / 1000));

/** Tag types of jaeger.thrift. */
const [TAG_STRING, TAG_DOUBLE, TAG_BOOL] = [0, 1, 2];

function writeTags(out: ThriftWriter, id: number, tags: Readonly<Record<string, unknown>>): void {
  out.listField(id, Object.entries(tags), ([key, value]) => {
    out.stringField(1, key);
    if (typeof value === "boolean") {
      out.i32Field(2, TAG_BOOL as number);
      out.boolField(5, value);
    } else if (typeof value === "number") {
      out.i32Field(2, TAG_DOUBLE as number);
      out.doubleField(4, value);
    } else {
      out.i32Field(2, TAG_STRING as number);
      out.stringField(3, String(value));
    }
    out.stop();
  });
}
