import {existsSync, readFileSync, rmSync, symlinkSync} from "node:fs";
import {join} from "node:path";
import {cleanNpmEnv, machineNode, run, tail} from "./exec.mjs";
import {projectNode, root} from "./paths.mjs";
import {SetupError, say, step} from "./progress.mjs";
import {hashFiles, listFiles, readJson, stampIs, writeStamp} from "./stamp.mjs";

const stamp = join(root, "node_modules/.cache/strata-install.json");
const minNode = 20;
const minNpm = 10;

/** `npm ci` when manifests or lock file changed since the last one, then a look whether the project's Node is there. */
export async function installDependencies() {
  checkMachine();
  const hash = hashFiles(manifests());
  if (!stampIs(stamp, hash) && !isInstalled()) await npmCi();
  await checkProjectNode();
  if (!stampIs(stamp, hash)) writeStamp(stamp, hash);
}

function checkMachine() {
  const node = Number(process.versions.node.split(".")[0]);
  if (node < minNode)
    throw new SetupError(`Node ${process.versions.node} is too old: the set-up needs ${minNode} or newer`);
  // `npm run` names itself here; without it the version is not worth the 0.3 s to ask for it.
  const npm = /^npm\/(\d+)\./.exec(process.env.npm_config_user_agent ?? "")?.[1];
  if (npm && Number(npm) < minNpm) throw new SetupError(`npm ${npm} is too old: the set-up needs ${minNpm} or newer`);
}

function manifests() {
  const files = ["package.json", "package-lock.json", ".npmrc"].map((name) => join(root, name));
  for (const group of ["packages", "cmd"]) {
    const skip = new Set(["node_modules", "dist", "src", "bin", "assembly", "test"]);
    files.push(...listFiles(join(root, group), skip).filter((path) => path.endsWith("/package.json")));
  }
  return files.filter((path) => existsSync(path));
}

/**
 * Whether node_modules already is what the lock file says, by npm's own record in it. So `npm install NAME` by hand is
 * not followed by an `npm ci` that removes and fetches everything again.
 */
function isInstalled() {
  const want = readJson(join(root, "package-lock.json"))?.packages;
  const have = readJson(join(root, "node_modules/.package-lock.json"))?.packages;
  if (!want || !have) return false;
  for (const [path, entry] of Object.entries(want)) {
    if (!path.includes("node_modules/")) {
      if (!sameDependencies(path, entry)) return false;
    } else if (entry.link) {
      if (!existsSync(join(root, path, "package.json"))) return false;
    } else {
      const there = have[path]?.version === entry.version && existsSync(join(root, path));
      // Optional ones are for other systems' processors, most of them.
      if (!there && !entry.optional) return false;
    }
  }
  return true;
}

/** Whether the lock file's copy of a manifest's dependencies is the manifest's. */
function sameDependencies(path, entry) {
  const manifest = readJson(join(root, path, "package.json"));
  const fields = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
  const text = (from) => JSON.stringify(fields.map((field) => Object.entries(from?.[field] ?? {}).sort()));
  return text(manifest) === text(entry);
}

/** The npm that runs this script, else the one on PATH; always by a Node outside of the tree it replaces. */
function npm(args) {
  const env = cleanNpmEnv();
  const self = process.env.npm_execpath;
  if (self && /npm-cli\.[cm]?js$/.test(self)) return run(machineNode(), [self, ...args], {env});
  return run("npm", args, {env});
}

async function npmCi() {
  await step("install dependencies (npm ci)", async () => {
    const result = await npm(["ci", "--no-audit", "--no-fund"]);
    if (result.code !== 0) throw new SetupError(`npm ci failed (${result.code}):\n${npmErrors(result.output)}`);
  });
}

/** What npm complained about, without the page of usage that it prints after it. */
function npmErrors(output) {
  const lines = output.split("\n").filter((line) => /^npm (error|ERR!) \S/.test(line));
  const usage = lines.findIndex((line) => /Clean install a project|Usage:/.test(line));
  const errors = usage < 0 ? lines : lines.slice(0, usage);
  return errors.length > 0 ? errors.slice(0, 20).join("\n") : tail(output);
}

/** npm 12 runs only the install scripts that the root manifest allows; older settings may block all of them. */
async function checkProjectNode() {
  const want = nodeMajor();
  let got = await projectNodeVersion();
  if (got?.startsWith(`v${want}.`)) return;
  say(`setup: npm did not run the install script of its package "node" (${got ?? "no binary"}); running it now`);
  await step(`install Node ${want}`, async () => {
    const dir = join(root, "node_modules/node");
    // The package's own preinstall script: fetches the binary's package for this machine and links it into bin/.
    const result = await run(machineNode(), ["installArchSpecificPackage.js"], {cwd: dir, env: cleanNpmEnv()});
    // npm made no link to a program that was not there yet.
    if (!existsSync(projectNode)) {
      rmSync(projectNode, {force: true});
      symlinkSync("../node/bin/node", projectNode);
    }
    got = await projectNodeVersion();
    if (!got?.startsWith(`v${want}.`)) {
      throw new SetupError(`cannot install Node ${want}: ${got ?? "no binary"}\n${tail(result.output)}`);
    }
  });
}

function nodeMajor() {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return manifest.devDependencies.node.replace(/^[^\d]*/, "").split(".")[0];
}

async function projectNodeVersion() {
  if (!existsSync(projectNode)) return undefined;
  const result = await run(projectNode, ["-v"]);
  return result.code === 0 ? result.output.trim() : undefined;
}
