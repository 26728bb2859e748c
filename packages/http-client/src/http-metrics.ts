import type {Socket} from "node:net";
import type {Registry} from "@strata/telemetry";

/** Watches the requests of one kind of client. */
export type HttpClientMetrics = {
  /** A request goes out. What it gives is called once with the status, or with undefined where there was no answer. */
  start(method: string): (status: number | undefined) => void;
  /** The socket of a request that was just opened for it. */
  opening(socket: Socket): void;
};

/** Seconds; bounds of the originals' HTTP clients. */
const REQUEST_SECONDS = [0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720];
const CONNECT_SECONDS = [0.025, 0.05, 0.1, 0.5, 1, 5, 10];

/** `http_client_*` of requests to servers of the kind `client`: `query`, `alertmanager`. */
export function httpClientMetrics(registry: Registry, client: string): HttpClientMetrics {
  const metrics = families(registry);
  const inFlight = metrics.inFlight.with({client});
  return {
    start(method) {
      const began = performance.now();
      inFlight.inc();
      return (status) => {
        inFlight.dec();
        if (status === undefined) return;
        const labels = {client, code: String(status), method: method.toLowerCase()};
        metrics.requests.with(labels).inc();
        metrics.duration.with(labels).observe((performance.now() - began) / 1000);
      };
    },
    opening(socket) {
      const began = performance.now();
      const since = (): number => (performance.now() - began) / 1000;
      metrics.dns.with({client, event: "dns_start"}).observe(0);
      socket.once("lookup", () => metrics.dns.with({client, event: "dns_done"}).observe(since()));
      socket.once("connect", () => {
        if (!("encrypted" in socket)) return;
        metrics.tls.with({client, event: "tls_handshake_start"}).observe(since());
        socket.once("secureConnect", () => metrics.tls.with({client, event: "tls_handshake_done"}).observe(since()));
      });
    },
  };
}

const families = (r: Registry) => ({
  requests: r.counter({
    name: "http_client_request_total",
    help: "Answers to HTTP requests of this process.",
    labels: ["client", "code", "method"],
  }),
  duration: r.histogram({
    name: "http_client_request_duration_seconds",
    help: "Time until an answer to an HTTP request of this process began.",
    labels: ["client", "code", "method"],
    buckets: REQUEST_SECONDS,
  }),
  inFlight: r.gauge({
    name: "http_client_in_flight_requests",
    help: "HTTP requests of this process that wait for an answer.",
    labels: ["client"],
  }),
  dns: r.histogram({
    name: "http_client_dns_duration_seconds",
    help: "Time from the opening of a connection to the look-up of its name.",
    labels: ["client", "event"],
    buckets: CONNECT_SECONDS,
  }),
  tls: r.histogram({
    name: "http_client_tls_duration_seconds",
    help: "Time from the opening of a connection to its TLS handshake.",
    labels: ["client", "event"],
    buckets: CONNECT_SECONDS,
  }),
});
