import type {RetryPolicy} from "./group-transport.ts";
import type {Compression} from "./grpc-client.ts";
import type {ClientTls} from "./tls-config.ts";

/** How an endpoint is reached, as plain data: another thread makes the same connection of it. */
export type Connection = {
  /** `host:port`, or the name of a group. */
  readonly address: string;
  readonly tls: ClientTls | undefined;
  readonly compression: Compression | undefined;
  /** Of a group: its servers as they are known now, and how calls are tried again. */
  readonly group: {readonly addresses: readonly string[]; readonly retry: RetryPolicy} | undefined;
};
