import {newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import {httpMetrics} from "./http-metrics.ts";
import {type HttpServer, type HttpServerOptions, listen} from "./http-server.ts";
import {addCommonRoutes, newProbes, type Probes} from "./probes.ts";
import {Router} from "./router.ts";

export type TestServer = {
  readonly server: HttpServer;
  readonly router: Router;
  readonly registry: Registry;
  readonly probes: Probes;
  readonly url: string;
};

/** A server with the common routes on a free port, closed when the test is over. */
export async function startTestServer(
  t: {after(fn: () => Promise<void>): void},
  options: Partial<HttpServerOptions> = {},
): Promise<TestServer> {
  const router = new Router();
  const registry = newRegistry();
  const probes = newProbes("test", registry, nullLogger());
  addCommonRoutes(router, registry, probes);
  const metrics = httpMetrics(registry, false);
  const server = await listen({address: "127.0.0.1:0", router, log: nullLogger(), metrics, ...options});
  t.after(() => server.close(0));
  return {server, router, registry, probes, url: server.url};
}
