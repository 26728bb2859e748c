import assert from "node:assert/strict";
import {test} from "node:test";
import {requireTool} from "@strata/base/testing";
import {startCacheServer} from "@strata/cache/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {resultsCacheFromConfig} from "./cache-config.ts";
import {startDownstream, startFrontend} from "./testing/start-frontend.ts";

const NOW = 1_795_000_000_000;
const BODY =
  '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[1794960000,"1"],[1794960060,"2"]]}]}}';
const QUERY = "query=up&start=1794960000&end=1794960060&step=60";

const KINDS = [
  {kind: "redis-server", config: (address: string) => `{type: REDIS, config: {addr: "${address}"}}`},
  {kind: "memcached", config: (address: string) => `{type: MEMCACHED, config: {addresses: ["${address}"]}}`},
] as const;

for (const {kind, config} of KINDS) {
  test(`${kind} keeps answers; killed and started again, answers stay right`, {
    skip: requireTool(kind).skip,
  }, async (t) => {
    const server = await startCacheServer(t, kind);
    const settings = await resultsCacheFromConfig(config(server.address), {
      name: "query_range",
      registry: newRegistry(),
      logger: nullLogger(),
      resolve: async (addresses) => addresses,
    });
    assert.ok(settings !== undefined);
    assert.equal(settings.ttlMs, 24 * 3_600_000);
    t.after(() => settings.cache.close());
    const downstream = await startDownstream(t, () => ({status: 200, body: BODY}));
    const url = await startFrontend(t, downstream.url, {cacheRange: true, cache: settings.cache, now: () => NOW});
    const ask = async (): Promise<unknown> => {
      const answer = await fetch(`${url}/api/v1/query_range?${QUERY}`);
      assert.equal(answer.status, 200);
      return ((await answer.json()) as {data: {result: unknown}}).data.result;
    };
    const want = (JSON.parse(BODY) as {data: {result: unknown}}).data.result;
    /** Asks until an answer came out of the cache: values are sent in the background. */
    const untilCached = async (): Promise<void> => {
      for (let asked = -1; asked !== downstream.asked.length; ) {
        asked = downstream.asked.length;
        assert.deepEqual(await ask(), want);
      }
    };
    await untilCached();
    await server.process().kill();
    for (let i = 0; i < 5; i++) assert.deepEqual(await ask(), want);
    await server.restart();
    await untilCached();
  });
}

test("a cache of another type is refused with the types there are", async () => {
  const context = {name: "x", registry: newRegistry(), logger: nullLogger(), resolve: async () => []};
  await assert.rejects(
    resultsCacheFromConfig("{type: GROUPCACHE}", context),
    /GROUPCACHE is not supported yet; supported are IN-MEMORY, MEMCACHED, REDIS/,
  );
  await assert.rejects(
    resultsCacheFromConfig("{type: IN-MEMORY, config: {max_size: 12}}", context),
    /want a number with a unit, such as 512MB/,
  );
  assert.equal(await resultsCacheFromConfig("{type: IN-MEMORY}", context), undefined);
});
