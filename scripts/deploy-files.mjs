// Keeps what is deployed up to date with what it is made from: the version of lerna.json in the chart and in the images of
// manifests; rules and dashboards in the forms in which Kubernetes takes them. Run by lerna between setting the version and
// committing it (npm's `version`), and by `npm run docs`; `--check` changes nothing and names what differs.
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {staleDeployFiles} from "./lib/deploy-copies.mjs";
import {root} from "./lib/paths.mjs";
import {writeFileWhole} from "./lib/stamp.mjs";

const check = process.argv[2] === "--check";
const {version} = JSON.parse(readFileSync(join(root, "lerna.json"), "utf8"));
const stale = staleDeployFiles(version);
for (const [file, text] of stale) {
  if (!check) writeFileWhole(join(root, file), text);
  console.log(`${file}: ${check ? "is stale" : `written`}`);
}
if (check && stale.size > 0) process.exitCode = 1;
