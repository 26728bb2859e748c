import type {MethodLabels, RpcCall, RpcMetrics} from "./grpc-metrics.ts";

/** What happened to a call that another thread made. */
export type RpcEvent =
  | {readonly kind: "begun"; readonly call: number; readonly method: MethodLabels}
  | {
      readonly kind: "ended";
      readonly call: number;
      readonly sent: number;
      readonly received: number;
      readonly code: number;
    };

/** Metrics of calls in a thread that has no registry: two events a call. */
export function relayedRpcMetrics(post: (event: RpcEvent) => void): RpcMetrics {
  let next = 0;
  return {
    preset() {},
    start(method) {
      const call = next++;
      let [sent, received] = [0, 0];
      let ended = false;
      post({kind: "begun", call, method});
      return {
        sent: () => void sent++,
        received: () => void received++,
        end(code) {
          if (ended) return;
          ended = true;
          post({kind: "ended", call, sent, received, code});
        },
      };
    },
  };
}

/** Counts the calls of one other thread where there is a registry. */
export class RpcReplay {
  readonly #metrics: RpcMetrics;
  readonly #calls = new Map<number, RpcCall>();

  constructor(metrics: RpcMetrics) {
    this.#metrics = metrics;
  }

  take(event: RpcEvent): void {
    if (event.kind === "begun") {
      this.#calls.set(event.call, this.#metrics.start(event.method));
      return;
    }
    const call = this.#calls.get(event.call);
    this.#calls.delete(event.call);
    for (let i = 0; i < event.sent; i++) call?.sent();
    for (let i = 0; i < event.received; i++) call?.received();
    call?.end(event.code);
  }

  /** The thread is gone, and its calls with it. */
  end(code: number): void {
    for (const call of this.#calls.values()) call.end(code);
    this.#calls.clear();
  }
}
