import {exposition, type Logger, negotiate, type Registry} from "@strata/telemetry";
import {plainText} from "./http-types.ts";
import {addProfileRoutes} from "./profiles.ts";
import type {Router} from "./router.ts";

/** Health and readiness of a component. */
export type Probes = {
  readonly healthy: boolean;
  readonly ready: boolean;
  setHealthy(): void;
  setReady(): void;
  /** Takes readiness away, with the reason for the log; given again by `setReady`. */
  setNotReady(reason: string): void;
  setNotHealthy(reason: string): void;
};

/** Probes that start as neither healthy nor ready, and the gauge `thanos_status` that shows them. */
export function newProbes(component: string, registry: Registry, log: Logger): Probes {
  const status = registry.gauge({
    name: "thanos_status",
    help: "Whether the component is healthy and ready, 0 or 1.",
    labels: ["check", "component"],
    preset: [
      {check: "healthy", component},
      {check: "ready", component},
    ],
  });
  const state = {healthy: false, ready: false};
  const set = (check: "healthy" | "ready", value: boolean, reason?: string): void => {
    if (state[check] === value) return;
    state[check] = value;
    status.with({check, component}).set(value ? 1 : 0);
    if (value) log.info("changing probe status", {status: check});
    else log.warn("changing probe status", {status: `not-${check}`, reason});
  };
  return {
    get healthy() {
      return state.healthy;
    },
    get ready() {
      return state.ready;
    },
    setHealthy: () => set("healthy", true),
    setReady: () => set("ready", true),
    setNotReady: (reason) => set("ready", false, reason),
    setNotHealthy: (reason) => set("healthy", false, reason),
  };
}

/** Adds what every component serves whatever its prefix: metrics, probes, profiles. */
export function addCommonRoutes(router: Router, registry: Registry, probes: Probes): void {
  router.any("/metrics", async (request) => {
    const format = negotiate(request.headers.accept);
    const body = await exposition(registry, format);
    return {status: 200, headers: {"content-type": format.contentType}, body, compress: true};
  });
  const probe = (ok: boolean) => (ok ? plainText(200, "OK") : plainText(503, "NOT OK"));
  router.any("/-/healthy", () => probe(probes.healthy));
  router.any("/-/ready", () => probe(probes.ready));
  addProfileRoutes(router);
}
