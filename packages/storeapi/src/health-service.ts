import {health} from "@strata/proto";
import type {GrpcServer} from "./grpc-server.ts";
import {asGrpcError, GRPC_CODE} from "./grpc-status.ts";

const {SERVING, NOT_SERVING, SERVICE_UNKNOWN} = health.ServingStatus;

/** grpc.health.v1 for the server as a whole, whose name is "". */
export class HealthService {
  #status: number = NOT_SERVING;
  readonly #watchers = new Set<() => void>();

  set(serving: boolean): void {
    const status = serving ? SERVING : NOT_SERVING;
    if (status === this.#status) return;
    this.#status = status;
    for (const wake of this.#watchers) wake();
  }

  serve(server: GrpcServer): void {
    server.unary(health.HealthService.Check, async ({service}) => {
      if (service !== "") throw asGrpcError(GRPC_CODE.NotFound, "unknown service");
      return {status: this.#status};
    });
    server.unary(health.HealthService.List, async () => ({statuses: new Map([["", {status: this.#status}]])}));
    const watch = this.#watch.bind(this);
    server.stream(health.HealthService.Watch, ({service}, ctx) =>
      watch(service === "", AbortSignal.any([ctx.signal, server.stopping])),
    );
  }

  /** The status now, and again whenever it changes. */
  async *#watch(known: boolean, signal: AbortSignal): AsyncGenerator<{status: number}> {
    let told: number | undefined;
    for (;;) {
      const status = known ? this.#status : SERVICE_UNKNOWN;
      if (status !== told) {
        told = status;
        yield {status};
        continue;
      }
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#watchers.add(wake);
        signal.addEventListener("abort", wake);
      });
    }
  }
}
