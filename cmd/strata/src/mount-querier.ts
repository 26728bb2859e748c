import type {Api, EndpointBackend, EndpointDefaults, PrefixOptions, QueryBackend, QueryDefaults} from "@strata/web";
import {addEndpointRoutes, addFederateRoute, addQueryRoutes} from "@strata/web/api";
import type {Runtime} from "./runtime.ts";

export type MountOptions = {
  readonly prefixes: PrefixOptions;
  readonly cors: boolean;
  readonly defaults: QueryDefaults;
  readonly endpointDefaults: Pick<EndpointDefaults, "partialResponse">;
};

/** Puts the querier's API and pages on a component's HTTP server; the API may get more routes. */
export function mountQuerier(
  runtime: Runtime,
  backend: QueryBackend,
  endpoints: EndpointBackend,
  options: MountOptions,
): Api {
  const {prefixes, cors, defaults, endpointDefaults} = options;
  const {replicaLabels, tenants} = defaults;
  const api = runtime.api({prefixes, cors});
  addQueryRoutes(api, backend, defaults);
  addFederateRoute(runtime.router, prefixes.route, backend, defaults);
  addEndpointRoutes(api, endpoints, {...endpointDefaults, replicaLabels, tenants});
  return api;
}
