import type {SpanContext} from "./trace-context.ts";

export type SpanKind = "internal" | "server" | "client";
export type AttributeValue = string | number | boolean;

/** A piece of work being timed. `end` may be called once; later calls are ignored. */
export type Span = {
  /** undefined when nothing is traced. */
  readonly context: SpanContext | undefined;
  set(name: string, value: AttributeValue): void;
  /** Marks the span as failed, with the error's text. */
  fail(err: unknown): void;
  end(): void;
};

export type SpanOptions = {
  readonly kind?: SpanKind | undefined;
  /** The span of another process or thread this one continues; the current one when left out. */
  readonly parent?: SpanContext | undefined;
  readonly attributes?: Readonly<Record<string, AttributeValue>> | undefined;
  /** Sample this trace whatever the sampler says. */
  readonly force?: boolean | undefined;
};

/** Where spans go. Without a tracing configuration it does nothing and costs a function call. */
export type Tracer = {
  /** Whether spans are kept at all. */
  readonly enabled: boolean;
  /** Runs `fn` inside a span that ends when `fn`'s result settles; a throw or rejection marks it as failed. */
  span<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T;
  /** A span that the caller ends, for work that is not one function. It is not the current span of anything. */
  start(name: string, options?: SpanOptions): Span;
  /** The context of the span that the running code is inside of: put it into outgoing calls. */
  current(): SpanContext | undefined;
  /** Sends what is left. */
  close(): Promise<void>;
};

/** A tracer that does nothing. */
export function nullTracer(): Tracer {
  return NULL_TRACER;
}

const NULL_SPAN: Span = {context: undefined, set: () => {}, fail: () => {}, end: () => {}};

const NULL_TRACER: Tracer = {
  enabled: false,
  span: (_name, _options, fn) => fn(NULL_SPAN),
  start: () => NULL_SPAN,
  current: () => undefined,
  close: async () => {},
};

/** The tracer that `--tracing.config` describes; "" gives one that does nothing. Throws `bad_data`. */
export async function tracerFromConfig(text: string, component: string): Promise<Tracer> {
  const {parseTracingConfig} = await import("./tracing-config.ts");
  const config = parseTracingConfig(text, component);
  if (config === undefined || (config.type === "JAEGER" && config.disabled)) return nullTracer();
  const {otelTracer} = await import("./otel-tracer.ts");
  return otelTracer(config);
}
