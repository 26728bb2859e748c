// Writes deploy/grafana/dashboards/*.json from their definitions; `npm run docs` runs it, too.
import {join, relative} from "node:path";
import {DASHBOARDS} from "./lib/dashboard-definitions.mjs";
import {root} from "./lib/paths.mjs";
import {writeFileWhole} from "./lib/stamp.mjs";

for (const dashboard of DASHBOARDS) {
  const path = join(root, "deploy/grafana/dashboards", `${dashboard.uid}.json`);
  writeFileWhole(path, `${JSON.stringify(dashboard, null, 2)}\n`);
  console.log(`docs: wrote ${relative(root, path)}`);
}
