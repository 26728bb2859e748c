// Adds to package-lock.json the packages for other systems that npm left out: `npm install` writes an optional
// dependency only when its description could be fetched, and `npm ci` then refuses the lock file as incomplete. Run it
// after `npm install NAME` when test/setup says so. `--check` only lists them and exits 1 when there are any.
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {root} from "./lib/paths.mjs";
import {writeFileWhole} from "./lib/stamp.mjs";

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

/** [path in node_modules, entry] of each optional dependency that has no entry of its own. */
export function missingOptional(packages) {
  const missing = new Map();
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (packages[`node_modules/${name}`] || packages[`${parent}/node_modules/${name}`]) continue;
      missing.set(`node_modules/${name}`, entryOf(name, version, entry));
    }
  }
  return missing;
}

/** Such packages are named …-SYSTEM-PROCESSOR[-LIBC], and share version, licence and engines with their parent. */
function entryOf(name, version, parent) {
  const words = name.split(/[-/]/);
  const os = systems.find((word) => words.includes(word));
  const cpu = processors.find((word) => words.includes(word));
  const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version);
  if (!exact || (!os && !words.some((word) => word.startsWith("wasm")))) return undefined;
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : undefined;
  return {
    version,
    ...(cpu && {cpu: [cpu]}),
    ...(parent.dev && {dev: true}),
    ...(libc && {libc}),
    ...(parent.license && {license: parent.license}),
    optional: true,
    ...(os && {os: [os]}),
    ...(parent.engines && {engines: parent.engines}),
  };
}

function main() {
  const file = join(root, "package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const missing = missingOptional(lock.packages);
  const fix = !process.argv.includes("--check");
  for (const [path, entry] of missing) {
    if (fix && entry) lock.packages[path] = entry;
    const done = fix && entry ? "added" : fix ? "cannot derive" : "missing";
    console.log(`${done}: ${path}`);
    if (done !== "added") process.exitCode = 1;
  }
  if (!fix || missing.size === 0) return;
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  writeFileWhole(file, `${JSON.stringify({...lock, packages: Object.fromEntries(sorted)}, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) main();
