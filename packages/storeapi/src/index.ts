export {type EndpointApis, type EndpointApisOptions, endpointApis} from "./apis/endpoint-apis.ts";
export {exemplarSelectors} from "./apis/exemplar-calls.ts";
export {type Collected, collect} from "./apis/fan-out.ts";
export {type CountedHead, type HeadNumbers, headStatus} from "./apis/head-status.ts";
export {mergeExemplars} from "./apis/merge-exemplars.ts";
export {mergeMetadata} from "./apis/merge-metadata.ts";
export {labelSet, labelsOf, mergeRules, type RulesFilter} from "./apis/merge-rules.ts";
export {mergeStatistics, totalStatistics} from "./apis/merge-statistics.ts";
export {mergeTargets} from "./apis/merge-targets.ts";
export {type QueryApi, QueryClient, queryMessage, serveQuery} from "./apis/query-api.ts";
export {type ApiAnswer, type ApiSource, announce, type ReadApis, serveReadApis} from "./apis/read-api.ts";
export {type CallContext, DEFAULT_TENANT, REQUEST_ID_KEY, TENANT_KEY} from "./call-context.ts";
export type {Connection} from "./connection.ts";
export {ConnectionCache} from "./connection-cache.ts";
export {
  type ConnectionLabel,
  type EndpointApi,
  type EndpointHandle,
  EndpointSet,
  type EndpointSetOptions,
  type EndpointSpec,
  type EndpointStatus,
} from "./endpoint-set.ts";
export {type FrameGroup, type FrameStreamOptions, framesToBatches} from "./frame-stream.ts";
export {type GroupOptions, GroupTransport, type RetryPolicy} from "./group-transport.ts";
export {
  type CallOptions,
  type Compression,
  checkServiceConfig,
  GrpcClient,
  type GrpcClientOptions,
  type Transport,
} from "./grpc-client.ts";
export {MESSAGE_HEADER} from "./grpc-internals.ts";
export {type RpcMetrics, rpcMetrics} from "./grpc-metrics.ts";
export {type CallObserver, GrpcServer, type GrpcServerOptions, type ObservedCall} from "./grpc-server.ts";
export {asGrpcError, fromGrpcStatus, GRPC_CODE, type GrpcStatus, grpcCodeName, toGrpcStatus} from "./grpc-status.ts";
export {type MakeMatcher, matcherCache} from "./matcher-cache.ts";
export {type ProxyOutline, planFrom} from "./proxy-outline.ts";
export {ProxyStore, type ProxyStoreOptions} from "./proxy-store.ts";
export {type RpcEvent, RpcReplay, relayedRpcMetrics} from "./rpc-relay.ts";
export {callOptions, StoreClient} from "./store-client.ts";
export {chooseStores, type LabelSetSelector, labelSetsMatch, matchExternal} from "./store-filter.ts";
export {int64Text, labelSetsText, type StoreHandle, storeText} from "./store-handle.ts";
export {labelQueryOf, matchersOf, protoMatchers, selectOf, seriesRequest} from "./store-request.ts";
export {callerOf, type StoreLimits, type StoreServiceOptions, serveInfo, serveStore} from "./store-service.ts";
export {openPlan, type StorePlan, type StoreStreamOptions, storeBatches} from "./store-stream.ts";
export type {ClientTls, ServerTls, TlsVersion} from "./tls-config.ts";
export {type TsdbStore, tsdbHandle, tsdbInfo} from "./tsdb-store.ts";
