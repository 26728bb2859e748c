/** Identity of a span as it travels between processes (W3C Trace Context). Ids are lower-case hex. */
export type SpanContext = {
  /** 32 hex digits, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
};

/** Header and metadata key that carries a span context. */
export const TRACEPARENT = "traceparent";

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The context in a `traceparent` value, or undefined when it is missing or not valid (which then starts a new trace). */
export function parseTraceparent(value: string | undefined): SpanContext | undefined {
  const match = FORM.exec(value?.trim() ?? "");
  if (match === null) return undefined;
  const [, version = "", traceId = "", spanId = "", flags = "", rest] = match;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return {traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1};
}

export function formatTraceparent(context: SpanContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? "01" : "00"}`;
}
