import {globSync, readFileSync, statSync} from "node:fs";
import {join, relative} from "node:path";
import {repoRoot} from "@strata/base/testing";
import {parse} from "yaml";

export const deployDir = join(repoRoot, "deploy");

/** Paths below `deploy/`, sorted. */
export const deployFiles = (pattern: string): string[] => globSync(pattern, {cwd: deployDir}).sort();

/** Groups of all rule files, in the order in which they are deployed, with links to `docs`. */
export const monitoringGroups = (docs = "https://strata.example"): unknown[] =>
  ["strata-recording.yml", "strata-alerts.yml"].flatMap((file) => {
    const text = deployText(`monitoring/rules/${file}`).replaceAll("https://strata.example", docs);
    return (parse(text) as {groups: unknown[]}).groups;
  });

export const deployText = (path: string): string => readFileSync(join(deployDir, path), "utf8");

/** Texts of the files at `path`, which lies below `mounted` and may have `*` in it, when `from` is mounted there. */
export function mountedTexts(from: string, mounted: string, path: string): string[] {
  if (path !== mounted && !path.startsWith(`${mounted}/`)) return [];
  const found = globSync(join(from, relative(mounted, path)));
  return found.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, "utf8"));
}
