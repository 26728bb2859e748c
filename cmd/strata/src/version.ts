import {readFileSync} from "node:fs";
import type {BuildInfo} from "@strata/telemetry";

/** What a release build puts into the environment of the build; a clone knows only its version. */
export function buildInfo(): BuildInfo {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {version: string};
  return {
    version: manifest.version,
    revision: process.env.STRATA_REVISION ?? "",
    branch: process.env.STRATA_BRANCH ?? "",
    buildUser: process.env.STRATA_BUILD_USER ?? "",
    buildDate: process.env.STRATA_BUILD_DATE ?? "",
  };
}

/** What `--version` prints. */
export function versionText(program: string): string {
  const build = buildInfo();
  return [
    `${program}, version ${build.version} (branch: ${build.branch}, revision: ${build.revision})`,
    `  build user:       ${build.buildUser}`,
    `  build date:       ${build.buildDate}`,
    `  node version:     ${process.version}`,
    `  platform:         ${process.platform}/${process.arch}`,
  ].join("\n");
}
