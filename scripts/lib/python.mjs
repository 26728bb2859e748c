import {existsSync, readFileSync, rmSync} from "node:fs";
import {join} from "node:path";
import {run, tail, which} from "./exec.mjs";
import {root, venvDir} from "./paths.mjs";
import {SetupError, step} from "./progress.mjs";
import {hashFiles, stampIs, writeStamp} from "./stamp.mjs";

const requirements = join(root, "scripts/requirements-test.txt");
const stamp = join(venvDir, "strata-install.json");

/** What the tests run from the virtual environment, and the pip requirement that brings it. */
export const pythonTools = [
  {name: "moto", program: "moto_server"},
  {name: "gcp-storage-emulator", program: "gcp-storage-emulator"},
];

const isThere = (tool) => existsSync(join(venvDir, "bin", tool.program)) || which(tool.program) !== undefined;

/** Makes .cache/venv and installs the requirements. Returns {what, why, todo} for each thing that is absent. */
export async function installPythonTools() {
  const hash = hashFiles([requirements]);
  if (stampIs(stamp, hash) && pythonTools.every(isThere)) return [];
  const python = which("python3");
  if (!python) return absent("there is no python3", "install Python 3.9 or newer and run npm run setup:test again");
  try {
    await step("install moto and gcp-storage-emulator (pip)", async () => {
      await makeVenv(python);
      await pipInstall();
    });
    writeStamp(stamp, hash);
  } catch (err) {
    if (!(err instanceof SetupError)) throw err;
    return absent(err.message, "run npm run setup:test again when that is mended");
  }
  return absent("pip did not install its program", `remove ${venvDir} and run npm run setup:test again`);
}

function absent(why, todo) {
  return pythonTools.filter((tool) => !isThere(tool)).map((tool) => ({what: tool.name, why, todo}));
}

const python = () => join(venvDir, "bin/python");

/** `venv` first; where its ensurepip is absent (Debian splits it off), virtualenv; as root, Debian's package. */
async function makeVenv(system) {
  if (existsSync(python()) && (await run(python(), ["-m", "pip", "--version"])).code === 0) return;
  const attempts = [
    () => run(system, ["-m", "venv", venvDir]),
    () => run(system, ["-m", "virtualenv", venvDir]),
    () => run("virtualenv", [venvDir]),
  ];
  if (process.getuid?.() === 0 && which("apt-get")) {
    const env = {...process.env, DEBIAN_FRONTEND: "noninteractive"};
    attempts.push(async () => {
      await run("apt-get", ["install", "-y", "--no-install-recommends", "python3-venv"], {env, cwd: "/"});
      // Debian's own Python: the one on PATH may be another, which that package does not complete.
      return run(existsSync("/usr/bin/python3") ? "/usr/bin/python3" : system, ["-m", "venv", venvDir]);
    });
  }
  let last;
  for (const attempt of attempts) {
    rmSync(venvDir, {recursive: true, force: true});
    last = await attempt();
    if (last.code === 0 && existsSync(python()) && (await run(python(), ["-m", "pip", "--version"])).code === 0) return;
  }
  throw new SetupError(`cannot make a virtual environment: ${tail(last.output, 1)}`);
}

async function pipInstall() {
  const base = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
  const all = await run(python(), [...base, "-r", requirements]);
  if (all.code === 0) return;
  // Line by line, so that one that cannot be installed does not take the others along.
  const lines = readFileSync(requirements, "utf8")
    .split("\n")
    .filter((line) => /^[a-z]/i.test(line));
  let failed;
  for (const line of lines) {
    const one = await run(python(), [...base, line]);
    if (one.code !== 0) failed ??= one;
  }
  if (failed) throw new SetupError(`pip: ${tail(failed.output, 1)}`);
}
