import {existsSync, readdirSync, readFileSync, rmSync, statSync} from "node:fs";
import {run, tail, which} from "./exec.mjs";
import {step} from "./progress.mjs";
import {writeFileWhole} from "./stamp.mjs";

/** What the tests run, by Debian's package and the programs that make it present. */
export const packages = [
  {name: "prometheus", programs: ["prometheus", "promtool"]},
  {name: "prometheus-alertmanager", programs: ["prometheus-alertmanager", "alertmanager"]},
  {name: "prometheus-node-exporter", programs: ["prometheus-node-exporter", "node_exporter"]},
  {name: "prometheus-pushgateway", programs: ["prometheus-pushgateway", "pushgateway"]},
  {name: "redis-server", programs: ["redis-server"]},
  {name: "memcached", programs: ["memcached"]},
  {name: "chromium", programs: ["chromium", "chromium-browser", "google-chrome"]},
];

const isThere = (entry) =>
  entry.name === "prometheus" ? entry.programs.every((p) => which(p)) : entry.programs.some((p) => which(p));

/**
 * Installs what is absent, with apt, as root. Returns {what, why, todo} for each thing that is absent afterwards.
 * No service is started or enabled: tests start their own processes on ports of their own.
 */
export async function installDebianPackages() {
  let absent = packages.filter((entry) => !isThere(entry));
  if (absent.length === 0) return [];
  const names = absent.map((entry) => entry.name);
  const missing = (why, todo) => absent.map((entry) => ({what: entry.name, why, todo: todo(entry.name)}));
  const byHand = (name) => `run: sudo apt-get install --no-install-recommends ${name}`;
  if (!which("apt-get") || !which("dpkg-query")) return missing("this system has no apt", () => "put it on PATH");
  if (process.getuid?.() !== 0) return missing("installing needs root", byHand);
  const failures = await step(`install ${names.join(", ")} (apt)`, () => withoutServices(() => install(names)));
  absent = absent.filter((entry) => !isThere(entry));
  return missing("", byHand).map((entry) => ({...entry, why: failures.get(entry.what) ?? "apt failed"}));
}

/** One apt run for all; when that fails, one each, so that one bad package does not take the others along. */
async function install(names) {
  const failures = new Map();
  let update = staleLists() ? await apt(["update"]) : undefined;
  let all = await apt(["install", ...options, ...names]);
  if (all.code !== 0 && !update) {
    // Old lists name files that the mirror no longer has.
    update = await apt(["update"]);
    all = await apt(["install", ...options, ...names]);
  }
  if (all.code === 0) return failures;
  for (const name of names) {
    const one = await apt(["install", ...options, name]);
    if (one.code !== 0) failures.set(name, lastError(one.output));
  }
  return failures;
}

const options = ["-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0"];

/** Waits up to two minutes for another apt to end. */
function apt(args) {
  const env = {...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C"};
  return run("apt-get", ["-o", "DPkg::Lock::Timeout=120", ...args], {env, cwd: "/"});
}

function lastError(output) {
  const lines = output.split("\n").filter((line) => /^E: /.test(line));
  return (lines[0] ?? tail(output, 1)).replace(/^E: /, "apt: ");
}

function staleLists() {
  try {
    const dir = "/var/lib/apt/lists";
    const lists = readdirSync(dir).filter((name) => /_(In)?Release$/.test(name));
    if (lists.length === 0) return true;
    const newest = Math.max(...lists.map((name) => statSync(`${dir}/${name}`).mtimeMs));
    return Date.now() - newest > 7 * 24 * 3600 * 1000 && statSync(dir).mtimeMs < Date.now() - 24 * 3600 * 1000;
  } catch {
    return true;
  }
}

const policy = "/usr/sbin/policy-rc.d";
const saved = `${policy}.before-strata`;
const ours =
  "#!/bin/sh\n# Strata's set-up is installing packages: no service is started. Removed at its end.\nexit 101\n";

/**
 * Runs `fn` while Debian's policy-rc.d forbids every start of a service, then switches off the units and init scripts
 * that the new packages enabled. A former policy-rc.d is put back, also when the set-up was killed and runs again.
 */
async function withoutServices(fn) {
  restorePolicy();
  const former = existsSync(policy) ? {text: readFileSync(policy), mode: statSync(policy).mode & 0o7777} : undefined;
  if (former) writeFileWhole(saved, former.text, former.mode);
  writeFileWhole(policy, ours, 0o755);
  const before = await installedPackages();
  const onSignal = () => process.exit(130);
  process.on("exit", restorePolicy);
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await fn();
  } finally {
    const after = await installedPackages();
    await disableServices([...after].filter((name) => !before.has(name)));
    restorePolicy();
    process.off("exit", restorePolicy);
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

function restorePolicy() {
  if (existsSync(saved)) {
    writeFileWhole(policy, readFileSync(saved), statSync(saved).mode & 0o7777);
    rmSync(saved);
  } else if (existsSync(policy) && readFileSync(policy, "utf8") === ours) rmSync(policy);
}

async function installedPackages() {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own fields.
  const result = await run("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}\t${Package}\n"]);
  const lines = result.output.split("\n").filter((line) => line.startsWith("ii"));
  return new Set(lines.map((line) => line.split("\t")[1]));
}

export async function disableServices(names) {
  for (const name of names) {
    // deb-systemd-helper acts only for a package's own scripts, which it knows by this variable.
    const env = {...process.env, DPKG_MAINTSCRIPT_PACKAGE: name, PATH: `${process.env.PATH}:/usr/sbin:/sbin`};
    const files = (await run("dpkg-query", ["-L", name])).output.split("\n");
    for (const file of files) {
      const unit = /^(?:\/usr)?\/lib\/systemd\/system\/([^/]+\.(?:service|socket|timer|path))$/.exec(file)?.[1];
      if (unit && which("deb-systemd-helper")) await run("deb-systemd-helper", ["disable", unit], {env});
      const script = /^\/etc\/init\.d\/([^/]+)$/.exec(file)?.[1];
      if (script && which("update-rc.d")) await run("update-rc.d", [script, "disable"], {env});
    }
  }
  if (existsSync("/run/systemd/system")) await run("systemctl", ["daemon-reload"]);
}
