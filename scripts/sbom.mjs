// `npm run -s sbom [-- FILE]`: what a running strata is made of, as CycloneDX JSON, by the lock file alone (nothing has to be
// installed). npm writes it of everything; here it is cut down to what the image holds, Node with it.
import {spawnSync} from "node:child_process";
import {readFileSync, writeFileSync} from "node:fs";
import {join, resolve} from "node:path";
import {cleanNpmEnv} from "./lib/exec.mjs";
import {root} from "./lib/paths.mjs";
import {runtimePackages} from "./lib/runtime-packages.mjs";

const readJson = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));

function main([file, ...more]) {
  if (more.length > 0 || file?.startsWith("-")) throw new Error("usage: npm run -s sbom [-- FILE]");
  const text = `${JSON.stringify(cutDown(everything()), null, 2)}\n`;
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(resolve(process.env.INIT_CWD ?? process.cwd(), file), text);
}

function everything() {
  const args = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=application"];
  const {status, stdout, stderr} = spawnSync("npm", args, {
    cwd: root,
    env: cleanNpmEnv(),
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

/** Components by `name@version`, which is also how npm refers to them. */
function cutDown(bom) {
  const lock = readJson("package-lock.json");
  const {workspaces, installed} = runtimePackages(lock);
  const refOf = (path) => {
    const {name, version} = lock.packages[path];
    return `${name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)}@${version}`;
  };
  const own = workspaces.map(refOf);
  const node = refOf("node_modules/node");
  const kept = new Set([...own, ...installed.map(refOf), node]);
  const {version} = readJson("lerna.json");
  const main = `strata@${version}`;
  const {bomFormat, specVersion, serialNumber} = bom;
  const {timestamp, tools} = bom.metadata;
  return {
    bomFormat,
    specVersion,
    serialNumber,
    version: 1,
    metadata: {
      // Of a release, so that the same commit gives the same file.
      timestamp: process.env.SOURCE_DATE_EPOCH
        ? new Date(1000 * process.env.SOURCE_DATE_EPOCH).toISOString()
        : timestamp,
      tools,
      component: {
        "bom-ref": main,
        type: "application",
        name: "strata",
        version,
        description: readJson("package.json").description,
        licenses: [{license: {id: "Apache-2.0"}}],
      },
    },
    components: bom.components
      .filter((one) => kept.has(one["bom-ref"]))
      // npm calls a workspace by its folder.
      .map((one) => ({...one, name: one["bom-ref"].slice(0, one["bom-ref"].lastIndexOf("@")), scope: "required"})),
    dependencies: [
      {ref: main, dependsOn: [refOf("cmd/strata"), node]},
      ...bom.dependencies
        .filter(({ref}) => kept.has(ref))
        .map(({ref, dependsOn}) => ({ref, dependsOn: dependsOn.filter((other) => kept.has(other))})),
    ],
  };
}

try {
  main(process.argv.slice(2));
} catch (err) {
  console.error(`sbom: ${err.message}`);
  process.exitCode = 1;
}
