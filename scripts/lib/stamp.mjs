import {createHash} from "node:crypto";
import {mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from "node:fs";
import {dirname, join, relative} from "node:path";
import {root} from "./paths.mjs";

/** All files below `dir` except those in folders or with names that `skip` names, sorted. Empty when `dir` is absent. */
export function listFiles(dir, skip = new Set()) {
  const files = [];
  let entries;
  try {
    entries = readdirSync(dir, {withFileTypes: true});
  } catch (err) {
    if (err.code === "ENOENT" || err.code === "ENOTDIR") return files;
    throw err;
  }
  for (const entry of entries) {
    if (skip.has(entry.name)) continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) files.push(...listFiles(path, skip));
    else if (entry.isFile()) files.push(path);
  }
  return files.sort();
}

/** One hash over the names and contents of files. */
export function hashFiles(files, ...extra) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  for (const text of extra) hash.update(`\0${text}`);
  return hash.digest("hex");
}

export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (err) {
    if (err.code === "ENOENT" || err instanceof SyntaxError) return undefined;
    throw err;
  }
}

/** Writes by rename, so that no reader sees half a file. */
export function writeFileWhole(path, text, mode = 0o644) {
  mkdirSync(dirname(path), {recursive: true});
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, {mode});
  renameSync(temporary, path);
}

/** A stamp says with which inputs a step ended well; it lives beside what the step made and vanishes with it. */
export const stampIs = (path, hash) => readJson(path)?.hash === hash;
export const writeStamp = (path, hash) => writeFileWhole(path, `${JSON.stringify({hash})}\n`);
