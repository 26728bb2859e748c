import assert from "node:assert/strict";
import {join} from "node:path";
import {after, before, describe, test} from "node:test";
import {screenshotDir} from "@strata/base/testing";
import axe, {type AxeResults} from "axe-core";
import type {Page} from "playwright-core";
import {querier} from "./made-up.ts";
import {PagesInBrowser, skip} from "./pages-in-browser.ts";

/** Every page in a state worth looking at: its address, and what is there once it has settled. */
const PAGES: readonly (readonly [string, string, (page: Page) => Promise<unknown>])[] = [
  ["graph", "graph?g0.expr=up&g1.expr=up%2F2&g1.tab=1", settled(/job-1/)],
  ["several", "graph?g0.expr=up&g0.expr=down%20)", settled(/Parse error/)],
  [
    "stacked",
    "graph?g0.expr=up&g0.stacked=1",
    (page) => page.getByRole("img", {name: "Stacked chart of 3 series"}).waitFor(),
  ],
  [
    "heatmap",
    "graph?g0.expr=x_bucket&g0.display_mode=heatmap",
    (page) => page.getByRole("img", {name: /Heat/}).waitFor(),
  ],
  ["tree", "graph?g0.expr=sum(missing)%20%2F%20sum(up)&g0.tab=tree", settled(/0 series/)],
  ["explain", "graph?g0.expr=sum(up)&g0.tab=explain", analyzed],
  ["alerts", "alerts", settled(/api is down/)],
  ["rules", "rules", settled(/job:up:sum/)],
  ["targets", "targets", settled(/10\.0\.1\.2:9100/)],
  ["stores", "stores", settled(/10\.0\.0\.1:10901/)],
  ["queries", "queries", settled(/143 MiB/)],
  ["status", "status", settled(/node_cpu_seconds_total/)],
  ["missing", "rules?filter=zzz", settled(/No rule matches/)],
];

function settled(text: RegExp): (page: Page) => Promise<unknown> {
  return (page) => page.getByText(text).first().waitFor();
}

async function analyzed(page: Page): Promise<void> {
  await page.getByRole("button", {name: /Analyze/}).click();
  await page.getByText("3.81 MiB").waitFor();
  await page.getByText("2 endpoints asked").click();
}

/** What axe finds wrong, one line each. */
async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const {violations, passes} = (await page.evaluate("axe.run()")) as AxeResults;
  assert.ok(passes.length > 10, "axe has looked at the page");
  return violations.flatMap(({id, help, nodes}) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)}`));
}

describe("how the pages look", {skip}, () => {
  let pages: PagesInBrowser;
  before(async () => {
    pages = await PagesInBrowser.start(querier());
  });
  after(() => pages?.close());

  for (const [name, path, ready] of PAGES) {
    test(`${name}: axe finds nothing in light, dark and narrow, and nothing overflows`, async () => {
      const page = await pages.open(path, {clock: "still"});
      await ready(page);
      const look = async (kind: string): Promise<void> => {
        await page.screenshot({path: join(screenshotDir(), `${name}-${kind}.png`), fullPage: true});
        assert.deepEqual(await axeFindings(page), [], kind);
      };
      await look("light");
      await page.emulateMedia({colorScheme: "dark"});
      await page.locator("html[data-theme=dark]").waitFor();
      await look("dark");
      await page.emulateMedia({colorScheme: "light"});
      await page.locator("html[data-theme=light]").waitFor();
      await page.setViewportSize({width: 360, height: 800});
      await look("narrow");
      const width = (await page.evaluate("document.documentElement.scrollWidth")) as number;
      assert.ok(width <= 360, `${width} pixels wide`);
      await page.close();
    });
  }

  for (const dark of [false, true]) {
    test(`dialogs and menus${dark ? " in the dark" : ""}: axe finds nothing`, async () => {
      const page = await pages.open("queries", {dark, width: 720, clock: "still"});
      await page.getByRole("button", {name: /Kill sum/}).click();
      assert.deepEqual(await axeFindings(page), []);
      await page.screenshot({path: join(screenshotDir(), `kill${dark ? "-dark" : ""}.png`)});
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await page.getByRole("dialog", {name: "Keys"}).waitFor();
      assert.deepEqual(await axeFindings(page), []);
      await page.screenshot({path: join(screenshotDir(), `keys${dark ? "-dark" : ""}.png`)});
      await page.keyboard.press("Escape");
      await page.getByRole("button", {name: /Running/}).click();
      await page.getByRole("link", {name: "Targets"}).waitFor();
      assert.deepEqual(await axeFindings(page), []);
      await page.screenshot({path: join(screenshotDir(), `menu${dark ? "-dark" : ""}.png`)});
      await page.close();
    });
  }

  test("no request left the server's prefix and the console stayed silent", () => assert.deepEqual(pages.problems, []));
});
