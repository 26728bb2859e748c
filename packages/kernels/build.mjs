// Compiles assembly/*.ts into src/generated/module.ts: the module's bytes as base64 and the types of its exports.
// Does nothing when the sources' hash is the one written there. Runs on any Node from 20 on.
import {createHash} from "node:crypto";
import {mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const sourceDir = join(here, "assembly");
const target = join(here, "src", "generated", "module.ts");

/** One hash over everything that decides the output: sources, this script, the compiler's version. */
function inputHash() {
  const hash = createHash("sha256");
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/package.json");
  for (const file of [fileURLToPath(import.meta.url), compiler]) hash.update(readFileSync(file));
  for (const name of readdirSync(sourceDir).sort()) {
    if (!name.endsWith(".ts")) continue;
    hash.update(`\0${name}\0`).update(readFileSync(join(sourceDir, name)));
  }
  return hash.digest("hex");
}

function builtHash() {
  try {
    return /^\/\/ inputs: ([0-9a-f]{64})$/m.exec(readFileSync(target, "utf8").slice(0, 400))?.[1];
  } catch (err) {
    if (err.code === "ENOENT") return undefined;
    throw err;
  }
}

async function compile() {
  const {default: asc} = await import("assemblyscript/asc");
  const outputs = new Map();
  const args = ["index.ts", "--outFile", "kernels.wasm", "--bindings", "raw", "--runtime", "stub", "--use", "abort="];
  args.push("--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--noAssert", "--uncheckedBehavior", "always");
  args.push("--enable", "simd", "--enable", "bulk-memory", "--enable", "sign-extension", "--initialMemory", "16");
  const {error, stderr} = await asc.main(args, {
    readFile: (name, base) => {
      try {
        return readFileSync(join(sourceDir, base && base !== "." ? base : "", name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => void outputs.set(name, contents),
    listFiles: () => [],
  });
  if (error) throw new Error(`cannot compile kernels: ${error.message}\n${stderr.toString()}`);
  const warnings = stderr.toString().trim();
  if (warnings !== "") console.warn(warnings);
  return {wasm: outputs.get("kernels.wasm"), types: exportTypes(outputs.get("kernels.d.ts"))};
}

/** The compiler's declarations, as the members of one type. */
function exportTypes(declarations) {
  const members = [];
  for (const [, name, parameters, result] of declarations.matchAll(/export function (\w+)\((.*?)\): (\w+);/g)) {
    // A raw export returns 0 or 1 where the compiler's declarations promise a boolean.
    if (/bool/.test(parameters + result)) throw new Error(`kernel ${name} has a bool in its signature; use u32`);
    members.push(`  ${name}(${parameters}): ${result};`);
  }
  if (members.length === 0) throw new Error("cannot find exports in the compiler's declarations");
  return members.join("\n");
}

async function main() {
  const hash = inputHash();
  if (builtHash() === hash) return;
  const started = performance.now();
  const {wasm, types} = await compile();
  const base64 = Buffer.from(wasm).toString("base64");
  const text =
    `// Made by build.mjs from assembly/*.ts; not in version control.\n// inputs: ${hash}\n` +
    `export type KernelExports = {\n  readonly memory: {readonly buffer: ArrayBuffer};\n${types}\n};\n\n` +
    `export const wasmBase64 =\n  "${base64}";\n`;
  mkdirSync(dirname(target), {recursive: true});
  // Several processes may build at once: each writes its own file, and the rename decides.
  const temporary = `${target}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, target);
  console.log(`kernels: built ${wasm.length} bytes in ${Math.round(performance.now() - started)} ms`);
}

await main();
