import {existsSync} from "node:fs";
import {delimiter, join} from "node:path";
import {cleanNpmEnv, run, tail} from "./exec.mjs";
import {projectNode, root} from "./paths.mjs";
import {SetupError, step} from "./progress.mjs";
import {hashFiles, listFiles, readJson, stampIs, writeStamp} from "./stamp.mjs";

const generated = new Set(["node_modules", "dist", "generated", ".cache"]);

/** The environment in which builds run: the project's Node and tools first on PATH. */
export function projectEnv() {
  const env = cleanNpmEnv();
  env.PATH = `${join(root, "node_modules/.bin")}${delimiter}${env.PATH ?? ""}`;
  return env;
}

/** Builds the kernels (AssemblyScript) and the pages, each only when its sources changed. */
export async function buildGenerated() {
  await buildKernels();
  await buildUi();
}

async function buildKernels() {
  const dir = join(root, "packages/kernels");
  const script = join(dir, "build.mjs");
  if (!existsSync(script)) return;
  const hash = hashFiles([script, ...listFiles(join(dir, "assembly"))], compilerVersion("assemblyscript"));
  const out = join(dir, "src/generated");
  const stamp = join(out, ".strata-build.json");
  if (stampIs(stamp, hash) && listFiles(out).some((path) => path.endsWith(".ts"))) return;
  await build("build the kernels", projectNode, [script], dir);
  writeStamp(stamp, hash);
}

async function buildUi() {
  const dir = join(root, "packages/ui");
  const manifest = readJson(join(dir, "package.json"));
  if (!manifest?.scripts?.build) return;
  const sources = listFiles(dir, generated).filter((path) => !/\.(test\.tsx?|md|tsbuildinfo)$/.test(path));
  const hash = hashFiles(sources, compilerVersion("vite"), compilerVersion("react"));
  const stamp = join(dir, "dist/.strata-build.json");
  if (stampIs(stamp, hash)) return;
  await build("build the pages", "npm", ["run", "build"], dir);
  if (existsSync(join(dir, "dist"))) writeStamp(stamp, hash);
}

async function build(title, command, args, cwd) {
  await step(title, async () => {
    const result = await run(command, args, {cwd, env: projectEnv()});
    if (result.code !== 0) throw new SetupError(`cannot ${title} (${result.code}):\n${tail(result.output, 40)}`);
  });
}

function compilerVersion(name) {
  return readJson(join(root, "node_modules", name, "package.json"))?.version ?? "absent";
}
