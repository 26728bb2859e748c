import assert from "node:assert/strict";
import {after, before, describe, test} from "node:test";
import {offer, querier} from "./made-up.ts";
import {PagesInBrowser, skip} from "./pages-in-browser.ts";

describe("the pages in a browser", {skip}, () => {
  let pages: PagesInBrowser;
  before(async () => {
    pages = await PagesInBrowser.start(querier());
  });
  after(() => pages?.close());

  test("the stores page names what is down, and why", async () => {
    const page = await pages.open("graph");
    await page.getByRole("link", {name: "Stores"}).click();
    const row = page.getByRole("row", {name: /10\.0\.0\.1:10901/});
    await row.getByText("connection refused").waitFor();
    assert.match((await row.textContent()) ?? "", /down[\s\S]*cluster="eu"[\s\S]*no start[\s\S]*no end/);
    assert.equal(page.url(), `${pages.server.url}stores`);
    await page.goBack();
    await page.getByRole("textbox", {name: /PromQL/}).waitFor();
    await page.close();
  });

  test("the alerts page shows what fires and hides what does not", async () => {
    const page = await pages.open("alerts");
    const panel = page.getByRole("region", {name: "Down"});
    await panel.getByText("api is down").waitFor();
    assert.match((await panel.textContent()) ?? "", /firing[\s\S]*for 1m[\s\S]*1 alert[\s\S]*job="api"[\s\S]*value 1/);
    assert.equal(await page.getByRole("region", {name: "Calm"}).count(), 0);
    await page.getByRole("checkbox", {name: /inactive \(1\)/}).check();
    await page.getByRole("region", {name: "Calm"}).waitFor();
    await page.getByRole("searchbox").fill("nothing like it");
    await page.getByText("No alert is in one of these states.").waitFor();
    await page.close();
  });

  test("the rules page shows how rules do, and errors alone if asked", async () => {
    const page = await pages.open("rules");
    const panel = page.getByRole("region", {name: "node"});
    await panel.getByText("many-to-many").waitFor();
    assert.match((await panel.textContent()) ?? "", /every 30s[\s\S]*Down[\s\S]*firing[\s\S]*never evaluated/);
    await page.getByRole("checkbox", {name: "Only with errors"}).check();
    await panel.getByText("Down", {exact: true}).waitFor({state: "detached"});
    await panel.getByText("job:up:sum").waitFor();
    await panel.getByRole("link", {name: "up == 0"}).click();
    await page.waitForURL(/graph\?g0\.expr=up/);
    await page.close();
  });

  test("the targets page shows pools, what is down first, and what was dropped once it is asked for", async () => {
    const page = await pages.open("targets");
    const pool = page.getByRole("region", {name: "node"});
    await pool.getByText("1 of 2 targets up").waitFor();
    assert.match((await pool.locator("tbody tr").first().textContent()) ?? "", /10\.0\.1\.2[\s\S]*down[\s\S]*refused/);
    assert.match((await page.getByRole("region", {name: "api"}).textContent()) ?? "", /unknown[\s\S]*never/);
    await pool.getByText("before relabelling").first().click();
    await pool.getByText("__metrics_path__").first().waitFor();
    await page.getByRole("checkbox", {name: "up (2)"}).uncheck();
    await page.getByRole("searchbox").fill("node refused");
    await page.getByRole("region", {name: "api"}).waitFor({state: "detached"});
    await page.waitForURL(/filter=node\+refused/);
    await page.getByRole("searchbox").fill("");
    assert.equal(
      pages.server.asked.some(({params}) => params.get("state") === "dropped"),
      false,
    );
    await page.getByText("Dropped targets").click();
    await page.getByText('__address__="10.0.1.9:9100"').waitFor();
    await page.close();
  });

  test("a running query is ended after a question, whose first answer is no", async () => {
    const page = await pages.open("queries");
    const row = page.getByRole("row", {name: /rate\(http_requests_total/});
    await row.waitFor();
    assert.match(
      (await row.textContent()) ?? "",
      /running[\s\S]*3\.21 s[\s\S]*team-a[\s\S]*1d, step 1m[\s\S]*12,345,678[\s\S]*143 MiB/,
    );
    await row.getByRole("button", {name: /Kill/}).click();
    const dialog = page.getByRole("dialog", {name: "Kill this query?"});
    assert.equal(await dialog.getByRole("button", {name: "Cancel"}).evaluate((b) => b.matches(":focus")), true);
    await page.keyboard.press("Escape");
    await dialog.waitFor({state: "detached"});
    assert.equal(
      pages.server.asked.some(({method}) => method === "DELETE"),
      false,
    );
    await row.getByRole("button", {name: /Kill/}).click();
    await dialog.getByRole("button", {name: "Kill query"}).click();
    await page.getByText(/^Ended: sum by/).waitFor();
    await row.waitFor({state: "detached"});
    assert.equal(pages.server.asked.find(({method}) => method === "DELETE")?.path, "queries/active/01HQX3F5");
    await page.close();
  });

  test("the status page shows build, flags and the biggest metrics", async () => {
    const page = await pages.open("status");
    await page.getByRole("region", {name: "Build"}).getByText("abc123").waitFor();
    await page.getByRole("region", {name: "Runtime"}).getByText("/srv/strata").waitFor();
    const cardinality = page.getByRole("region", {name: "Cardinality"});
    assert.match((await cardinality.textContent()) ?? "", /1,430[\s\S]*http_requests_total800[\s\S]*4 KiB/);
    await cardinality.getByLabel("Top").selectOption("50");
    await page.getByRole("searchbox").fill("replica");
    await page.getByRole("row", {name: /--query\.replica-label/}).waitFor();
    assert.equal(await page.getByRole("row", {name: /--http-address/}).count(), 0);
    assert.equal(pages.asked("status/tsdb")?.get("limit"), "50");
    await page.close();
  });

  test("keys lead to pages and help, and can be switched off", async () => {
    const page = await pages.open("status");
    await page.getByRole("link", {name: "Stores"}).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.getByRole("heading", {name: "Stores"}).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("gt?");
    assert.equal(await page.getByRole("searchbox").inputValue(), "gt?");
    await page.locator("h1").click();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", {name: "Keys"});
    await help.getByText("Running").waitFor();
    await help.getByRole("checkbox").uncheck();
    await page.keyboard.press("Escape");
    await help.waitFor({state: "detached"});
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.keyboard.press("?");
    await help.waitFor();
    assert.equal(page.url().split("?")[0], `${pages.server.url}stores`);
    await page.close();
  });

  test("an address of Thanos' pages leads to the page that has it here", async () => {
    const page = await pages.open("flags");
    await page.getByRole("row", {name: /--http-address/}).waitFor();
    assert.equal(await page.getByRole("link", {name: "Status"}).getAttribute("aria-current"), "page");
    await page.close();
  });

  test("the first Tab offers to skip the navigation", async () => {
    const page = await pages.open("stores");
    await page.getByRole("region", {name: "store", exact: true}).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.type"), "search");
    await page.close();
  });

  test("the theme follows the system until the button says otherwise", async () => {
    const page = await pages.open("graph");
    const theme = (): Promise<unknown> => page.evaluate("document.documentElement.dataset.theme");
    assert.equal(await theme(), "light");
    await page.emulateMedia({colorScheme: "dark"});
    await page.locator("html[data-theme=dark]").waitFor();
    await page.getByRole("button", {name: /Theme: Auto/}).click();
    await page.getByRole("button", {name: /Theme: Light/}).waitFor();
    assert.equal(await theme(), "light");
    await page.close();
  });

  test("no request left the server's prefix and the console stayed silent", () => assert.deepEqual(pages.problems, []));
});

describe("the pages of other components", {skip}, () => {
  test("a ruler begins with its alerts and has no query page", async (t) => {
    const pages = await PagesInBrowser.start({...querier(), "status/pages": offer("rule")});
    t.after(() => pages.close());
    const page = await pages.open("");
    await page.getByRole("heading", {name: "Alerts"}).waitFor();
    assert.deepEqual(await page.getByRole("navigation").getByRole("link").allInnerTexts(), [
      "Alerts",
      "Rules",
      "Status",
    ]);
    await page.goto(`${pages.server.url}graph`);
    await page.getByRole("link", {name: "Go to the first page"}).click();
    await page.getByRole("region", {name: "Down"}).waitFor();
  });

  test("a page whose code the server no longer has says so", async (t) => {
    const pages = await PagesInBrowser.start(querier());
    t.after(() => pages.close());
    const page = await pages.open("stores");
    await page.getByRole("region", {name: "store", exact: true}).waitFor();
    await page.route(/rules-page/, (route) => route.fulfill({status: 404}));
    await page.getByRole("link", {name: "Rules"}).click();
    await page.getByRole("alert").getByText("This page cannot be shown").waitFor();
    await page.getByRole("link", {name: "Alerts"}).click();
    await page.getByRole("region", {name: "Down"}).waitFor();
  });

  test("very many targets are drawn a hundred at a time", async (t) => {
    const one = (i: number) => ({
      discoveredLabels: {},
      labels: {instance: `i-${i}`},
      scrapePool: "many",
      scrapeUrl: `http://i-${i}:9100/metrics`,
      globalUrl: "",
      lastError: "",
      lastScrape: "0001-01-01T00:00:00Z",
      lastScrapeDuration: 0,
      health: "up",
    });
    const activeTargets = Array.from({length: 2000}, (_, i) => one(i));
    const targets = () => ({body: {status: "success", data: {activeTargets, droppedTargets: []}}});
    const pages = await PagesInBrowser.start({...querier(), targets});
    t.after(() => pages.close());
    const page = await pages.open("targets");
    await page.getByText("2,000 of 2,000 targets up").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 100);
    await page.getByRole("button", {name: "1,900 more rows"}).click();
    await page.locator("tbody tr").nth(599).waitFor();
    await page.getByRole("searchbox").fill("i-1999");
    await page.getByText("1 of 1 target up").waitFor();
  });

  test("a server that does not answer is named after a minute", async (t) => {
    const pages = await PagesInBrowser.start(querier());
    t.after(() => pages.close());
    const page = await pages.open("status", {clock: "steered"});
    await page.getByRole("region", {name: "Build"}).getByText("abc123").waitFor();
    const asked = page.waitForRequest(/api\/v1\/stores/);
    await page.route(/api\/v1\/stores/, () => {});
    await page.getByRole("link", {name: "Stores"}).click();
    await asked;
    await page.clock.runFor(61_000);
    await page.getByRole("alert").getByText("no answer within 60 seconds").waitFor();
  });

  test("a failing server is named, and what was shown before stays", async (t) => {
    const handlers: Record<string, ReturnType<typeof offer>> = {...querier()};
    const pages = await PagesInBrowser.start(handlers);
    t.after(() => pages.close());
    const page = await pages.open("stores", {clock: "steered"});
    await page.getByText("connection refused").waitFor();
    handlers.stores = () => ({status: 503, body: {status: "error", errorType: "unavailable", error: "starting"}});
    await page.clock.runFor(16_000);
    await page.getByRole("alert").getByText("Cannot list the stores").waitFor();
    await page.getByText("connection refused").waitFor();
    handlers.stores = querier().stores as ReturnType<typeof offer>;
    await page.getByRole("button", {name: "Try again"}).click();
    await page.getByRole("alert").waitFor({state: "detached"});
  });
});
