import {type CallObserver, grpcCodeName, type ObservedCall} from "@strata/storeapi";
import type {Logger, Tracer} from "@strata/telemetry";
import type {ProtocolLogConfig} from "@strata/web";

/** Logs gRPC calls as configured and keeps a span of each; undefined where neither is wanted. */
export function grpcObserver(
  log: Logger,
  config: ProtocolLogConfig | undefined,
  tracer: Tracer,
): ((call: ObservedCall) => CallObserver) | undefined {
  const logged = config?.end === true ? config : undefined;
  if (logged === undefined && !tracer.enabled) return undefined;
  return (call) => {
    const span = tracer.start(`/${call.service}/${call.method}`, {
      kind: "server",
      parent: call.parent,
      attributes: {"rpc.system": "grpc", "rpc.service": call.service, "rpc.method": call.method},
    });
    const finished = logged === undefined || !isListed(logged, call) ? undefined : startLog(log, logged, call);
    return {
      span: span.context,
      end(code) {
        span.set("rpc.grpc.status_code", code);
        if (code !== 0) span.fail(grpcCodeName(code));
        span.end();
        finished?.(code);
      },
    };
  };
}

/** An empty list means every call; an entry without a method every method of its service. */
function isListed(config: ProtocolLogConfig, call: ObservedCall): boolean {
  if (config.only.length === 0) return true;
  return config.only.some(({where, which}) => where === call.service && (which === "" || which === call.method));
}

function startLog(log: Logger, config: ProtocolLogConfig, call: ObservedCall): (code: number) => void {
  const fields = {
    "grpc.service": call.service,
    "grpc.method": call.method,
    "peer.address": call.peer,
    "grpc.request.id": call.requestId,
  };
  if (config.start) log[config.level]("started call", fields);
  const began = performance.now();
  return (code) =>
    log[config.level]("finished call", {
      ...fields,
      "grpc.code": grpcCodeName(code),
      "grpc.time_ms": Math.round((performance.now() - began) * 1000) / 1000,
    });
}
