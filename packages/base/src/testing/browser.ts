import {mkdirSync} from "node:fs";
import {join} from "node:path";
import {repoRoot} from "./paths.ts";

/** Arguments under which Chromium runs in a container and asks nobody for anything by itself. */
export const CHROMIUM_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where tests put pictures of pages to be looked at and kept: `STRATA_SCREENSHOTS`, else `test-results/screenshots`. */
export function screenshotDir(): string {
  const dir = process.env.STRATA_SCREENSHOTS ?? join(repoRoot, "test-results/screenshots");
  mkdirSync(dir, {recursive: true});
  return dir;
}
