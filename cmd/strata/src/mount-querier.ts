import {assetsDir, pages} from "@strata/ui";
import {addQueryRoutes, addStaticRoutes, type PrefixOptions, type QueryBackend, type QueryDefaults} from "@strata/web";
import type {Runtime} from "./runtime.ts";

export type MountOptions = {
  readonly prefixes: PrefixOptions;
  readonly cors: boolean;
  readonly defaults: QueryDefaults;
};

/** Puts the querier's API and pages on a component's HTTP server. */
export function mountQuerier(runtime: Runtime, backend: QueryBackend, options: MountOptions): void {
  const {prefixes, cors, defaults} = options;
  addQueryRoutes(runtime.api({routePrefix: prefixes.route, cors}), backend, defaults);
  addStaticRoutes(runtime.router, {dir: assetsDir, prefixes, pages});
}
