import {globSync, readFileSync} from "node:fs";
import {basename, join} from "node:path";
import {DASHBOARDS} from "./dashboard-definitions.mjs";
import {root} from "./paths.mjs";

/** What stands before the version, by file. */
const VERSIONS = {
  "deploy/helm/strata/Chart.yaml": /^((?:appVersion|version): ).*$/gm,
  "deploy/kubernetes/**/kustomization.yaml": /^( +newTag: ).*$/gm,
  "deploy/kubernetes/prometheus/prometheus.yaml": /^( +image: .*\/strata:).*$/gm,
};

/** Recording rules first: alerts use them. */
const RULES = ["strata-recording.yml", "strata-alerts.yml"];

const NOTE = "# Written by `npm run docs` from";

/** Files below deploy/ that are not as `version`, rules and dashboards make them, with the text they should have. */
export function staleDeployFiles(version) {
  const wanted = new Map([...versioned(version), ...dashboards(), ...rules()]);
  return new Map([...wanted].filter(([file, text]) => textOf(file) !== text));
}

function* versioned(version) {
  for (const [pattern, place] of Object.entries(VERSIONS)) {
    for (const file of globSync(pattern, {cwd: root})) yield [file, textOf(file).replace(place, `$1${version}`)];
  }
}

/** For people and Grafana's provisioning with line breaks, for the chart without: a release of Helm has a size limit. */
function* dashboards() {
  for (const dashboard of DASHBOARDS) {
    const name = `${dashboard.uid}.json`;
    yield [`deploy/grafana/dashboards/${name}`, `${JSON.stringify(dashboard, null, 2)}\n`];
    yield [`deploy/helm/strata/files/dashboards/${name}`, `${JSON.stringify(dashboard)}\n`];
  }
}

function* rules() {
  const sources = RULES.map((name) => `deploy/monitoring/rules/${name}`);
  for (const source of sources) {
    yield [`deploy/helm/strata/files/rules/${basename(source)}`, `${NOTE} ${source}.\n${textOf(source)}`];
  }
  yield ["deploy/kubernetes/monitoring/prometheusrule.yaml", prometheusRule(sources)];
}

function prometheusRule(sources) {
  const groups = sources.map((source) => textOf(source).split("\ngroups:\n")[1]);
  return `${NOTE} ${sources.join(" and ")}.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: strata
  namespace: strata
  labels:
    app.kubernetes.io/name: strata
spec:
  groups:
${groups.join("").replace(/^(?=.)/gm, "    ")}`;
}

function textOf(file) {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch (err) {
    if (err.code === "ENOENT") return undefined;
    throw err;
  }
}
