// `npm run bench [-- part of a name …]`: runs bench/*.bench.ts and every package's *.bench.ts one after the other under
// the project's Node, so that none takes the other's core. Says on which machine, because only ratios travel.
import {spawnSync} from "node:child_process";
import {cpus, loadavg, totalmem} from "node:os";
import {join, relative} from "node:path";
import {projectEnv} from "./lib/builds.mjs";
import {run} from "./lib/exec.mjs";
import {projectNode, root} from "./lib/paths.mjs";
import {listFiles} from "./lib/stamp.mjs";

async function main() {
  const filters = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));
  const flags = process.argv.slice(2).filter((arg) => arg.startsWith("-"));
  const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], {stdio: "inherit", cwd: root});
  if (setup.status !== 0) return 1;
  const skip = new Set(["node_modules", "dist", "generated"]);
  const files = ["bench", "packages", "cmd"]
    .flatMap((dir) => listFiles(join(root, dir), skip))
    .map((path) => relative(root, path))
    .filter(
      (path) => path.endsWith(".bench.ts") && (filters.length === 0 || filters.some((name) => path.includes(name))),
    );
  if (files.length === 0) {
    console.error(`bench: no *.bench.ts matches ${filters.join(" ")}`);
    return 2;
  }
  const node = (await run(projectNode, ["-v"])).output.trim();
  const [load] = loadavg();
  console.log(
    `machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
      `Node ${node}, load ${load.toFixed(2)}${load > cpus().length / 2 ? " (busy: expect noise)" : ""}`,
  );
  const failed = [];
  for (const file of files) {
    console.log(`\n── ${file}`);
    const {status} = spawnSync(projectNode, ["--expose-gc", file, ...flags], {
      cwd: root,
      env: projectEnv(),
      stdio: "inherit",
    });
    if (status !== 0) failed.push(file);
  }
  if (failed.length > 0) console.error(`\nbench: failed: ${failed.join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = await main();
