import assert from "node:assert/strict";
import {after, before, describe, test} from "node:test";
import type {Page} from "playwright-core";
import {querier} from "./made-up.ts";
import {inkedPixels, PagesInBrowser, skip} from "./pages-in-browser.ts";

const graph = (params: Record<string, string>): string => `graph?${new URLSearchParams(params)}`;

describe("the query page in a browser", {skip}, () => {
  let pages: PagesInBrowser;
  before(async () => {
    pages = await PagesInBrowser.start(querier());
  });
  after(() => pages?.close());

  const editor = (page: Page) => page.getByRole("textbox", {name: /PromQL/});

  test("a typed query draws lines, names them, and stands in the address", async () => {
    const page = await pages.open("graph");
    await editor(page).pressSequentially("up");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("img", {name: "Line chart of 3 series"}).waitFor();
    assert.equal(await page.getByRole("list", {name: "Legend"}).getByRole("listitem").count(), 3);
    await page.getByText("one store is missing").waitFor();
    assert.match((await page.locator(".summary").textContent()) ?? "", /^3 series · /);
    assert.ok(page.url().startsWith(`${pages.server.url}graph?g0.expr=up&`), page.url());
    assert.ok((await inkedPixels(page)) > 500, "nothing is drawn");
    const params = pages.asked("query_range");
    assert.equal(params?.get("dedup"), "true");
    assert.equal(params?.get("partial_response"), "true");
    assert.equal(params?.get("step"), "14");
    await page.close();
  });

  test("a shared address shows the same, table and options included", async () => {
    const page = await pages.open("graph?g0.expr=up&g0.tab=1&g0.deduplicate=0&g0.moment_input=2024-03-01%2000:00:00");
    await page.getByRole("row", {name: /job-2/}).waitFor();
    assert.deepEqual(await page.locator("tbody td.value").allInnerTexts(), ["1.5", "2.5"]);
    const params = pages.asked("query");
    assert.equal(params?.get("time"), "1709251200.000");
    assert.equal(params?.get("dedup"), "false");
    assert.equal(await page.getByRole("checkbox", {name: "Deduplicate"}).isChecked(), false);
    await page.getByRole("tab", {name: "Table"}).press("ArrowLeft");
    await page.getByRole("img", {name: /Line chart/}).waitFor();
    await page.close();
  });

  test("a parse error shows its text, its place, and the line it is in", async () => {
    const page = await pages.open(graph({"g0.expr": "foo )"}));
    const alert = page.getByRole("alert");
    await alert.getByText("unexpected right parenthesis ')'").waitFor();
    assert.match((await alert.textContent()) ?? "", /line 1, column 6/);
    assert.match((await alert.locator("pre").textContent()) ?? "", /^foo \)/);
    await page.close();
  });

  test("dragging over the chart asks for that stretch", async () => {
    for (const mode of ["lines", "heatmap"]) {
      const page = await pages.open(
        graph({
          "g0.expr": "x_bucket",
          "g0.display_mode": mode,
          "g0.range_input": "1h",
          "g0.end_input": "2024-03-01 01:00:00",
        }),
      );
      const over = page.locator(".chart .u-over");
      await over.waitFor();
      const box = await over.boundingBox();
      assert.ok(box);
      await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.75, box.y + 60, {steps: 4});
      await page.mouse.up();
      await page.waitForURL(/g0\.range_input=(29m5|30m)/);
      const end = new URL(page.url()).searchParams.get("g0.end_input") ?? "";
      assert.match(end, /^2024-03-01 00:4[45]/, mode);
      await page.close();
    }
  });

  test("completion offers the server's metrics and says what is wrong before it is asked", async () => {
    const page = await pages.open("graph");
    await editor(page).pressSequentially("http_req");
    await page.getByRole("option", {name: /http_requests_total/}).waitFor();
    await page.keyboard.press("Escape");
    await editor(page).fill("rate(http_requests_total)");
    await page.locator(".cm-lintRange-error").waitFor();
    await editor(page).fill("sum(xrate(http_requests_total[5m]))");
    await page.locator(".cm-lintRange-error").waitFor({state: "detached"});
    await editor(page).fill("sum(xrate(http_requests_total))");
    await page.locator(".cm-lintRange-error").getByText("http_requests_total").waitFor();
    await page.close();
  });

  test("several expressions share a graph; letters tell whose a series is, and whose an error", async () => {
    const page = await pages.open(graph({"g0.expr": "up"}));
    await page.getByRole("img", {name: "Line chart of 3 series"}).waitFor();
    await page.getByRole("button", {name: "+ Expression on the same graph"}).click();
    await page.getByRole("textbox", {name: "Query B: PromQL expression"}).fill("down");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("img", {name: "Line chart of 6 series"}).waitFor();
    assert.deepEqual(new URL(page.url()).searchParams.getAll("g0.expr"), ["up", "down"]);
    const letters = await page.locator(".legend .letter").allInnerTexts();
    assert.deepEqual(letters, ["A", "A", "A", "B", "B", "B"]);
    await page.getByRole("textbox", {name: "Query B: PromQL expression"}).fill("down )");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("alert").getByText("B: Parse error").waitFor();
    await page.getByRole("img", {name: "Line chart of 3 series"}).waitFor();
    await page.getByRole("button", {name: "Remove expression A"}).click();
    await page.getByRole("textbox", {name: "Query: PromQL expression"}).getByText("down )").waitFor();
    await page.close();
  });

  test("areas stand on one another where lines are to be stacked, and the address says so", async () => {
    const page = await pages.open(graph({"g0.expr": "up", "g0.stacked": "1", "g0.end_input": "2024-03-01 01:00:00"}));
    await page.getByRole("img", {name: "Stacked chart of 3 series"}).waitFor();
    assert.ok((await inkedPixels(page)) > 5000, "nothing is filled");
    const over = await page.locator(".chart .u-over").boundingBox();
    assert.ok(over);
    // At the top is the last series, near the bottom the first; the sum is the same.
    const sums: string[] = [];
    for (const [height, name] of [
      [0.3, /job-3/],
      [0.97, /job-1/],
    ] as const) {
      await page.mouse.move(over.x + over.width / 2, over.y + over.height * height);
      await page.locator(".tip .name").getByText(name).waitFor();
      sums.push((await page.locator(".tip").textContent())?.match(/Sum: .*/)?.[0] ?? "");
    }
    assert.equal(sums[0], sums[1]);
    assert.notEqual(sums[0], "");
    await page.getByRole("list", {name: "Legend"}).getByRole("button", {name: /job-1/}).click();
    await page.mouse.move(over.x + over.width / 2, over.y + over.height * 0.5);
    await page.locator(".tip .name").getByText(/job-1/).waitFor();
    assert.notEqual((await page.locator(".tip").textContent())?.match(/Sum: .*/)?.[0], sums[0]);
    await page.getByRole("button", {name: "Lines"}).click();
    await page.getByRole("img", {name: "Line chart of 3 series"}).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("g0.stacked"), "0");
    await page.getByRole("button", {name: "Stacked"}).click();
    await page.getByRole("img", {name: "Stacked chart of 3 series"}).waitFor();
    const {searchParams} = new URL(page.url());
    assert.deepEqual([searchParams.get("g0.stacked"), searchParams.get("g0.display_mode")], ["1", "stacked"]);
    const again = await pages.open(new URL(page.url()).href.slice(pages.server.url.length));
    await again.getByRole("img", {name: "Stacked chart of 3 series"}).waitFor();
    await again.close();
    await page.close();
  });

  test("histograms of both kinds are drawn as a heat map", async () => {
    const page = await pages.open(graph({"g0.expr": "sum by (le) (rate(x_bucket[5m]))"}));
    await page.getByRole("img", {name: /Line chart/}).waitFor();
    await page.getByRole("button", {name: "Heat map"}).click();
    await page.getByRole("img", {name: "Heat map of 6 buckets"}).waitFor();
    assert.ok((await inkedPixels(page)) > 5000, "nothing is drawn");
    const over = await page.locator(".chart .u-over").boundingBox();
    assert.ok(over);
    await page.mouse.move(over.x + over.width / 2, over.y + 20);
    await page.locator(".tip").getByText("2.5 to +Inf").waitFor();
    await page.goto(`${pages.server.url}${graph({"g0.expr": "native"})}`);
    await page.getByRole("button", {name: "Show as heat map"}).click();
    await page.getByRole("img", {name: "Heat map of 12 buckets"}).waitFor();
    await page.goto(`${pages.server.url}${graph({"g0.expr": "up", "g0.display_mode": "heatmap"})}`);
    await page.getByText("A heat map needs a histogram").waitFor();
    await page.close();
  });

  test("the tree counts each part, and shows which one is empty", async () => {
    const page = await pages.open(graph({"g0.expr": "sum(missing) / count(up)", "g0.tab": "tree"}));
    const tree = page.getByRole("list", {name: "Expression tree"});
    await tree.getByText("0 series").first().waitFor();
    await tree.getByText("1,430 series").first().waitFor();
    const leaf = tree.locator(".node").filter({has: page.getByText("missing", {exact: true})});
    assert.match((await leaf.last().textContent()) ?? "", /0 series[\s\S]* ms/);
    assert.ok(pages.server.asked.some(({params}) => params.get("query") === "count(sum(missing) / count(up))"));
    await page.close();
  });

  test("the tree knows Thanos' extended functions", async () => {
    const page = await pages.open(graph({"g0.expr": "sum(xrate(up[5m]))", "g0.tab": "tree"}));
    const tree = page.getByRole("list", {name: "Expression tree"});
    await tree.getByText("xrate(up[5m])", {exact: true}).waitFor();
    await tree.locator(".counted").nth(3).waitFor();
    assert.ok(pages.server.asked.some(({params}) => params.get("query") === "count(xrate(up[5m]))"));
    await page.close();
  });

  test("explain shows the plan, analyze what each operator and endpoint took", async () => {
    const page = await pages.open(
      graph({"g0.expr": "sum by (job) (rate(http_requests_total[5m]))", "g0.tab": "explain"}),
    );
    const plan = page.getByRole("table", {name: "Plan"});
    await plan.getByText("rate(http_requests_total[5m])").waitFor();
    assert.equal(await plan.getByText("12.5 ms").count(), 0);
    assert.equal(pages.asked("query_range_explain")?.get("engine"), "thanos");
    await page.getByRole("button", {name: /Analyze/}).click();
    await plan.getByText("13 ms").waitFor();
    assert.match((await plan.textContent()) ?? "", /1,430[\s\S]*250,000[\s\S]*3.81 MiB/);
    await plan.getByText("2 endpoints asked").click();
    await page.getByRole("table", {name: "Endpoints"}).getByText("10.0.0.2:10901").waitFor();
    await page.close();
  });

  test("tenant and stores go with every request, and stand in the address", async () => {
    const page = await pages.open(graph({"g0.expr": "up"}));
    await page.getByLabel("Tenant").fill("team-a");
    await page.keyboard.press("Enter");
    await page.waitForURL(/g0\.tenant=team-a/);
    await page.getByText("All stores").click();
    await page.getByRole("checkbox", {name: "10.0.0.2:10901"}).check();
    await page.waitForURL(/store_matches/);
    await page.getByText("1 store", {exact: true}).waitFor();
    await page.getByRole("img", {name: /Line chart/}).waitFor();
    const last = pages.server.asked.filter(({path}) => path === "query_range").at(-1);
    assert.equal(last?.headers["thanos-tenant"], "team-a");
    assert.deepEqual(last?.params.getAll("storeMatch[]"), ['{__address__="10.0.0.2:10901"}']);
    await page.close();
  });

  test("what was run before can be found and run again", async () => {
    const page = await pages.open("graph");
    for (const expr of ["first_metric", "second_metric"]) {
      await editor(page).fill(expr);
      await page.keyboard.press("Shift+Enter");
      await page.waitForURL(new RegExp(expr));
    }
    await page.getByRole("button", {name: "History"}).click();
    const past = page.getByRole("list", {name: "Past queries"});
    assert.match((await past.textContent()) ?? "", /^second_metric[\s\S]*first_metric/);
    await page.getByRole("searchbox", {name: "Filter history"}).fill("first");
    await past.getByRole("button", {name: /^first_metric/}).click();
    await page.waitForURL(/g0\.expr=first_metric/);
    assert.equal(await editor(page).textContent(), "first_metric");
    await page.close();
  });

  test("a shared link pins the times that follow the clock", async () => {
    const page = await pages.open(graph({"g0.expr": "up"}), {clock: "still"});
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", {name: "Share"}).click();
    await page.getByText("Link copied").waitFor();
    const link = new URL(String(await page.evaluate("navigator.clipboard.readText()")));
    assert.equal(link.searchParams.get("g0.end_input"), "2024-03-01 00:01:00");
    assert.equal(new URL(page.url()).searchParams.get("g0.end_input"), null);
    await page.close();
  });

  test("no request left the server's prefix and the console stayed silent", () => assert.deepEqual(pages.problems, []));
});
