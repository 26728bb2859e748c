export {
  basicCredentials,
  type Credentials,
  type HeaderFields,
  type OutgoingRequest,
} from "./credentials.ts";
export {type HttpAnswer, HttpClient, type HttpClientConfig, type HttpRequest} from "./http-client.ts";
export {
  httpClientConfig,
  httpClientFields,
  isReservedHeader,
  type MakeCredentials,
  parseHttpClientConfig,
} from "./http-client-config.ts";
export {type HttpClientMetrics, httpClientMetrics} from "./http-metrics.ts";
export {type Lasting, Renewed} from "./renewed.ts";
