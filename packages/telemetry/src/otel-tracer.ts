import {AsyncLocalStorage} from "node:async_hooks";
import {readFileSync} from "node:fs";
import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import {resourceFromAttributes} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import {errorText, StrataError} from "@strata/base";
import {JaegerExporter} from "./jaeger-exporter.ts";
import type {SpanContext} from "./trace-context.ts";
import type {Span, SpanOptions, Tracer} from "./tracer.ts";
import type {OtlpConfig, SamplerConfig, TlsFiles, TracingConfig} from "./tracing-config.ts";

/** Attribute that asks the sampler to keep a trace; it is how the request's header reaches it. */
const FORCE = "strata.force_tracing";

const KINDS = {internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT} as const;

/** A tracer over the OpenTelemetry SDK. Import this module only when tracing is configured: it loads in some 100 ms. */
export async function otelTracer(config: TracingConfig): Promise<Tracer> {
  return tracerOver(config, await exporterOf(config));
}

/** The same with a given exporter, for tests. */
export function tracerOver(config: TracingConfig, exporter: SpanExporter): Tracer {
  const batch = config.type === "JAEGER" ? {scheduledDelayMillis: config.flushMs} : {};
  const provider = new TracerProvider({
    sampler: samplerOf(config.sampler),
    resource: resourceFromAttributes({...config.resource, "service.name": config.serviceName}),
    spanProcessors: [new BatchSpanProcessor({exporter, ...batch})],
  });
  const tracer = provider.getTracer("strata");
  const active = new AsyncLocalStorage<Context>();

  const begin = (name: string, options: SpanOptions): {span: OtelSpan; context: Context} => {
    const parent = options.parent === undefined ? (active.getStore() ?? ROOT_CONTEXT) : remote(options.parent);
    const attributes = options.force === true ? {...options.attributes, [FORCE]: true} : {...options.attributes};
    const span = tracer.startSpan(name, {kind: KINDS[options.kind ?? "internal"], attributes}, parent);
    return {span, context: trace.setSpan(parent, span)};
  };

  return {
    enabled: true,
    start: (name, options = {}) => facade(begin(name, options).span),
    span(name, options, fn) {
      const {span, context} = begin(name, options);
      const own = facade(span);
      const settle = (err?: unknown): void => {
        if (err !== undefined) own.fail(err);
        own.end();
      };
      return active.run(context, () => {
        let result: ReturnType<typeof fn>;
        try {
          result = fn(own);
        } catch (err) {
          settle(err);
          throw err;
        }
        if (result instanceof Promise) result.then(() => settle(), settle);
        else settle();
        return result;
      });
    },
    current() {
      const context = active.getStore();
      return context === undefined ? undefined : contextOf(trace.getSpan(context));
    },
    close: () => provider.shutdown(),
  };
}

function facade(span: OtelSpan): Span {
  let open = true;
  return {
    context: contextOf(span),
    set: (name, value) => void span.setAttribute(name, value),
    fail: (err) => void span.setStatus({code: SpanStatusCode.ERROR, message: errorText(err)}),
    end() {
      if (open) span.end();
      open = false;
    },
  };
}

function contextOf(span: OtelSpan | undefined): SpanContext | undefined {
  if (span === undefined) return undefined;
  const {traceId, spanId, traceFlags} = span.spanContext();
  return {traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0};
}

function remote(parent: SpanContext): Context {
  const traceFlags = parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, {...parent, traceFlags, isRemote: true});
}

function samplerOf(config: SamplerConfig): Sampler {
  const root = rootSampler(config);
  const inner = config.parent ? new ParentBasedSampler({root}) : root;
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      if (attributes[FORCE] === true) return {decision: SamplingDecision.RECORD_AND_SAMPLED};
      return inner.shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `forced, else ${inner}`,
  };
}

function rootSampler(config: SamplerConfig): Sampler {
  switch (config.kind) {
    case "always":
      return new AlwaysOnSampler();
    case "never":
      return new AlwaysOffSampler();
    case "ratio":
      return new TraceIdRatioBasedSampler(config.ratio);
    case "rate":
      return rateSampler(config.perSecond);
  }
}

/** A bucket of at least one token, filled with `perSecond` of them each second. */
function rateSampler(perSecond: number): Sampler {
  const most = Math.max(1, perSecond);
  let tokens = perSecond > 0 ? most : 0;
  let at = performance.now();
  return {
    shouldSample() {
      const now = performance.now();
      tokens = Math.min(most, tokens + ((now - at) / 1000) * perSecond);
      at = now;
      if (perSecond <= 0 || tokens < 1) return {decision: SamplingDecision.NOT_RECORD};
      tokens--;
      return {decision: SamplingDecision.RECORD_AND_SAMPLED};
    },
    toString: () => `${perSecond} traces a second`,
  };
}

async function exporterOf(config: TracingConfig): Promise<SpanExporter> {
  if (config.type === "JAEGER") return new JaegerExporter(config);
  return config.client === "grpc" ? grpcExporter(config) : httpExporter(config);
}

async function httpExporter(config: OtlpConfig): Promise<SpanExporter> {
  const [{OTLPTraceExporter}, {CompressionAlgorithm}] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/otlp-exporter-base"),
  ]);
  const scheme = config.insecure ? "http" : "https";
  return new OTLPTraceExporter({
    url: `${scheme}://${config.endpoint || "localhost:4318"}${config.urlPath}`,
    headers: {...config.headers},
    timeoutMillis: config.timeoutMs,
    compression: config.gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    httpAgentOptions: config.insecure ? {} : tlsOptions(config.tls),
  });
}

async function grpcExporter(config: OtlpConfig): Promise<SpanExporter> {
  const [{OTLPTraceExporter}, {CompressionAlgorithm}, {credentials, Metadata}] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-grpc"),
    import("@opentelemetry/otlp-exporter-base"),
    import("@grpc/grpc-js"),
  ]);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(config.headers)) metadata.set(name, value);
  const {ca, cert, key} = tlsOptions(config.tls);
  const verify = config.tls.skipVerify ? {rejectUnauthorized: false} : {};
  return new OTLPTraceExporter({
    url: `${config.insecure ? "http" : "https"}://${config.endpoint || "localhost:4317"}`,
    credentials: config.insecure
      ? credentials.createInsecure()
      : credentials.createSsl(ca ?? null, key ?? null, cert ?? null, verify),
    metadata,
    timeoutMillis: config.timeoutMs,
    compression: config.gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
  });
}

function tlsOptions(tls: TlsFiles) {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (err) {
      throw new StrataError("bad_data", `cannot read ${path} of the tracing configuration: ${errorText(err)}`, {
        cause: err,
      });
    }
  };
  return {
    ...(tls.ca === "" ? {} : {ca: read(tls.ca)}),
    ...(tls.cert === "" ? {} : {cert: read(tls.cert)}),
    ...(tls.key === "" ? {} : {key: read(tls.key)}),
    ...(tls.serverName === "" ? {} : {servername: tls.serverName}),
    ...(tls.skipVerify ? {rejectUnauthorized: false} : {}),
  };
}
