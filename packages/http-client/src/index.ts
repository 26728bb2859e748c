export {type HttpAnswer, HttpClient, type HttpClientConfig, type HttpRequest} from "./http-client.ts";
export {httpClientConfig, parseHttpClientConfig} from "./http-client-config.ts";
export {type HttpClientMetrics, httpClientMetrics} from "./http-metrics.ts";
