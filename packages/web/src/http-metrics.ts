import type {Registry} from "@strata/telemetry";

/** Upper bounds in seconds: from sub-millisecond answers to queries of twelve minutes. */
const SECONDS = [0.001, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720];
/** Upper bounds in bytes, factor 10. */
const BYTES = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

export type HttpMetrics = {
  /** Counts a request as running; call the result when it is answered. */
  start(
    handler: string,
    method: string,
    tenant: string,
  ): (code: number, requestBytes: number, responseBytes: number) => void;
};

/** The metrics of instrumented handlers; `tenant` is a label where `withTenant` is set. */
export function httpMetrics(registry: Registry, withTenant: boolean): HttpMetrics {
  const tenantLabel = withTenant ? (["tenant"] as const) : ([] as const);
  const labels = ["code", "handler", "method", ...tenantLabel] as const;
  const requests = registry.counter({name: "http_requests_total", help: "HTTP requests answered.", labels});
  const seconds = registry.histogram({
    name: "http_request_duration_seconds",
    help: "Time to answer an HTTP request.",
    labels,
    buckets: SECONDS,
  });
  const requestBytes = registry.histogram({
    name: "http_request_size_bytes",
    help: "Size of HTTP requests, headers included.",
    labels,
    buckets: BYTES,
  });
  const responseBytes = registry.histogram({
    name: "http_response_size_bytes",
    help: "Size of the bodies of HTTP answers, as sent.",
    labels,
    buckets: BYTES,
  });
  const inflight = registry.gauge({
    name: "http_inflight_requests",
    help: "HTTP requests being answered.",
    labels: ["handler", "method", ...tenantLabel] as const,
  });
  return {
    start(handler, method, tenant) {
      const lower = method.toLowerCase();
      const running = inflight.with({handler, method: lower, tenant});
      running.inc();
      const began = performance.now();
      return (code, received, sent) => {
        running.dec();
        const values = {code: String(code), handler, method: lower, tenant};
        requests.with(values).inc();
        seconds.with(values).observe((performance.now() - began) / 1000);
        requestBytes.with(values).observe(received);
        responseBytes.with(values).observe(sent);
      };
    },
  };
}
