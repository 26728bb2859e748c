import assert from "node:assert/strict";
import {mkdirSync} from "node:fs";
import {join} from "node:path";
import {after, before, describe, test} from "node:test";
import {CHROMIUM_ARGS, freePort, requireTool, screenshotDir, tempDir} from "@strata/base/testing";
import {type Browser, chromium, type Page} from "playwright-core";
import {demoBucket} from "./demo-bucket.ts";
import {endpointSeen, strata, suiteScope} from "./strata.ts";

const HOUR = 3_600_000;
const tool = requireTool("chromium");

/** The pages of a real querier over a real store gateway, in a real browser. */
describe("the pages over real components", {skip: tool.skip}, () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  let url = "";
  let storeAddress = "";
  let browser: Browser;
  /** Requests to anywhere else, and what the console complained about. */
  const problems: string[] = [];
  /** Answers above 399, which the console reports, too: only the bad query may give one. */
  const refused: string[] = [];

  before(async () => {
    // Reaches past the present, so that every page whose range ends now has something to show.
    const {objstore} = await demoBucket(dir, Date.now() + 4 * HOUR);
    storeAddress = `127.0.0.1:${await freePort()}`;
    const store = await strata(scope, "store", [
      `--data-dir=${join(dir, "store")}`,
      `--objstore.config=${objstore}`,
      `--grpc-address=${storeAddress}`,
    ]);
    const querier = await strata(scope, "query", [
      "--query.replica-label=replica",
      `--endpoint=${storeAddress}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    url = querier.url;
    await endpointSeen(url, "store", store);
    browser = await chromium.launch({executablePath: tool.path, headless: true, args: [...CHROMIUM_ARGS]});
  });
  after(() => browser?.close());

  const open = async (path: string, width = 1280): Promise<Page> => {
    const page = await browser.newPage({viewport: {width, height: 900}});
    page.on("request", (request) => {
      if (!request.url().startsWith(`${url}/`)) problems.push(`request to ${request.url()}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) refused.push(`${response.status()} ${new URL(response.url()).pathname}`);
    });
    page.on("pageerror", (err) => problems.push(err.message));
    page.on("console", (message) => {
      const expected = message.text().startsWith("Failed to load resource");
      if (["error", "warning"].includes(message.type()) && !expected) problems.push(message.text());
    });
    await page.goto(`${url}${path}`);
    return page;
  };
  const shoot = (page: Page, name: string) =>
    page.screenshot({path: join(screenshotDir(), `e2e-${name}.png`), fullPage: true});

  test("a query typed at the root draws its lines", async () => {
    const page = await open("/");
    await page.getByRole("textbox", {name: /PromQL/}).pressSequentially("sum by (job) (rate(http_requests_total[5m]))");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("img", {name: "Line chart of 5 series"}).waitFor();
    assert.match((await page.locator(".summary").textContent()) ?? "", /^5 series · /);
    const colours = await drawnColours(page);
    assert.ok(colours.length >= 5, `five lines, of which are drawn: ${JSON.stringify(colours)}`);
    const legend = await page.getByRole("list", {name: "Legend"}).getByRole("listitem").allInnerTexts();
    assert.deepEqual(legend.map((text) => /job="(\w+)"/.exec(text)?.[1]).sort(), [
      "accounts",
      "catalog",
      "checkout",
      "payments",
      "search",
    ]);
    assert.equal(await page.locator(".cm-tooltip-autocomplete").count(), 0, "no completion lies over the answer");
    await page.mouse.move(700, 450);
    await shoot(page, "graph");
    await page.close();
  });

  test("an empty chart is empty: what counts as drawn is drawn by the lines", async () => {
    const page = await open(`/graph?g0.expr=${encodeURIComponent("up * NaN")}`);
    await page.getByRole("img", {name: /Line chart/}).waitFor();
    assert.deepEqual(await drawnColours(page), []);
    await page.close();
  });

  test("the table fills with the values that the API gives", async () => {
    const at = Math.floor(Date.now() / 1000) - 600;
    const moment = new Date(at * 1000).toISOString().replace("T", " ").slice(0, 19);
    const expr = "topk(5, node_memory_MemAvailable_bytes)";
    const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({query: expr, time: String(at)})}`);
    const {data} = (await answer.json()) as {
      data: {result: {metric: Record<string, string>; value: [number, string]}[]};
    };
    assert.equal(data.result.length, 5);
    const page = await open(
      `/graph?${new URLSearchParams({"g0.expr": expr, "g0.tab": "1", "g0.moment_input": moment})}`,
    );
    await page.locator("tbody td.value").first().waitFor();
    assert.deepEqual(
      await page.locator("tbody td.value").allInnerTexts(),
      data.result.map((row) => row.value[1]),
    );
    for (const [i, row] of data.result.entries()) {
      const text = await page.locator("tbody th").nth(i).textContent();
      assert.ok(text?.includes(`instance="${row.metric.instance}"`), `${text}`);
    }
    await shoot(page, "table");
    await page.close();
  });

  test("switching a graph's tab fills the table", async () => {
    const page = await open(`/graph?g0.expr=${encodeURIComponent("up{job='node'}")}`);
    await page.getByRole("img", {name: "Line chart of 16 series"}).waitFor();
    await page.getByRole("tab", {name: "Table"}).click();
    await page.getByRole("row", {name: /node-15:9100/}).waitFor();
    assert.deepEqual(new Set(await page.locator("tbody td.value").allInnerTexts()), new Set(["1"]));
    await page.close();
  });

  test("a bad query shows its error and the place", async () => {
    refused.length = 0;
    const page = await open("/graph");
    await page.getByRole("textbox", {name: /PromQL/}).pressSequentially("sum(rate(up[5m]) by (job)");
    await page.keyboard.press("Shift+Enter");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? "", /Parse error.*line 1, column \d+/);
    assert.equal(await alert.locator("mark").count(), 1);
    await shoot(page, "bad-query");
    await page.close();
    assert.deepEqual([...new Set(refused)], ["400 /api/v1/query_range"]);
    refused.length = 0;
  });

  test("completion offers the metrics of the store", async () => {
    const page = await open("/graph");
    await page.getByRole("textbox", {name: /PromQL/}).pressSequentially("node_netw");
    await page.getByRole("option", {name: /node_network_receive_bytes_total/}).waitFor();
    await shoot(page, "completion");
    await page.close();
  });

  test("the stores page lists the store with its labels and times", async () => {
    const page = await open("/stores");
    const row = page.getByRole("row", {name: new RegExp(storeAddress)});
    await row.waitFor();
    assert.match((await row.textContent()) ?? "", /up.*cluster="demo".*replica="a"/);
    await shoot(page, "stores");
    await page.close();
  });

  test("buckets of the store are drawn as a heat map", async () => {
    const expr = "sum by (le) (rate(http_request_duration_seconds_bucket[5m]))";
    const page = await open(`/graph?${new URLSearchParams({"g0.expr": expr, "g0.display_mode": "heatmap"})}`);
    await page.getByRole("img", {name: /^Heat map of [3-9]|^Heat map of \d\d/}).waitFor();
    await shoot(page, "heatmap");
    await page.close();
  });

  test("the tree counts what the store has, and analyze says what it gave", async () => {
    const expr = "sum by (job) (rate(http_requests_total[5m])) / on (job) sum by (job) (no_such_metric)";
    const page = await open(`/graph?${new URLSearchParams({"g0.expr": expr, "g0.tab": "tree"})}`);
    const node = (text: string) =>
      page.locator(".tree .node").filter({has: page.locator("code").getByText(text, {exact: true})});
    await node("sum by (job) (rate(http_requests_total[5m]))").getByText("5 series").waitFor();
    await node("no_such_metric").getByText("0 series").waitFor();
    await shoot(page, "tree");
    await page.getByRole("tab", {name: "Explain"}).click();
    await page.getByRole("button", {name: /Analyze/}).click();
    await page.getByRole("table", {name: "Plan"}).getByText("1 endpoint asked").first().click();
    await page.getByRole("table", {name: "Endpoints"}).first().getByText(storeAddress).waitFor();
    await shoot(page, "explain");
    await page.close();
  });

  test("status and targets say what the querier is and that nobody tells of targets", async () => {
    const page = await open("/status");
    await page
      .getByRole("row", {name: /--endpoint/})
      .getByText(storeAddress)
      .waitFor();
    await page.getByRole("link", {name: "Targets"}).click();
    await page.getByText("No endpoint tells of scrape targets").waitFor();
    await page.getByRole("link", {name: "Running"}).click();
    await page.getByText("No query is running.").waitFor();
    await page.close();
  });

  test("a query that runs is seen and ended from another page, and whoever asked is told", async () => {
    refused.length = 0;
    const long = "sum(quantile_over_time(0.9, rate({__name__=~'.+'}[5m])[6h:1s]))";
    const asking = await open(`/graph?${new URLSearchParams({"g0.expr": long, "g0.range_input": "1d"})}`);
    const page = await open("/queries");
    const row = page.getByRole("row", {name: /quantile_over_time/});
    await row.getByRole("button", {name: /Kill/}).click();
    await page.getByRole("dialog").getByRole("button", {name: "Kill query"}).click();
    await page.getByText(/^Ended:/).waitFor();
    await page.getByText("No query is running.").waitFor();
    await asking.getByRole("alert").waitFor();
    await page.close();
    await asking.close();
    assert.equal(refused.length, 1);
    refused.length = 0;
  });

  test("the pages are usable on a telephone and in the dark", async () => {
    const page = await open(`/graph?g0.expr=${encodeURIComponent("sum by (zone) (node_load1)")}`, 390);
    await page.emulateMedia({colorScheme: "dark"});
    await page.getByRole("img", {name: "Line chart of 3 series"}).waitFor();
    await page.locator("html[data-theme=dark]").waitFor();
    assert.ok(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= 390);
    await shoot(page, "graph-narrow-dark");
    await page.close();
  });

  test("nothing was asked of anybody else, nothing was refused, and the console stayed silent", () => {
    assert.deepEqual(problems, []);
    assert.deepEqual(refused, []);
  });
});

/** Hues of the chart's canvas with at least as many saturated pixels as a line across it has. */
async function drawnColours(page: Page): Promise<unknown[]> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector(".chart canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Map();
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b, a] = data.slice(i, i + 4);
      if (a < 250 || Math.max(r, g, b) - Math.min(r, g, b) < 60) continue;
      const key = [r, g, b].join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    return [...seen].filter(([, n]) => n > 200);
  })()`)) as unknown[];
}

/** Components that answer no queries show what they are, too. */
test("a store gateway and a receiver serve their status, and begin with what they have", {
  skip: tool.skip,
}, async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, "bucket"));
  const objstore = `{type: FILESYSTEM, config: {directory: ${JSON.stringify(join(dir, "bucket"))}}}`;
  const grpc = async () => `--grpc-address=127.0.0.1:${await freePort()}`;
  const servers = [
    await strata(t, "store", [`--data-dir=${join(dir, "store")}`, `--objstore.config=${objstore}`, await grpc()]),
    await strata(t, "receive", [
      `--tsdb.path=${join(dir, "receive")}`,
      '--label=replica="a"',
      `--remote-write.address=127.0.0.1:${await freePort()}`,
      await grpc(),
    ]),
  ];
  const browser = await chromium.launch({executablePath: tool.path, headless: true, args: [...CHROMIUM_ARGS]});
  t.after(() => browser.close());
  for (const [i, links] of [
    [0, ["Blocks", "Status"]],
    [1, ["Status"]],
  ] as const) {
    const page = await browser.newPage();
    await page.goto(`${servers[i]?.url}/`);
    await page.getByRole("heading", {name: links[0], exact: true}).first().waitFor();
    assert.deepEqual(await page.getByRole("navigation").getByRole("link").allTextContents(), [...links]);
    await page.goto(`${servers[i]?.url}/status`);
    await page.getByRole("row", {name: /--grpc-address/}).waitFor();
    await page.close();
  }
});
