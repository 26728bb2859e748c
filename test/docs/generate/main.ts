// `npm run docs`: writes docs/flags.md and docs/metrics.md.

import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {anySkip, repoRoot, requireTool} from "@strata/base/testing";
import {listCommands} from "@strata/strata/docs";
import {flagsPage} from "./flags-page.ts";
import {metricsPage} from "./metrics-page.ts";
import {metricsOfComponents} from "./running-components.ts";

const skip = anySkip(requireTool("prometheus"), requireTool("redis-server"), requireTool("memcached"));
if (skip !== false) {
  console.error(`docs: ${skip}`);
  process.exit(1);
}
const cleanups: (() => unknown)[] = [];
try {
  const {metrics} = await metricsOfComponents({after: (cleanup) => void cleanups.push(cleanup)});
  for (const [file, text] of [
    ["docs/flags.md", flagsPage(await listCommands())],
    ["docs/metrics.md", metricsPage(metrics)],
  ] as const) {
    writeFileSync(join(repoRoot, file), text);
    console.log(`docs: wrote ${file} (${text.split("\n").length} lines)`);
  }
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
