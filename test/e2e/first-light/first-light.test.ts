import assert from "node:assert/strict";
import {execFile} from "node:child_process";
import {existsSync, mkdirSync, readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {before, describe, test} from "node:test";
import {promisify} from "node:util";
import {anySkip, freePort, httpReady, requireTool, type Server, spawnServer, tempDir} from "@strata/base/testing";
import {strata, suiteScope, until} from "../strata.ts";
import {type Answer, ask, assertSame} from "./compare.ts";
import {writeHistory} from "./history.ts";
import {historyQueries, liveQueries} from "./queries.ts";

const HOUR = 3_600_000;
const BLOCK = 2 * HOUR;
const DAYS = 3;

const prometheus = requireTool("prometheus");
const promtool = requireTool("promtool");

/**
 * A real Prometheus with three days of backfilled history and live scrapes; the same queries are answered by it, by
 * sidecar → query, and, once both are gone, by bucket → store → query.
 */
describe("first light", {skip: anySkip(prometheus, promtool)}, () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  const data = join(dir, "prometheus");
  const bucket = join(dir, "bucket");
  const objstore = `type: FILESYSTEM\nconfig:\n  directory: ${bucket}\n`;
  // The history ends at the last block boundary; what is scraped begins after it.
  const historyEnd = Math.floor(Date.now() / BLOCK) * BLOCK;
  const historyStart = historyEnd - DAYS * 24 * HOUR;
  /** Odd milliseconds, inside the uploaded range. */
  const at = historyEnd - HOUR + 13;
  let promUrl = "";
  let promServer: Server;
  let sidecar: Server;
  let queryUrl = "";
  let historyQuerier: Server;
  let sidecarGrpc = 0;

  before(async () => {
    const text = join(dir, "history.om");
    await writeHistory(text, historyStart, historyEnd);
    mkdirSync(data);
    mkdirSync(bucket);
    await promisify(execFile)(promtool.path, ["tsdb", "create-blocks-from", "openmetrics", text, data], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const port = await freePort();
    promUrl = `http://127.0.0.1:${port}`;
    const config = join(dir, "prometheus.yml");
    writeFileSync(
      config,
      `global:
  scrape_interval: 1s
  external_labels:
    replica: a
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["127.0.0.1:${port}"]
`,
    );
    promServer = await spawnServer(scope, {
      command: prometheus.path,
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        "--storage.tsdb.min-block-duration=2h",
        "--storage.tsdb.max-block-duration=2h",
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      ready: httpReady(`${promUrl}/-/ready`),
    });
    sidecarGrpc = await freePort();
    sidecar = await strata(scope, "sidecar", [
      `--prometheus.url=${promUrl}`,
      `--tsdb.path=${data}`,
      `--grpc-address=127.0.0.1:${sidecarGrpc}`,
      `--objstore.config=${objstore}`,
    ]);
    const querier = await strata(scope, "query", [
      "--query.replica-label=replica",
      `--endpoint=127.0.0.1:${sidecarGrpc}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    queryUrl = querier.url;
    historyQuerier = querier;
    await endpointsSeen(queryUrl, "sidecar");
  });

  test("the sidecar uploads every block that Prometheus holds", async () => {
    const local = readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name));
    assert.ok(local.length >= DAYS * 12, `promtool made ${local.length} blocks`);
    await until(
      () => local.every((id) => existsSync(join(bucket, id, "meta.json"))),
      `all of ${local.length} blocks in the bucket`,
      sidecar,
    );
  });

  for (const c of historyQueries) {
    const name = c.range === undefined ? c.query : `${c.query} over ${c.range / HOUR} h`;
    test(`sidecar → query answers as Prometheus does: ${name}`, async () => {
      assertSame(await ask(queryUrl, c, at), await ask(promUrl, c, at), name);
    });
  }

  for (const c of liveQueries) {
    test(`sidecar → query answers live data as Prometheus does: ${c.query}`, async () => {
      await until(async () => (await ask(promUrl, {query: "up"}, Date.now())).data.result.length > 0, "a first scrape");
      const now = Date.now() - 501;
      assertSame(await ask(queryUrl, c, now), await ask(promUrl, c, now), c.query);
    });
  }

  test("bucket → store → query answers the same with Prometheus and the sidecar gone", async (t) => {
    const wants: Answer[] = [];
    for (const c of historyQueries) wants.push(await ask(promUrl, c, at));
    await historyQuerier.stop();
    await sidecar.stop();
    await promServer.stop();
    const storeGrpc = await freePort();
    await strata(scope, "store", [
      `--data-dir=${join(dir, "store")}`,
      `--objstore.config=${objstore}`,
      `--grpc-address=127.0.0.1:${storeGrpc}`,
    ]);
    const querier = await strata(scope, "query", [
      "--query.replica-label=replica",
      `--endpoint=127.0.0.1:${storeGrpc}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    await endpointsSeen(querier.url, "store");
    for (const [i, c] of historyQueries.entries()) {
      const want = wants[i] as Answer;
      await t.test(c.query, async () => assertSame(await ask(querier.url, c, at), want, c.query));
    }
  });
});

/** Waits until the querier at `url` lists an endpoint of the given kind. */
async function endpointsSeen(url: string, component: string): Promise<void> {
  await until(async () => {
    const answer = (await (await fetch(`${url}/api/v1/stores`)).json()) as {data: Record<string, unknown[]>};
    return (answer.data[component] ?? []).length > 0;
  }, `a ${component} endpoint at ${url}`);
}
