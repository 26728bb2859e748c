import assert from "node:assert/strict";
import {test} from "node:test";
import {unlimited} from "@strata/base";
import {Labels} from "@strata/model";
import {type FloatHistogram, HINT} from "./histogram/float-histogram.ts";
import {type QueryResult, ResultBuilder} from "./query-result.ts";
import {writeResultJson} from "./result-json.ts";

const result = (type: QueryResult["type"], builder: ResultBuilder, text = ""): QueryResult => ({
  type,
  ...builder.finish(type === "matrix"),
  text,
  warnings: [],
  infos: [],
  stats: {
    totalQueryableSamples: 0,
    samplesRead: 0,
    samplesDecoded: 0,
    peakSamples: 0,
  },
  plan: undefined,
});

const write = (r: QueryResult): string => Buffer.concat([...writeResultJson(r)]).toString();

const histogram: FloatHistogram = {
  schema: 0,
  hint: HINT.gauge,
  zeroThreshold: 0.5,
  zeroCount: 1,
  count: 4,
  sum: 2.5,
  pi: [1, 2],
  pv: [0, 2],
  ni: [1],
  nv: [1],
  custom: [],
};

test("a vector holds values and histograms, labels escaped as for HTML", () => {
  const b = new ResultBuilder(unlimited());
  b.startSeries(Labels.fromObject({__name__: "x", a: 'q"<&>\n\u2028温'}));
  b.add(1_435_781_451_781, 1.5);
  b.startSeries(Labels.EMPTY);
  b.add(60_000, histogram);
  assert.equal(
    write(result("vector", b)),
    '[{"metric":{"__name__":"x","a":"q\\"\\u003c\\u0026\\u003e\\n\\u2028温"},"value":[1435781451.781,"1.5"]},' +
      '{"metric":{},"histogram":[60,{"count":"4","sum":"2.5",' +
      '"buckets":[[1,"-2","-1","1"],[3,"-0.5","0.5","1"],[0,"2","4","2"]]}]}]',
  );
});

test("a matrix is sorted by labels, floats before histograms, parts of seconds with three digits", () => {
  const b = new ResultBuilder(unlimited());
  b.startSeries(Labels.fromObject({b: "1"}));
  b.add(100, 1);
  b.add(1_010, histogram);
  b.add(-1_500, 2);
  b.startSeries(Labels.fromObject({a: "1"}));
  b.add(2_000, Number.NaN);
  const text = write(result("matrix", b));
  assert.match(text, /\[\[0\.100,"1"\],\[-1\.500,"2"\]\]/);
  assert.match(text, /\[\[1\.010,\{/);
  const {0: first, 1: second} = JSON.parse(text) as {
    metric: object;
    values: unknown;
    histograms?: unknown[];
  }[];
  assert.deepEqual(first, {metric: {a: "1"}, values: [[2, "NaN"]]});
  assert.deepEqual(second!.values, [
    [0.1, "1"],
    [-1.5, "2"],
  ]);
  assert.equal((second!.histograms as [number, unknown][])[0]![0], 1.01);
});

test("scalars and strings are one pair, scalars never with an exponent", () => {
  const b = new ResultBuilder(unlimited());
  b.startSeries(Labels.EMPTY);
  b.add(1_500, 1e-9);
  assert.equal(write(result("scalar", b)), '[1.5,"0.000000001"]');
  assert.equal(write(result("string", b, "a<b")), '[1.5,"a\\u003cb"]');
});

test("a long answer comes in pieces that together are the whole", () => {
  const b = new ResultBuilder(unlimited());
  // One of the series is longer than a piece.
  const points = (s: number): number => (s === 7 ? 30_000 : 1_000);
  for (let s = 0; s < 50; s++) {
    b.startSeries(Labels.fromObject({s: String(s).padStart(2, "0")}));
    for (let i = 0; i < points(s); i++) b.add(i * 1_000, i / 7);
  }
  const r = result("matrix", b);
  const pieces = [...writeResultJson(r)];
  assert.ok(pieces.length > 5 && pieces.every((piece) => piece.length < 600_000), String(pieces.map((p) => p.length)));
  // They are handed on to another thread: no two may lie in one buffer.
  assert.equal(new Set(pieces.map((piece) => piece.buffer)).size, pieces.length);
  const parsed = JSON.parse(Buffer.concat(pieces).toString()) as {values: [number, string][]}[];
  assert.equal(parsed.length, 50);
  parsed.forEach(({values}, s) => {
    assert.deepEqual(
      values,
      Array.from({length: points(s)}, (_, i) => [i, String(i / 7)]),
    );
  });
});
