import assert from "node:assert/strict";
import {cpSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir, tempDir} from "@strata/base/testing";
import type {BlocksPlan} from "@strata/web";
import {strata, until} from "./strata.ts";

type Blocks = {readonly blocks: readonly {readonly ulid: string}[]; readonly refreshedAt: string};

/** `data` of an answer, or its status. */
async function get<T>(url: string, path: string): Promise<T> {
  const answer = await fetch(`${url}/api/v1/${path}`);
  const body = (await answer.json()) as {data: T; error?: string};
  assert.equal(answer.status, 200, body.error ?? path);
  return body.data;
}

test("a compactor shows its blocks and what it will do with them, and marks them on request", async (t) => {
  const dir = tempDir(t);
  const bucket = join(dir, "bucket");
  cpSync(goldenDir("storage", "bucket", "objects"), bucket, {recursive: true});
  const args = [
    ...["--wait", `--data-dir=${join(dir, "data")}`, "--downsampling.disable", "--delete-delay=1000000h"],
    `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
  ];
  const server = await strata(t, "compact", args);
  const seen = async () => (await get<Blocks>(server.url, "blocks?view=global")).blocks.length > 0;
  await until(seen, "a look at the bucket", server);
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
  assert.equal(await server.stop(), 0);

  const closed = await strata(t, "compact", [...args, "--disable-admin-operations"]);
  const refused = await fetch(`${closed.url}/api/v1/blocks/mark`, {method: "POST", body});
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /Admin operations are disabled/);
});
