import {existsSync, mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join, resolve} from "node:path";
import {StrataError} from "../errors.ts";
import type {TestScope} from "./scope.ts";

/** Absolute path of the repository: four folders above this file, in `src` and in `dist` alike. */
export const repoRoot: string = resolve(import.meta.dirname, "../../../..");

/** Where golden data lives: the folder that STRATA_GOLDEN names, else `shared/golden` beside the repository. */
export function goldenRoot(): string {
  const named = process.env.STRATA_GOLDEN;
  return named ? resolve(named) : resolve(repoRoot, "../shared/golden");
}

/**
 * Absolute path of a folder or file of the golden data, such as `goldenDir("query", "dedup")`. Throws `not_found`
 * when it does not exist, so that a test can never pass by finding no cases. Cases are found by listing the folder.
 */
export function goldenDir(...parts: readonly string[]): string {
  const path = join(goldenRoot(), ...parts);
  if (existsSync(path)) return path;
  throw new StrataError("not_found", `cannot find golden data at ${path}; STRATA_GOLDEN names another folder`);
}

/** A fresh empty folder, removed with all in it when the test, or the suite of a `before` hook, ends. */
export function tempDir(t: TestScope, prefix = "strata-"): string {
  const dir = mkdtempSync(join(tmpdir(), prefix));
  t.after(() => rmSync(dir, {recursive: true, force: true, maxRetries: 3}));
  return dir;
}
