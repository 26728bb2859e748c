import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";

/** Absolute path of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Everything the set-up makes outside node_modules; ignored by git. */
export const cacheDir = join(root, ".cache");

/** The Node that runs Strata, its tests and its builds. Comes from the npm package `node`. */
export const projectNode = join(root, "node_modules/.bin/node");

export const venvDir = join(cacheDir, "venv");
