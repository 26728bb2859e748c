// `node scripts/assemble.mjs DIR`: puts what a running strata needs into the empty or new folder DIR, out of a built
// repository: Node, sources without tests, the pages, and the packages they use, none of those that only build or test.
// The image is made of it, and a folder to run from without npm. `--warm` also fills a compile cache by starting it once.
import {spawn} from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import {basename, dirname, join, relative, resolve} from "node:path";
import {root} from "./lib/paths.mjs";
import {runtimePackages} from "./lib/runtime-packages.mjs";

/** In the folder: what Node has compiled. Read only is good enough for it. */
const COMPILE_CACHE = ".compile-cache";
const WARM_MS = 60_000;

const USAGE = "usage: node scripts/assemble.mjs DIR [--warm]";

async function main(args) {
  const [dir, ...more] = args.filter((arg) => arg !== "--warm");
  if (dir === undefined || dir.startsWith("-") || more.length > 0) throw new Error(USAGE);
  const out = resolve(dir);
  if (existsSync(out) && readdirSync(out).length > 0) throw new Error(`${dir} is not empty`);
  const needed = [join(root, "packages/ui/dist"), join(root, "packages/kernels/src/generated")];
  const absent = needed.find((path) => !existsSync(path));
  if (absent !== undefined) throw new Error(`${relative(root, absent)} is not there; run npm run build first`);
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const {workspaces, installed} = runtimePackages(lock, (path) => existsSync(join(root, path)));
  for (const path of workspaces) copyWorkspace(path, out);
  for (const path of installed) copyInstalled(path, out);
  mkdirSync(join(out, "bin"), {recursive: true});
  cpSync(join(root, "node_modules/node/bin/node"), join(out, "bin/node"));
  symlinkSync("../cmd/strata/bin/strata.js", join(out, "bin/strata"));
  for (const file of ["LICENSE", "lerna.json"]) cpSync(join(root, file), join(out, file));
  if (args.includes("--warm")) await warm(out);
  console.log(`assembled ${workspaces.length} packages and ${installed.length} that they use in ${out}`);
}

/** Sources as they are, without what only tests and benchmarks read; of the pages only what is served. */
function copyWorkspace(path, out) {
  const from = join(root, path);
  const to = join(out, path);
  const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
  const parts = path === "packages/ui" ? readdirSync(from).filter((name) => /^dist$|\.js$/.test(name)) : ["src", "bin"];
  for (const part of parts.filter((name) => existsSync(join(from, name)))) {
    cpSync(join(from, part), join(to, part), {
      recursive: true,
      filter: (file) => !/\.(test|bench)\.tsx?$|\/testing$/.test(file),
    });
  }
  delete manifest.devDependencies;
  delete manifest.scripts;
  // What the pages are built of is in them.
  if (path === "packages/ui") delete manifest.dependencies;
  writeFileSync(join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const link = join(out, "node_modules", manifest.name);
  mkdirSync(dirname(link), {recursive: true});
  symlinkSync(relative(dirname(link), to), link);
}

function copyInstalled(path, out) {
  const from = join(root, path);
  const own = join(from, "node_modules");
  cpSync(from, join(out, path), {
    recursive: true,
    // Packages within it are in the list themselves, where they are needed.
    filter: (file) => file !== own && !/\.(map|md|markdown|[cm]?ts|tsbuildinfo)$/i.test(basename(file)),
  });
}

/** Starts everything once, so that all of it is compiled. */
async function warm(out) {
  const data = join(out, ".warm");
  const args = ["standalone", `--data-dir=${data}`, "--no-demo", "--no-prometheus"];
  const child = spawn(
    join(out, "bin/node"),
    [join(out, "bin/strata"), ...args, "--http-address=127.0.0.1:0", "--remote-write.address=127.0.0.1:0"],
    {
      cwd: out,
      env: {...process.env, NODE_COMPILE_CACHE: join(out, COMPILE_CACHE), NODE_COMPILE_CACHE_PORTABLE: "1"},
      stdio: ["ignore", "pipe", "pipe"],
      timeout: WARM_MS,
    },
  );
  let [text, log] = ["", ""];
  child.stderr.on("data", (part) => {
    log += part;
  });
  child.stdout.on("data", (part) => {
    text += part;
    if (text.includes("Strata is ready")) child.kill("SIGTERM");
  });
  const code = await new Promise((done) => child.on("close", (status, signal) => done(status ?? signal)));
  if (code !== 0) throw new Error(`what was assembled does not run: it ended with ${code}\n${log}`);
  rmSync(data, {recursive: true, force: true});
  // Node writes them for its own user only, and who runs the image is another.
  const cache = join(out, COMPILE_CACHE);
  for (const entry of readdirSync(cache, {recursive: true, withFileTypes: true})) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

try {
  await main(process.argv.slice(2));
} catch (err) {
  console.error(`assemble: ${err.message}`);
  process.exitCode = 1;
}
