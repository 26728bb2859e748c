// Puts the version of lerna.json into what is deployed by version: the chart, the images of manifests. Run by lerna between
// setting the version and committing it (npm's `version`); `--check` changes nothing and names what differs.
import {globSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {root} from "./lib/paths.mjs";

/** What stands before the version, by file. */
const PLACES = {
  "deploy/helm/strata/Chart.yaml": /^((?:appVersion|version): ).*$/gm,
  "deploy/kubernetes/**/kustomization.yaml": /^( +newTag: ).*$/gm,
  "deploy/kubernetes/prometheus/prometheus.yaml": /^( +image: .*\/strata:).*$/gm,
};

const check = process.argv[2] === "--check";
const {version} = JSON.parse(readFileSync(join(root, "lerna.json"), "utf8"));
const differing = [];
for (const [pattern, place] of Object.entries(PLACES)) {
  for (const file of globSync(pattern, {cwd: root})) {
    const path = join(root, file);
    const text = readFileSync(path, "utf8");
    const wanted = text.replace(place, `$1${version}`);
    if (wanted === text) continue;
    differing.push(file);
    if (!check) writeFileSync(path, wanted);
  }
}
for (const file of differing) console.log(`${file}: ${check ? "is not of" : "now of"} version ${version}`);
process.exitCode = check && differing.length > 0 ? 1 : 0;
