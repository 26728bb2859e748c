export {type CallContext, DEFAULT_TENANT, REQUEST_ID_KEY, TENANT_KEY} from "./call-context.ts";
export {type FrameGroup, type FrameStreamOptions, framesToBatches} from "./frame-stream.ts";
export {
  type CallOptions,
  type Compression,
  GrpcClient,
  type GrpcClientOptions,
  type Transport,
} from "./grpc-client.ts";
export {MESSAGE_HEADER} from "./grpc-internals.ts";
export {type RpcMetrics, rpcMetrics} from "./grpc-metrics.ts";
export {GrpcServer, type GrpcServerOptions} from "./grpc-server.ts";
export {asGrpcError, fromGrpcStatus, GRPC_CODE, type GrpcStatus, grpcCodeName, toGrpcStatus} from "./grpc-status.ts";
export {StoreClient} from "./store-client.ts";
export {labelQueryOf, matchersOf, protoMatchers, selectOf, seriesRequest} from "./store-request.ts";
export {callerOf, type StoreLimits, type StoreServiceOptions, serveInfo, serveStore} from "./store-service.ts";
export type {ClientTls, ServerTls, TlsVersion} from "./tls-config.ts";
