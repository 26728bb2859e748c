import assert from "node:assert/strict";
import {test} from "node:test";
import {CUSTOM_SCHEMA, type FloatHistogram, type QueryResult} from "@strata/engine";
import {Labels} from "@strata/model";
import type {NameEscaping} from "@strata/web";
import {escapeName, federateText} from "./federate-text.ts";

type Point = readonly [t: number, value: number | FloatHistogram];

function result(series: readonly (readonly [Record<string, string>, ...Point[]])[]): QueryResult {
  const points = series.flatMap(([, ...own]) => own);
  const firstPoint = [0];
  for (const [, ...own] of series) firstPoint.push((firstPoint.at(-1) as number) + own.length);
  const histograms = new Map<number, FloatHistogram>();
  for (const [i, [, v]] of points.entries()) if (typeof v !== "number") histograms.set(i, v);
  return {
    type: "matrix",
    labels: series.map(([labels]) => Labels.fromObject(labels)),
    firstPoint: Uint32Array.from(firstPoint),
    times: Float64Array.from(points, ([t]) => t),
    values: Float64Array.from(points, ([, v]) => (typeof v === "number" ? v : 0)),
    histograms,
    text: "",
    warnings: [],
    infos: [],
    stats: {totalQueryableSamples: 0, samplesRead: 0, samplesDecoded: 0, peakSamples: 0},
    plan: undefined,
  };
}

const text = (parts: Parameters<typeof federateText>[0], escaping: NameEscaping = "underscores"): string =>
  Buffer.concat([...federateText(parts, escaping)]).toString();

test("the newest sample of each living series, sorted by name, each once", () => {
  const up = {__name__: "up", instance: "a:1"};
  const gone = {__name__: "gone"};
  const temp = {__name__: "temp", Room: 'k"\\\n'};
  const parts = {
    current: result([
      [up, [99, 1]],
      [temp, [99, 1e21]],
    ]),
    recent: result([
      [up, [10, 0], [20, 1]],
      [gone, [20, 5]],
      [temp, [15, 1e21]],
    ]),
  };
  assert.equal(
    text([parts, parts]),
    '# TYPE temp untyped\ntemp{Room="k\\"\\\\\\n",instance=""} 1e+21 15\n# TYPE up untyped\nup{instance="a:1"} 1 20\n',
  );
});

test("histograms with custom buckets become classic ones, others and series without a name are left out", () => {
  const base = {hint: 0, zeroThreshold: 0, zeroCount: 0, ni: [], nv: []} as const;
  const custom: FloatHistogram = {
    ...base,
    schema: CUSTOM_SCHEMA,
    count: 7,
    sum: 1.5,
    pi: [0, 2],
    pv: [2, 5],
    custom: [0.1, 1],
  };
  const native: FloatHistogram = {...base, schema: 0, count: 1, sum: 1, pi: [1], pv: [1], custom: []};
  const series = result([
    [{__name__: "h"}, [5, custom]],
    [{__name__: "n"}, [5, native]],
    [{x: "1"}, [5, 1]],
  ]);
  assert.equal(
    text([{current: series, recent: series}]),
    [
      "# TYPE h histogram",
      'h_bucket{instance="",le="0.1"} 2 5',
      'h_bucket{instance="",le="1"} 2 5',
      'h_bucket{instance="",le="+Inf"} 7 5',
      'h_sum{instance=""} 1.5 5',
      'h_count{instance=""} 7 5',
      "",
    ].join("\n"),
  );
});

test("names beyond the classic ones are escaped as the scraper wants", () => {
  const series = result([[{__name__: "http.server", "k8s.pod/name": "é"}, [1, 2]]]);
  const parts = [{current: series, recent: series}];
  assert.equal(text(parts), '# TYPE http_server untyped\nhttp_server{k8s_pod_name="é",instance=""} 2 1\n');
  assert.equal(
    text(parts, "allow-utf-8"),
    '# TYPE "http.server" untyped\n{"http.server","k8s.pod/name"="é",instance=""} 2 1\n',
  );
  assert.equal(escapeName("a.b_c/d", "dots"), "a_dot_b__c__d");
  assert.equal(escapeName("a.b_c", "values"), "U__a_2e_b__c");
  assert.equal(escapeName("1a", "underscores"), "_a");
});
