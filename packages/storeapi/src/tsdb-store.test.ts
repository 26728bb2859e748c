import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels} from "@strata/model";
import type {Queryable} from "@strata/series";
import {chooseStores} from "./store-filter.ts";
import {tsdbHandle, tsdbInfo} from "./tsdb-store.ts";

const none: Queryable = {
  select: async function* () {},
  labelNames: async () => ({values: [], warnings: []}),
  labelValues: async () => ({values: [], warnings: []}),
};
const store = (tenant: string, minTime: number) => ({
  queryable: none,
  labels: Labels.fromObject({tenant_id: tenant}),
  minTime,
});

test("a component with databases offers one label set each, from the first sample to the end of time", () => {
  const info = tsdbInfo("receive", [store("a", 2000), store("b", Number.POSITIVE_INFINITY)], {exemplars: {}});
  assert.equal(info.componentType, "receive");
  assert.deepEqual(info.exemplars, {});
  assert.equal(info.store?.minTime, 2000);
  assert.equal(info.store?.maxTime, 2 ** 63);
  assert.deepEqual(
    info.store?.tsdbInfos?.map((t) => [t.labels?.labels?.[0]?.value, t.minTime]),
    [
      ["a", 2000],
      ["b", 2 ** 63],
    ],
  );
});

test("an empty database is not asked for times that ended before anything was written", () => {
  const stores = [tsdbHandle(store("a", 2000)), tsdbHandle(store("b", Number.POSITIVE_INFINITY))];
  const chosen = chooseStores(
    stores,
    {matchers: [], mint: 0, maxt: 5000, partialResponse: true, storeMatch: []},
    undefined,
  );
  assert.deepEqual(
    chosen.map((c) => c.store.address),
    ['{tenant_id="a"}'],
  );
});
