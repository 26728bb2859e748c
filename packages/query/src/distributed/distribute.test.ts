import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {format, parseExpr} from "@strata/promql";
import {distribute} from "./distribute.ts";
import type {Federation} from "./engines.ts";

const connection = (address: string) => ({address, tls: undefined, compression: undefined, group: undefined});
const engine = (address: string, labels: Record<string, string>, mint = 0, maxt = 1e12) => ({
  connection: connection(address),
  sets: [{pairs: Object.entries(labels).flat(), mint, maxt}],
});
const EU = engine("eu", {cluster: "eu", replica: "1"});
const US = engine("us", {cluster: "us", replica: "1"});

function distributed(query: string, federation: Partial<Federation> = {}, times = {mint: 1e6, maxt: 1e6}) {
  const options = {
    federation: {engines: [EU, US], stores: [], partitionLabels: [], ...federation},
    replicaLabels: ["replica"],
    times,
    lookbackMs: 300_000,
  };
  const {expr, remotes} = distribute(parseExpr(query, {experimentalFunctions: true}), options);
  const text = format(expr).replace(/\{__strata_remote__="(\d)"\}/g, "#$1");
  return [
    text,
    ...remotes.map((r) => `${r.query} @ ${r.targets.map((t) => t.map((c) => c.address).join("|")).join(" ")}`),
  ];
}

const f = (query: string, ...want: string[]) => assert.deepEqual(distributed(query), want, query);

describe("a query over queriers", () => {
  test("is left to each of them where their answers only have to be put together", () => {
    f("x", "#0", "x @ eu us");
    f("sum by (cluster) (rate(x[5m]))", "#0", "sum by (cluster) (rate(x[5m])) @ eu us");
    f("a / on (cluster) b", "#0", "a / on (cluster) b @ eu us");
    f("histogram_quantile(0.9, x)", "#0", "histogram_quantile(0.9, x) @ eu us");
    f("max_over_time(x[5m:1m])", "#0", "max_over_time(x[5m:1m]) @ eu us");
  });

  test("is put together by an aggregation where it has to be", () => {
    f("sum by (job) (x)", "sum by (job) (#0)", "sum by (job) (x) @ eu us");
    f("count(x)", "sum(#0)", "count(x) @ eu us");
    f(
      "min without (cluster) (x)",
      "min without (cluster, __strata_engine__) (#0)",
      "min without (cluster) (x) @ eu us",
    );
    f("avg(x)", "sum(#0) / sum(#1)", "sum(x) @ eu us", "count(x) @ eu us");
    f("topk(2, x)", "topk(2, #0)", "topk(2, x) @ eu us");
    f("sum(x) / count(y)", "sum(#0) / sum(#1)", "sum(x) @ eu us", "count(y) @ eu us");
  });

  test("is left to them in parts where the whole cannot be", () => {
    f("quantile(0.5, rate(x[5m]))", "quantile(0.5, #0)", "rate(x[5m]) @ eu us");
    f("a / on (job) b", "#0 / on (job) #1", "a @ eu us", "b @ eu us");
    f("sort(sum by (cluster) (x))", "sort(#0)", "sum by (cluster) (x) @ eu us");
    f('label_replace(x, "cluster", "c", "", "")', 'label_replace(#0, "cluster", "c", "", "")', "x @ eu us");
    f("scalar(sum(x))", "scalar(sum(#0))", "sum(x) @ eu us");
    f("sum(sum by (job) (x))", "sum(sum by (job) (#0))", "sum by (job) (x) @ eu us");
  });

  test("is evaluated here where other queriers cannot say it", () => {
    for (const query of ["absent(x)", "info(x)", "max_over_time(sum(x)[5m:1m])", "time()", "vector(1)"]) {
      assert.deepEqual(distributed(query), [query]);
    }
  });

  test("goes whole to the only one that has what it selects", () => {
    f('quantile(0.5, x{cluster="eu"})', "#0", 'quantile(0.5, x{cluster="eu"}) @ eu');
    f('absent(x{cluster="us"})', "#0", 'absent(x{cluster="us"}) @ us');
    f('topk(1, x{cluster="us"})', "topk(1, #0)", 'topk(1, x{cluster="us"}) @ us');
    f('a{cluster="eu"} / on (job) b{cluster="us"}', "#0 / on (job) #1", 'a{cluster="eu"} @ eu', 'b{cluster="us"} @ us');
  });

  test("stays here where a store that is no querier may have some of it", () => {
    const stores = [{sets: [["cluster", "asia"]], mint: 0, maxt: 1e12}];
    assert.deepEqual(distributed("sum(x)", {stores}), ["sum(x)"]);
    const eu = 'sum(x{cluster="eu"})';
    assert.deepEqual(distributed(eu, {stores}), ["#0", `${eu} @ eu`]);
    assert.deepEqual(distributed("sum(x)", {stores: [{sets: [], mint: 2e9, maxt: 1e12}]}), [
      "sum(#0)",
      "sum(x) @ eu us",
    ]);
  });

  test("stays here where queriers cannot be told apart", () => {
    const zone = engine("zone", {zone: "1"});
    assert.deepEqual(distributed("sum(x)", {engines: [EU, zone]}), ["sum(x)"]);
    assert.deepEqual(distributed("sum(x)", {engines: [EU, engine("eu2", {cluster: "eu", replica: "2"})]}), ["sum(x)"]);
    assert.deepEqual(distributed("sum(x)", {partitionLabels: ["zone"]}), ["sum(x)"]);
    assert.deepEqual(distributed("sum(x)", {engines: []}), ["sum(x)"]);
  });

  test("asks one of several queriers alike, one that has data for all of its time", () => {
    const recent = engine("recent", {cluster: "eu", replica: "1"}, 500_000);
    assert.deepEqual(distributed("sum(x)", {engines: [recent, EU, US]}), ["sum(#0)", "sum(x) @ recent|eu us"]);
    const late = engine("late", {cluster: "eu", replica: "1"}, 800_000);
    assert.deepEqual(distributed("sum(x)", {engines: [late, EU, US]}), ["sum(#0)", "sum(x) @ eu us"]);
    assert.deepEqual(distributed("sum(x offset 1h)", {engines: [late, recent]}), ["sum(x offset 1h)"]);
  });

  test("asks only those that have data for its time", () => {
    const old = engine("old", {cluster: "old"}, 0, 600_000);
    assert.deepEqual(distributed("sum(x)", {engines: [EU, US, old]}), ["sum(#0)", "sum(x) @ eu us"]);
    assert.deepEqual(distributed("sum(x offset 5m)", {engines: [EU, US, old]}), [
      "sum(#0)",
      "sum(x offset 5m) @ eu us old",
    ]);
  });
});
