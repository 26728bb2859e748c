import type {Counter, Family, Histogram, Registry} from "@strata/telemetry";
import {GRPC_CODE, grpcCodeName} from "./grpc-status.ts";

const LABELS = ["grpc_method", "grpc_service", "grpc_type"] as const;
type Label = (typeof LABELS)[number];
const BUCKETS = [0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120];

/** What of a method the metrics are labelled with. */
export type MethodLabels = Readonly<Record<Label, string>>;

type Method = {readonly path: string; readonly requestStream: boolean; readonly responseStream: boolean};

export function methodLabels(method: Method): MethodLabels {
  const [, service = "", name = ""] = method.path.split("/");
  const {requestStream: up, responseStream: down} = method;
  const type = up ? (down ? "bidi_stream" : "client_stream") : down ? "server_stream" : "unary";
  return {grpc_method: name, grpc_service: service, grpc_type: type};
}

export type RpcMetrics = {
  /** Counts a call as begun; what it returns hears of its messages and its end. */
  start(method: MethodLabels): RpcCall;
  /** Makes a method's series appear at zero. */
  preset(method: MethodLabels): void;
};

export type RpcCall = {received(): void; sent(): void; end(code: number): void};

/** The five families of `grpc_server_*` or `grpc_client_*`. */
export function rpcMetrics(registry: Registry, side: "server" | "client"): RpcMetrics {
  const p = `grpc_${side}`;
  const labels = LABELS;
  const started = registry.counter({name: `${p}_started_total`, help: `RPCs begun on the ${side}.`, labels});
  const handled = registry.counter({
    name: `${p}_handled_total`,
    help: `RPCs finished on the ${side}, by status code.`,
    labels: ["grpc_code", ...LABELS],
  });
  const seconds = registry.histogram({
    name: `${p}_handling_seconds`,
    help: `Duration of RPCs on the ${side}.`,
    labels,
    buckets: BUCKETS,
  });
  const received = registry.counter({
    name: `${p}_msg_received_total`,
    help: `Messages received by the ${side}.`,
    labels,
  });
  const sent = registry.counter({name: `${p}_msg_sent_total`, help: `Messages sent by the ${side}.`, labels});
  const codes = new Map<string, Counter>();
  return {
    preset(method) {
      for (const f of [started, received, sent] as Family<Label, Counter>[]) f.with(method);
      (seconds as Family<Label, Histogram>).with(method);
      if (side === "server") for (const grpc_code of Object.keys(GRPC_CODE)) handled.with({grpc_code, ...method});
    },
    start(method) {
      started.with(method).inc();
      const stop = seconds.with(method).startTimer();
      const inbound = received.with(method);
      const outbound = sent.with(method);
      let ended = false;
      return {
        received: () => inbound.inc(),
        sent: () => outbound.inc(),
        end(code) {
          if (ended) return;
          ended = true;
          stop();
          const key = `${code}${method.grpc_service}/${method.grpc_method}`;
          let counter = codes.get(key);
          if (counter === undefined) {
            counter = handled.with({grpc_code: grpcCodeName(code), ...method});
            codes.set(key, counter);
          }
          counter.inc();
        },
      };
    },
  };
}
