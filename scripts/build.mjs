// `npm run build`: kernels and pages, then the type check of every package, which also emits into dist/ for release.
import {spawnSync} from "node:child_process";
import {join} from "node:path";
import {buildGenerated, projectEnv} from "./lib/builds.mjs";
import {alone} from "./lib/lock.mjs";
import {installDependencies} from "./lib/node-modules.mjs";
import {root} from "./lib/paths.mjs";
import {SetupError, say} from "./lib/progress.mjs";

try {
  await alone(async () => {
    await installDependencies();
    await buildGenerated();
  });
  const started = Date.now();
  const {status} = spawnSync(join(root, "node_modules/.bin/tsc"), ["-b"], {
    cwd: root,
    env: projectEnv(),
    stdio: "inherit",
  });
  say(`build: tsc -b ${status === 0 ? "is clean" : "failed"} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  process.exitCode = status ?? 1;
} catch (err) {
  console.error(err instanceof SetupError ? `build: ${err.message}` : err);
  process.exitCode = 1;
}
