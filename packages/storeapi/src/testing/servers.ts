import {unlimited} from "@strata/base";
import type {TestScope} from "@strata/base/testing";
import {matcher} from "@strata/model";
import type {Init, info} from "@strata/proto";
import type {Queryable, Select} from "@strata/series";
import {newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import {GrpcClient, type GrpcClientOptions} from "../grpc-client.ts";
import {rpcMetrics} from "../grpc-metrics.ts";
import {GrpcServer, type GrpcServerOptions} from "../grpc-server.ts";
import {StoreClient} from "../store-client.ts";
import {type StoreServiceOptions, serveStore} from "../store-service.ts";

export type TestStore = {
  readonly address: string;
  readonly port: number;
  readonly server: GrpcServer;
  readonly registry: Registry;
};

/** A StoreAPI server on a free port of 127.0.0.1, stopped with the test. */
export async function startStore(
  t: TestScope,
  queryable: Queryable,
  options: Partial<StoreServiceOptions> & Partial<GrpcServerOptions> = {},
): Promise<TestStore> {
  const registry = options.registry ?? newRegistry();
  const server = new GrpcServer({address: "127.0.0.1:0", logger: nullLogger(), ...options, registry});
  serveStore(server, {queryable, info: () => storeInfo(), ...options, registry});
  server.setServing(true);
  const port = await server.listen();
  t.after(() => server.stop(100));
  return {address: `127.0.0.1:${port}`, port, server, registry};
}

/** A client of the address, closed with the test. */
export function connect(t: TestScope, address: string, options: Partial<GrpcClientOptions> = {}): GrpcClient {
  const client = new GrpcClient({address, metrics: rpcMetrics(newRegistry(), "client"), ...options});
  t.after(() => client.close());
  return client;
}

export const connectStore = (t: TestScope, address: string, options: Partial<GrpcClientOptions> = {}): StoreClient =>
  new StoreClient(connect(t, address, options));

export const storeInfo = (labels: Record<string, string> = {}): Init<info.InfoResponse> => ({
  componentType: "store",
  labelSets: [{labels: Object.entries(labels).map(([name, value]) => ({name, value}))}],
  store: {minTime: 0, maxTime: Number.POSITIVE_INFINITY, supportsSharding: true, supportsWithoutReplicaLabels: true},
});

/** A select of everything, changed by `change`. */
export const selectAll = (change: Partial<Select> = {}): Select => ({
  matchers: [matcher("__name__", "=~", ".+")],
  mint: 0,
  maxt: 2 ** 53,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [0],
  withoutReplicaLabels: [],
  skipChunks: false,
  limit: 0,
  partialResponse: true,
  budget: unlimited(),
  ...change,
});
