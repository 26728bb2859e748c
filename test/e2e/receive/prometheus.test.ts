import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {setTimeout as delay} from "node:timers/promises";
import {freePort, httpReady, repeat, requireTool, spawnServer, tempDir} from "@strata/base/testing";
import {strata, until} from "../strata.ts";
import {Receiver} from "./fleet.ts";

const prometheus = requireTool("prometheus");
/** How long Prometheus writes while everything is queried, ms: seconds, or minutes in a soak run. */
const RUN_MS = 2000 * repeat(50);

type Matrix = {data: {result: {metric: Record<string, string>; values: [number, string][]}[]}};

/** Samples by series and time (ms), as text. */
type Samples = Map<string, Map<number, string>>;

test("what a real Prometheus remote-writes is all there, value for value", {skip: prometheus.skip}, async (t) => {
  const dir = tempDir(t);
  const [grpc, write, scrape, port] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const receiver = await strata(t, "receive", [
    `--tsdb.path=${join(dir, "receive")}`,
    '--label=receive_replica="r0"',
    `--remote-write.address=127.0.0.1:${write}`,
    `--grpc-address=127.0.0.1:${grpc}`,
    "--grpc-grace-period=1s",
  ]);
  const config = join(dir, "prometheus.yml");
  writeFileSync(
    config,
    JSON.stringify({
      global: {scrape_interval: "500ms"},
      scrape_configs: [
        {job_name: "self", static_configs: [{targets: [`127.0.0.1:${port}`]}]},
        {job_name: "receive", static_configs: [{targets: [receiver.url.slice("http://".length)]}]},
        {job_name: "nobody", static_configs: [{targets: [`127.0.0.1:${scrape}`]}]},
      ],
      remote_write: [{url: `http://127.0.0.1:${write}/api/v1/receive`, queue_config: {batch_send_deadline: "200ms"}}],
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  await spawnServer(t, {
    command: prometheus.path,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    ready: httpReady(`${url}/-/ready`),
  });
  const end = Date.now() + RUN_MS;
  while (Date.now() < end) {
    await Receiver.read(grpc);
    await delay(500);
  }
  // All up to this moment; what is on its way arrives within seconds.
  const now = Date.now() / 1000;
  const answer = await fetch(`${url}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({query: `{__name__=~".+"}[1h]`, time: String(now)}),
  });
  const want = samplesOf((await answer.json()) as Matrix);
  assert.ok(want.size > 100, `${want.size} series`);
  let missing = "";
  await until(
    async () => {
      missing = firstMissing(want, await Receiver.read(grpc));
      return missing === "";
    },
    "all samples to arrive",
    receiver,
  ).catch((err) => assert.fail(`${missing}: ${err}`));
});

function samplesOf({data}: Matrix): Samples {
  return new Map(
    data.result.map(({metric, values}) => [
      JSON.stringify(Object.entries(metric).sort()),
      new Map(values.map(([time, value]) => [Math.round(time * 1000), value])),
    ]),
  );
}

/** The first sample that is not there or has another value; "" when all are. */
function firstMissing(want: Samples, got: ReadonlyMap<string, ReadonlyMap<number, number>>): string {
  for (const [series, samples] of want) {
    const own = got.get(series);
    for (const [time, text] of samples) {
      const value = own?.get(time);
      const wanted = Number(text.replace("Inf", "Infinity"));
      if (value === undefined) return `${series} has nothing at ${time}`;
      if (!Object.is(value, wanted) && value !== wanted) return `${series} is ${value} instead of ${text} at ${time}`;
    }
  }
  return "";
}
