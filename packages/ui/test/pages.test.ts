import assert from "node:assert/strict";
import {existsSync} from "node:fs";
import {join} from "node:path";
import {after, before, describe, test} from "node:test";
import {requireTool} from "@strata/base/testing";
import {type Browser, chromium, type Page} from "playwright-core";
import {assetsDir} from "../index.js";
import {type FakeServer, type Handler, serveFake} from "./fake-api.ts";

const tool = requireTool("chromium");
const skip = tool.skip || (existsSync(join(assetsDir, "index.html")) ? false : "missing: the pages are not built");

const ok = (data: unknown, extra: object = {}): {body: unknown} => ({body: {status: "success", data, ...extra}});
const metric = (i: number): Record<string, string> => ({__name__: "up", job: `job-${i}`});

const range: Handler = (params) => {
  const query = params.get("query") ?? "";
  if (query.includes(")")) {
    const error = "1:6: parse error: unexpected right parenthesis ')'";
    return {status: 400, body: {status: "error", errorType: "bad_data", error}};
  }
  const [start, end, step] = ["start", "end", "step"].map((name) => Number(params.get(name))) as [
    number,
    number,
    number,
  ];
  const points = Math.floor((end - start) / step + 1e-6) + 1;
  const values = (i: number): unknown =>
    Array.from({length: points}, (_, k) => [start + k * step, String(i + (k % 5))]);
  const result = [1, 2, 3].map((i) => ({metric: metric(i), values: values(i)}));
  return ok({resultType: "matrix", result}, {warnings: ["one store is missing"]});
};

const handlers: Readonly<Record<string, Handler>> = {
  query_range: range,
  query: (params) =>
    ok({
      resultType: "vector",
      result: [1, 2].map((i) => ({metric: metric(i), value: [Number(params.get("time")), `${i}.5`]})),
    }),
  stores: () =>
    ok({
      store: [
        {
          name: "10.0.0.1:10901",
          lastCheck: "2024-03-01T00:00:00Z",
          lastError: "connection refused",
          labelSets: [{cluster: "eu"}],
          minTime: -62_167_219_200_000,
          maxTime: 2 ** 63,
        },
      ],
    }),
  rules: (params) => {
    const group = (rules: unknown[]) => ({
      name: "node",
      file: "/etc/node.yml",
      interval: 30,
      lastEvaluation: "2024-03-01T00:00:00Z",
      evaluationTime: 0.012,
      rules,
    });
    const shared = {
      query: "up == 0",
      labels: {severity: "page"},
      evaluationTime: 0.01,
      lastEvaluation: "0001-01-01T00:00:00Z",
    };
    const alert = {
      labels: {alertname: "Down", job: "api"},
      annotations: {summary: "api is down"},
      state: "firing",
      activeAt: "2024-03-01T00:00:00Z",
      value: "1e+00",
    };
    const alerting = {
      ...shared,
      type: "alerting",
      name: "Down",
      state: "firing",
      duration: 60,
      health: "ok",
      annotations: {},
      alerts: [alert],
    };
    const calm = {...alerting, name: "Calm", state: "inactive", alerts: []};
    const recording = {...shared, type: "recording", name: "job:up:sum", health: "err", lastError: "many-to-many"};
    return ok({groups: [group(params.get("type") === "alert" ? [alerting, calm] : [alerting, calm, recording])]});
  },
  labels: () => ok(["job", "instance"]),
  "label/__name__/values": () => ok(["up", "http_requests_total"]),
};

describe("the pages in a browser", {skip}, () => {
  let browser: Browser;
  let server: FakeServer;
  /** Requests that left the prefix, and whatever the console complained about. */
  const problems: string[] = [];

  before(async () => {
    server = await serveFake(handlers);
    const args =
      "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
    browser = await chromium.launch({executablePath: tool.path, headless: true, args: args.split(" ")});
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  const open = async (path: string, width = 1280): Promise<Page> => {
    const page = await browser.newPage({viewport: {width, height: 900}});
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) problems.push(`request to ${request.url()}`);
    });
    page.on("pageerror", (err) => problems.push(err.message));
    page.on("console", (message) => {
      // The browser itself reports every answer of status 4xx.
      if (message.type() === "error" && !message.text().includes("Failed to load resource"))
        problems.push(message.text());
    });
    await page.goto(server.url + path);
    return page;
  };

  test("a typed query draws lines, names them, and stands in the address", async () => {
    const page = await open("graph");
    await page.getByRole("textbox", {name: /PromQL/}).pressSequentially("up");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("img", {name: "Line chart of 3 series"}).waitFor();
    assert.equal(await page.getByRole("list", {name: "Legend"}).getByRole("listitem").count(), 3);
    await page.getByText("one store is missing").waitFor();
    assert.match((await page.locator(".summary").textContent()) ?? "", /^3 series · /);
    assert.ok(page.url().startsWith(`${server.url}graph?g0.expr=up&`), page.url());
    assert.ok((await inkedPixels(page)) > 500, "nothing is drawn");
    const params = server.asked.filter((a) => a.path === "query_range").at(-1)?.params;
    assert.equal(params?.get("dedup"), "true");
    assert.equal(params?.get("partial_response"), "true");
    assert.equal(params?.get("step"), "14");
    await page.close();
  });

  test("a shared address shows the same, table and options included", async () => {
    const page = await open("graph?g0.expr=up&g0.tab=1&g0.deduplicate=0&g0.moment_input=2024-03-01%2000:00:00");
    await page.getByRole("row", {name: /job-2/}).waitFor();
    assert.deepEqual(await page.locator("tbody td.value").allInnerTexts(), ["1.5", "2.5"]);
    const params = server.asked.filter((a) => a.path === "query").at(-1)?.params;
    assert.equal(params?.get("time"), "1709251200.000");
    assert.equal(params?.get("dedup"), "false");
    assert.equal(await page.getByRole("checkbox", {name: "Deduplicate"}).isChecked(), false);
    await page.getByRole("tab", {name: "Table"}).press("ArrowLeft");
    await page.getByRole("img", {name: /Line chart/}).waitFor();
    await page.close();
  });

  test("a parse error shows its text, its place, and the line it is in", async () => {
    const page = await open(`graph?g0.expr=${encodeURIComponent("foo )")}`);
    const alert = page.getByRole("alert");
    await alert.getByText("unexpected right parenthesis ')'").waitFor();
    assert.match((await alert.textContent()) ?? "", /line 1, column 6/);
    assert.match((await alert.locator("pre").textContent()) ?? "", /^foo \)/);
    await page.close();
  });

  test("dragging over the chart asks for that stretch", async () => {
    const page = await open("graph?g0.expr=up&g0.range_input=1h&g0.end_input=2024-03-01%2001:00:00");
    const over = page.locator(".chart .u-over");
    await over.waitFor();
    const box = await over.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + 60, {steps: 4});
    await page.mouse.up();
    await page.waitForURL(/g0\.range_input=(29m5|30m|30m)/);
    const end = new URL(page.url()).searchParams.get("g0.end_input") ?? "";
    assert.match(end, /^2024-03-01 00:4[45]/);
    await page.close();
  });

  test("completion offers the server's metrics", async () => {
    const page = await open("graph");
    await page.getByRole("textbox", {name: /PromQL/}).pressSequentially("http_req");
    await page.getByRole("option", {name: /http_requests_total/}).waitFor();
    await page.close();
  });

  test("the stores page names what is down, and why", async () => {
    const page = await open("graph");
    await page.getByRole("link", {name: "Stores"}).click();
    const row = page.getByRole("row", {name: /10\.0\.0\.1:10901/});
    await row.getByText("connection refused").waitFor();
    assert.match((await row.textContent()) ?? "", /down[\s\S]*cluster="eu"[\s\S]*no start[\s\S]*no end/);
    assert.equal(page.url(), `${server.url}stores`);
    await page.goBack();
    await page.getByRole("textbox", {name: /PromQL/}).waitFor();
    await page.close();
  });

  test("the alerts page shows what fires and hides what does not", async () => {
    const page = await open("alerts");
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
    const page = await open("rules");
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

  test("nothing overflows at 360 pixels", async () => {
    for (const path of ["graph?g0.expr=up", "graph?g0.expr=up&g0.tab=1", "stores", "alerts", "rules"]) {
      const page = await open(path, 360);
      await page
        .getByText(/job-1|10\.0\.0\.1|Down/)
        .first()
        .waitFor();
      assert.ok(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= 360, path);
      await page.close();
    }
  });

  test("the theme follows the system until the button says otherwise", async () => {
    const page = await open("graph");
    const theme = (): Promise<unknown> => page.evaluate("document.documentElement.dataset.theme");
    assert.equal(await theme(), "light");
    await page.emulateMedia({colorScheme: "dark"});
    await page.locator("html[data-theme=dark]").waitFor();
    await page.getByRole("button", {name: /Theme: Auto/}).click();
    await page.getByRole("button", {name: /Theme: Light/}).waitFor();
    assert.equal(await theme(), "light");
    await page.close();
  });

  test("no request left the server's prefix and the console stayed silent", () => assert.deepEqual(problems, []));
});

/** Coloured pixels of the chart's canvas: more than grid and labels have. */
async function inkedPixels(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector(".chart canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 128 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60) n++;
    }
    return n;
  })()`)) as number;
}
