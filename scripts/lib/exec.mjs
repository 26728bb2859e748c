import {spawn} from "node:child_process";
import {accessSync, constants, realpathSync} from "node:fs";
import {delimiter, join, sep} from "node:path";
import {root} from "./paths.mjs";

/**
 * Runs a program to its end with its output collected. Resolves with {code, output, ms}; code is 127 when it cannot
 * be started and a signal's name when one ended it. With `inherit` the output goes to the terminal instead.
 */
export function run(command, args, options = {}) {
  const started = Date.now();
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: options.inherit ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    const collect = (data) => {
      output += data;
    };
    child.stdout?.setEncoding("utf8").on("data", collect);
    child.stderr?.setEncoding("utf8").on("data", collect);
    child.once("error", (err) => resolve({code: 127, output: `${output}${err.message}\n`, ms: Date.now() - started}));
    child.once("close", (code, signal) => resolve({code: signal ?? code, output, ms: Date.now() - started}));
  });
}

/** The path of an executable on PATH (and in sbin, which ordinary users' PATH lacks on Debian), or undefined. */
export function which(file, accept = () => true) {
  for (const dir of [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"]) {
    if (dir === "") continue;
    const path = join(dir, file);
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    if (accept(path)) return path;
  }
  return undefined;
}

/** The machine's own Node: not the one in node_modules, which `npm ci` is about to delete. */
export function machineNode() {
  const outside = (path) => !realpathSync(path).startsWith(root + sep);
  return outside(process.execPath) ? process.execPath : (which("node", outside) ?? process.execPath);
}

/**
 * The environment without what `npm run` adds for its scripts: a nested npm would take `npm_config_local_prefix` for
 * its own root and `npm_package_*` for its own package. Registry, proxy and cache settings stay.
 */
export function cleanNpmEnv() {
  const env = {...process.env};
  for (const name of Object.keys(env)) {
    if (/^npm_(lifecycle_|package_|command$|config_local_prefix$|config_argv$)/i.test(name)) delete env[name];
  }
  return env;
}

/** The last lines of a program's output, for messages. */
export function tail(output, lines = 20) {
  return output.trimEnd().split("\n").slice(-lines).join("\n");
}

/** True when CI asks for everything: any value but empty, 0 and false. */
export function inCi() {
  return !["", "0", "false"].includes((process.env.CI ?? "").toLowerCase());
}
