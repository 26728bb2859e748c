import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {anySkip, repoRoot, requireTool} from "@strata/base/testing";
import {listCommands} from "@strata/strata/docs";
import {flagsPage} from "./generate/flags-page.ts";
import {metricsPage} from "./generate/metrics-page.ts";
import {metricsOfComponents} from "./generate/running-components.ts";

const page = (name: string): string => readFileSync(join(repoRoot, "docs", name), "utf8");

/** Lines that one text has and the other has not: a whole page as a difference would help nobody. */
function assertSame(file: string, want: string): void {
  const [have, wanted] = [new Set(page(file).split("\n")), new Set(want.split("\n"))];
  const stale = [...have].filter((line) => !wanted.has(line)).map((line) => `- ${line}`);
  const missing = [...wanted].filter((line) => !have.has(line)).map((line) => `+ ${line}`);
  assert.deepEqual([...stale, ...missing], [], `docs/${file} is stale: npm run docs writes it anew`);
  assert.equal(page(file), want, `docs/${file} is stale: npm run docs writes it anew`);
}

test("docs/flags.md is what the flag tables say", async () => {
  assertSame("flags.md", flagsPage(await listCommands()));
});

const tools = anySkip(requireTool("prometheus"), requireTool("redis-server"), requireTool("memcached"));

test("docs/metrics.md is what running components register", {skip: tools}, async (t) => {
  assertSame("metrics.md", metricsPage(await metricsOfComponents(t)));
});
