// `npm run lint [-- --write] [path …]`: formatting and the rules of biome.json.
import {spawnSync} from "node:child_process";
import {join} from "node:path";
import {root} from "./lib/paths.mjs";

const args = process.argv.slice(2);
const paths = args.filter((arg) => !arg.startsWith("-"));
const flags = args.filter((arg) => arg.startsWith("-"));
const biome = join(root, "node_modules/.bin/biome");
const check = ["check", "--error-on-warnings", ...flags, ...(paths.length > 0 ? paths : ["."])];
process.exitCode = spawnSync(biome, check, {cwd: root, stdio: "inherit"}).status ?? 1;
