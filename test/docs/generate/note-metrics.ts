// Loaded into a process of Strata before all else (`--import`): notes every metric that is registered, also those that
// have no series yet and so are not on /metrics, and leaves the list in STRATA_METRICS_DIR when the process ends.
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {isMainThread} from "node:worker_threads";
import prom from "prom-client";

export type NotedMetric = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
};

const dir = process.env.STRATA_METRICS_DIR;
if (dir !== undefined && isMainThread) {
  const noted = new Map<string, NotedMetric>();
  const register = prom.Registry.prototype.registerMetric;
  prom.Registry.prototype.registerMetric = function (this: prom.Registry, metric) {
    const {name, help, labelNames} = metric as unknown as {name: string; help: string; labelNames: readonly string[]};
    noted.set(name, {name, type: metric.constructor.name.toLowerCase(), help, labels: labelNames});
    register.call(this, metric);
  };
  process.on("exit", () => {
    if (noted.size > 0) writeFileSync(join(dir, `${process.pid}.json`), JSON.stringify([...noted.values()]));
  });
}
