import assert from "node:assert/strict";
import {test} from "node:test";
import {execute, type FloatHistogram, histogramText, writeResultJson} from "@strata/engine";
import {MemoryStore} from "@strata/engine/testing";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {LabelCache, readLast, readVector} from "./query-json.ts";

const cache = () => new LabelCache(100);
const vector = (result: unknown) => JSON.stringify({status: "success", data: {resultType: "vector", result}});

test("vectors and scalars are read; others are refused", () => {
  const {result, warnings} = readVector(
    JSON.stringify({
      status: "success",
      warnings: ["w"],
      data: {resultType: "vector", result: [{metric: {b: "1", a: "2", c: ""}, value: [1.5, "+Inf"]}]},
    }),
    cache(),
  );
  assert.equal(String(result.labels[0]), '{a="2", b="1"}');
  assert.deepEqual([...result.values, ...warnings], [Infinity, "w"]);
  const scalar = JSON.stringify({status: "success", data: {resultType: "scalar", result: [1, "-0.5"]}});
  assert.deepEqual([...readVector(scalar, cache()).result.values], [-0.5]);
  const string = JSON.stringify({status: "success", data: {resultType: "string", result: [1, "x"]}});
  assert.throws(() => readVector(string, cache()), /rule result is not a vector or scalar/);
  assert.throws(() => readVector('{"status":"error","error":"no"}', cache()), /^StrataError: no$/);
  assert.throws(() => readVector("<html>", cache()), /cannot read the answer/);
});

test("label sets that come again are the same objects", () => {
  const labels = cache();
  const once = () => readVector(vector([{metric: {a: "1"}, value: [1, "1"]}]), labels).result.labels[0];
  assert.equal(once(), once());
});

test("the last sample of each series is read", () => {
  const body = JSON.stringify({
    status: "success",
    data: {
      resultType: "matrix",
      result: [
        {
          metric: {a: "1"},
          values: [
            [1, "5"],
            [2.25, "6"],
          ],
        },
        {metric: {}, values: []},
      ],
    },
  });
  assert.deepEqual(
    readLast(body).result.map(({labels, t, v}) => [String(labels), t, v]),
    [['{a="1"}', 2250, 6]],
  );
});

test("native histograms are put together again from their buckets", async () => {
  const base = {hint: 3, zeroThreshold: 0.001, zeroCount: 2, count: 20, sum: 3.5, custom: []} as const;
  const cases: FloatHistogram[] = [
    {...base, schema: 3, pi: [-5, 0, 1, 17], pv: [1, 2, 3, 4], ni: [2, 9], nv: [5, 0.5]},
    {...base, schema: -4, pi: [0, 1], pv: [1, 2], ni: [], nv: []},
    {...base, schema: 8, zeroThreshold: 0, zeroCount: 0, pi: [100, 101], pv: [1, 2], ni: [-300], nv: [3]},
    {...base, schema: 0, zeroThreshold: 0.75, pi: [0, 1], pv: [1, 2], ni: [], nv: []},
    {...base, schema: 0, zeroThreshold: 0, zeroCount: 0, count: 0, pi: [], pv: [], ni: [], nv: []},
    {
      ...base,
      schema: -53,
      zeroThreshold: 0,
      zeroCount: 0,
      pi: [0, 1, 2],
      pv: [1, 2, 3],
      ni: [],
      nv: [],
      custom: [0.1, 7],
    },
  ];
  for (const histogram of cases) {
    const store = new MemoryStore([{labels: Labels.fromObject({__name__: "h"}), samples: [{t: 1000, v: histogram}]}]);
    const at = {start: 1000, end: 1000, step: 0};
    const signal = new AbortController().signal;
    const answer = await execute(parseExpr("h"), at, store, {decodeChunk: store.decodeChunk}, signal);
    const json = Buffer.concat([...writeResultJson(answer)]).toString();
    const {result} = readVector(`{"status":"success","data":{"resultType":"vector","result":${json}}}`, cache());
    const got = result.histograms?.get(0);
    assert.ok(got);
    assert.equal(histogramText(got), histogramText(histogram));
    if (histogram.pi.length > 0) assert.equal(got.schema, histogram.schema);
  }
});
