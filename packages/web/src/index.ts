export type {
  BlocksPlan,
  PlannedCompaction,
  PlannedDeletion,
  PlannedDownsampling,
  PlannedGroup,
  PlannedMark,
} from "./api/blocks-plan.ts";
export type {BlockMarks, BlocksApiOptions, BlocksView} from "./api/blocks-routes.ts";
export type {
  EndpointBackend,
  EndpointCall,
  ExemplarsQuery,
  MetadataQuery,
  RulesBackend,
  RulesQuery,
  StatisticsQuery,
  TargetsQuery,
} from "./api/endpoint-backend.ts";
export type {EndpointDefaults, RulesDefaults} from "./api/endpoint-routes.ts";
export {Api, type ApiAnswer, type ApiHandler, type ApiOptions, CORS_HEADERS, type JsonPieces} from "./api/envelope.ts";
export {goJson, int64Json} from "./api/go-json.ts";
export {addPagesRoute, type PagesOptions} from "./api/pages-route.ts";
export {MAX_TIME, MIN_TIME} from "./api/param-values.ts";
export type {
  ActiveQuery,
  FederateParams,
  InstantParams,
  MetadataParams,
  NameEscaping,
  PlanTree,
  QueryAnswer,
  QueryBackend,
  QueryParams,
  RangeParams,
  SeriesAnswer,
  SeriesParams,
  StoreStatus,
  ValuesAnswer,
} from "./api/query-backend.ts";
export type {QueryDefaults} from "./api/query-params.ts";
export {addStatusRoutes, type StatusOptions} from "./api/status-routes.ts";
export {type HttpMetrics, httpMetrics} from "./http-metrics.ts";
export {type HttpServer, type HttpServerOptions, listen, splitAddress} from "./http-server.ts";
export {type ErrorType, type HttpFailure, httpFailure} from "./http-status.ts";
export {
  type Handler,
  type HttpBody,
  type HttpRequest,
  type HttpResponse,
  plainText,
  redirect,
  textError,
} from "./http-types.ts";
export {linkPrefix, normalisePrefix, type PrefixOptions, prefixOptions} from "./prefix.ts";
export {addCommonRoutes, newProbes, type Probes} from "./probes.ts";
export {type ProtocolLogConfig, parseRequestLogConfig, type RequestLogConfig} from "./request-log.ts";
export {type Route, Router} from "./router.ts";
export {addStaticRoutes, type StaticOptions} from "./static-assets.ts";
export {
  type CertificateField,
  DEFAULT_TENANT,
  DEFAULT_TENANT_CONFIG,
  DEFAULT_TENANT_HEADER,
  resolveTenant,
  type TenantConfig,
} from "./tenant.ts";
export {type ListenerTls, tlsListener} from "./tls-listener.ts";
export {cipherList, curveList, tlsVersionName} from "./tls-names.ts";
export {loadWebConfig, type WebConfig} from "./web-config.ts";
