import assert from "node:assert/strict";
import {cpSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {CHROMIUM_ARGS, goldenDir, requireTool, screenshotDir, tempDir} from "@strata/base/testing";
import type {BlocksPlan} from "@strata/web";
import {chromium, type Page} from "playwright-core";
import {strata, until} from "./strata.ts";

type Blocks = {readonly blocks: readonly {readonly ulid: string}[]; readonly refreshedAt: string};

/** `data` of an answer, or its status. */
async function get<T>(url: string, path: string): Promise<T> {
  const answer = await fetch(`${url}/api/v1/${path}`);
  const body = (await answer.json()) as {data: T; error?: string};
  assert.equal(answer.status, 200, body.error ?? path);
  return body.data;
}

/** A compactor over the golden bucket, once it has looked at it. */
async function compactor(t: TestContext, dir: string, ...more: string[]) {
  const bucket = join(dir, "bucket");
  cpSync(goldenDir("storage", "bucket", "objects"), bucket, {recursive: true});
  const server = await strata(t, "compact", [
    ...["--wait", `--data-dir=${join(dir, "data")}`, "--downsampling.disable", "--delete-delay=1000000h"],
    `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
    ...more,
  ]);
  const seen = async () => (await get<Blocks>(server.url, "blocks?view=global")).blocks.length > 0;
  await until(seen, "a look at the bucket", server);
  return server;
}

test("a compactor tells of its blocks and what it will do with them, and marks them on request", async (t) => {
  const dir = tempDir(t);
  const server = await compactor(t, dir);
  const {blocks, refreshedAt} = await get<Blocks>(server.url, "blocks?view=global");
  assert.ok(Date.parse(refreshedAt) > 0);
  assert.ok((await get<Blocks>(server.url, "blocks?view=loaded")).blocks.length <= blocks.length);

  const plan = () => get<BlocksPlan>(server.url, "blocks/plan");
  const {settings, groups} = await plan();
  assert.deepEqual([settings.downsampling, settings.vertical], [false, false]);
  assert.ok(groups.length > 0 && groups.every(({blocks}) => blocks > 0));

  const marks = async () => (await plan()).marks;
  const free = blocks.find(
    ({ulid}) => !groups.some(({compactions}) => compactions.some((c) => c.blocks.includes(ulid))),
  );
  const ulid = free?.ulid ?? "";
  const body = new URLSearchParams({id: ulid, action: "NO_COMPACTION", detail: "looked at"});
  assert.equal((await fetch(`${server.url}/api/v1/blocks/mark`, {method: "POST", body})).status, 204);
  const shown = async () => (await marks()).some(({block, details}) => block === ulid && details === "looked at");
  await until(shown, "the mark", server);
  assert.equal((await fetch(`${server.url}/api/v1/blocks/unmark`, {method: "POST", body})).status, 204);
  await until(async () => !(await shown()), "the mark's end", server);
  assert.equal(await server.stop(), 0);

  const closed = await compactor(t, dir, "--disable-admin-operations");
  const refused = await fetch(`${closed.url}/api/v1/blocks/mark`, {method: "POST", body});
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /Admin operations are disabled/);
  assert.equal((await fetch(`${closed.url}/api/v1/blocks/unmark`, {method: "POST", body})).status, 405);
});

const tool = requireTool("chromium");

test("the page of blocks draws them along time, and sets and takes off marks", {skip: tool.skip}, async (t) => {
  const server = await compactor(t, tempDir(t));
  const browser = await chromium.launch({
    executablePath: tool.path,
    headless: true,
    args: [...CHROMIUM_ARGS],
  });
  t.after(() => browser.close());
  const problems: string[] = [];
  const open = async (path: string, width: number, colorScheme: "light" | "dark"): Promise<Page> => {
    const page = await browser.newPage({viewport: {width, height: 900}, colorScheme, bypassCSP: true});
    page.on("pageerror", (err) => problems.push(err.message));
    page.on("console", (message) => void (message.type() === "error" && problems.push(message.text())));
    await page.goto(`${server.url}/${path}`);
    return page;
  };
  const {blocks} = await get<Blocks>(server.url, "blocks?view=global");

  const page = await open("blocks", 1280, "light");
  const bars = page.locator(".lane .bar");
  await bars.first().waitFor();
  // Neighbours that are too narrow to be told apart are one bar.
  assert.ok((await bars.count()) > 1 && (await bars.count()) <= blocks.length);
  await page.getByRole("searchbox").fill(blocks[0]?.ulid ?? "");
  await until(async () => (await bars.count()) === 1, "one bar", server);
  await page.keyboard.press("Tab");
  await bars.first().focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", {name: `Block ${blocks[0]?.ulid}`});
  await dialog.getByText("What happens next").waitFor();
  await dialog.getByLabel("Why (kept with the mark)").fill("seen in the browser");
  const [mark, unmark] = ["Keep out of compaction", "Let it be compacted again"];
  const set = dialog.getByRole("button", {name: mark});
  const isFree = await set.isVisible();
  if (!isFree) await dialog.getByRole("button", {name: unmark}).click();
  await set.click();
  await dialog.getByText("seen in the browser").waitFor();
  await dialog.getByRole("button", {name: unmark}).click();
  await set.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({state: "detached"});

  for (const [name, width, scheme] of [
    ["light", 1280, "light"],
    ["dark", 1280, "dark"],
    ["360", 360, "light"],
  ] as const) {
    for (const [path, ready] of [
      ["blocks", ".lane .bar"],
      ["blocks?tab=plan", ".facts"],
    ] as const) {
      const shown = await open(path, width, scheme);
      await shown.locator(ready).first().waitFor();
      assert.equal(await shown.evaluate("document.documentElement.scrollWidth > innerWidth"), false, `${path} ${name}`);
      await shown.screenshot({
        path: join(screenshotDir(), `e2e-${path.replace("?tab=", "-")}-${name}.png`),
        fullPage: true,
      });
      assert.deepEqual(await axeFaults(shown), [], `${path} ${name}`);
      await shown.close();
    }
  }
  assert.deepEqual(problems, []);
});

/** What axe finds wrong with a page. */
async function axeFaults(page: Page): Promise<string[]> {
  await page.addScriptTag({path: createRequire(import.meta.url).resolve("axe-core")});
  return page.evaluate(async () => {
    const {axe} = globalThis as unknown as {axe: {run(): Promise<{violations: {id: string; help: string}[]}>}};
    return (await axe.run()).violations.map(({id, help}) => `${id}: ${help}`);
  });
}
