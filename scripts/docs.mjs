// `npm run docs`: writes the pages of docs/ that are made from the program itself: flags.md from the flag tables,
// metrics.md from what running components register; and what of deploy/ is made from other files.
import {spawnSync} from "node:child_process";
import {join} from "node:path";
import {projectEnv} from "./lib/builds.mjs";
import {projectNode, root} from "./lib/paths.mjs";

const options = {stdio: "inherit", cwd: root, env: projectEnv()};
const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs"), "--test"], options);
process.exitCode =
  setup.status !== 0 ? 1 : (spawnSync(projectNode, [join(root, "test/docs/generate/main.ts")], options).status ?? 1);
await import("./deploy-files.mjs");
