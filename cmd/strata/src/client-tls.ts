import type {ClientTls} from "@strata/storeapi";
import type {grpcClientTlsFlags} from "./flags/shared.ts";
import type {FlagValues} from "./flags/spec.ts";

/** The TLS settings of a gRPC client that flags name; undefined where it speaks none. */
export function clientTls(flags: FlagValues<ReturnType<typeof grpcClientTlsFlags>>): ClientTls | undefined {
  if (!flags["grpc-client-tls-secure"]) return undefined;
  return {
    ca: flags["grpc-client-tls-ca"],
    cert: flags["grpc-client-tls-cert"],
    key: flags["grpc-client-tls-key"],
    serverName: flags["grpc-client-server-name"],
    skipVerify: flags["grpc-client-tls-skip-verify"],
    minVersion: flags["grpc-client-tls-min-version"],
  };
}
