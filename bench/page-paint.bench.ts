// npm run bench -- page-paint [--reps=7]: how long the query page of a standalone takes in Debian's Chromium until
// something is painted and until one can type, with an empty and with a warm cache, and what it fetches. Where a thanos is
// on PATH its querier's page is opened beside it. The budget is a first paint within 1 s and 400 kB of scripts.
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {CHROMIUM_ARGS, freePort, httpReady, requireTool, spawnServer, type TestScope} from "@strata/base/testing";
import {type Browser, type BrowserContext, chromium} from "playwright-core";
import {record} from "./support/record.ts";
import {type Program, programs, startQuerier, withScope} from "./support/systems.ts";
import {flag, median, ms, printTable} from "./support/table.ts";

const REPS = flag("reps", 7);

/** ms since the navigation began; bytes as they went over the wire. */
type Opened = {readonly paint: number; readonly typing: number; readonly scripts: number};

await withScope(async (scope) => {
  const tool = requireTool("chromium");
  if (tool.skip) {
    console.log(`page-paint: ${tool.skip}`);
    return;
  }
  const browser = await chromium.launch({executablePath: tool.path, headless: true, args: [...CHROMIUM_ARGS]});
  scope.after(() => browser.close());
  const rows: string[][] = [];
  const [own, ...others] = programs();
  const subjects = [
    {name: "strata", url: await standalone(scope, own as Program)},
    ...(await Promise.all(
      others.map(async (program) => ({
        name: program.name,
        url: (await startQuerier(scope, program, [], "replica")).url,
      })),
    )),
  ];
  for (const {name, url} of subjects) {
    const [cold, warm] = await measure(browser, `${url}/graph`);
    for (const [cache, opened] of [
      ["empty", cold],
      ["warm", warm],
    ] as const) {
      const middle = (of: keyof Opened) => median(opened.map((one) => one[of]));
      rows.push([name, cache, ms(middle("paint")), ms(middle("typing")), (middle("scripts") / 1000).toFixed(0)]);
      record(`query page, ${cache} cache`, "ms", {[name]: middle("paint")}, {measure: "first paint"});
    }
  }
  console.log(`\nthe query page; medians of ${REPS}`);
  printTable(["page of", "cache", "first paint ms", "ready to type ms", "scripts kB"], rows);
});

async function standalone(scope: TestScope, {command, args}: Program): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const url = `http://127.0.0.1:${await freePort()}`;
  await spawnServer(scope, {
    command,
    args: [...args, "standalone", `--http-address=${new URL(url).host}`, `--data-dir=${join(dir, "data")}`],
    name: "strata standalone",
    ready: httpReady(`${url}/-/ready`),
    deadlineMs: 120_000,
  });
  return url;
}

/** Each time a browser profile that has seen nothing, and then once more the page it has just seen. */
async function measure(browser: Browser, url: string): Promise<[cold: Opened[], warm: Opened[]]> {
  const [cold, warm]: [Opened[], Opened[]] = [[], []];
  for (let rep = 0; rep < REPS; rep++) {
    const context = await browser.newContext();
    cold.push(await open(context, url));
    warm.push(await open(context, url));
    await context.close();
  }
  return [cold, warm];
}

async function open(context: BrowserContext, url: string): Promise<Opened> {
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(".cm-content").first().waitFor();
  const opened = (await page.evaluate(`({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    typing: performance.now(),
    scripts: performance.getEntriesByType("resource")
      .filter((entry) => entry.name.endsWith(".js")).reduce((sum, entry) => sum + entry.transferSize, 0),
  })`)) as Opened;
  await page.close();
  return opened;
}
