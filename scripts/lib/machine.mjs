import {spawnSync} from "node:child_process";
import {cpus, loadavg, release, totalmem, type} from "node:os";
import {join} from "node:path";
import {which} from "./exec.mjs";
import {projectNode, root} from "./paths.mjs";
import {readJson} from "./stamp.mjs";

/** Programs that scenarios run beside Strata where they are on PATH. */
const BESIDE = ["thanos", "prometheus", "victoria-metrics"];

/** What figures depend on: the machine, the versions, the commit, the moment. */
export function machineNow() {
  const [load] = loadavg();
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    commit: git(["rev-parse", "--short=12", "HEAD"]) + (git(["status", "--porcelain"]) === "" ? "" : " with changes"),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    load: Math.round(load * 100) / 100,
    node: text(projectNode, ["-v"]).replace(/^v/, ""),
    versions: [
      {name: "strata", version: readJson(join(root, "package.json")).version},
      ...BESIDE.filter((name) => which(name) !== undefined).map((name) => ({name, version: versionOf(name)})),
    ],
  };
}

/** The number in the first line of `NAME --version`. */
function versionOf(name) {
  const first = text(which(name), ["--version"]).split("\n")[0] ?? "";
  return /\d+\.\d+\.\d+\S*/.exec(first)?.[0] ?? "(version unknown)";
}

const git = (args) => text("git", args);

function text(command, args) {
  const {stdout, stderr} = spawnSync(command, args, {cwd: root, encoding: "utf8"});
  return (stdout || stderr || "").trim();
}
