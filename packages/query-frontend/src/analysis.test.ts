import assert from "node:assert/strict";
import {test} from "node:test";
import {mergeAnalyses, NO_ANALYSIS, readAnalysis} from "./analysis.ts";

const endpoint = (endpointAddr: string, series: number, duration: string) => ({
  endpointAddr,
  duration,
  series,
  samples: 10 * series,
});

/** As a Strata querier tells it. */
const tree = (time: string, series: number, samples: number, bytes: number, addresses: string[]) => ({
  ...{name: "[sum]", executionTime: time, peakSamples: samples, totalSamples: samples, series: 1, peakBytes: bytes},
  children: [
    {
      ...{name: "[select] up", executionTime: "1ms", peakSamples: samples, totalSamples: samples, series, peakBytes: 7},
      fanout: addresses.map((address) => endpoint(address, series, "500µs")),
    },
  ],
});

test("costs of parts by time are added, series are the same ones; shards have series of their own", () => {
  const parts = [tree("1.5s", 3, 100, 50, ["a", "b"]), tree("600ms", 2, 40, 90, ["b"]), undefined].map(readAnalysis);
  const byTime = mergeAnalyses(parts, "times");
  assert.deepEqual(byTime, {
    ...{name: "[sum]", executionTime: "2.1s", peakSamples: 100, totalSamples: 140, series: 1, peakBytes: 90},
    children: [
      {
        ...{name: "[select] up", executionTime: "2ms", peakSamples: 100, totalSamples: 140, series: 3, peakBytes: 7},
        fanout: [
          {endpointAddr: "a", duration: "500µs", series: 3, samples: 30},
          {endpointAddr: "b", duration: "1ms", series: 3, samples: 50},
        ],
        children: null,
      },
    ],
  });
  const byShard = mergeAnalyses(parts, "shards");
  assert.equal(byShard?.series, 2);
  assert.equal(byShard?.children?.[0]?.series, 5);
  assert.equal(byShard?.children?.[0]?.fanout?.[1]?.series, 5);
});

test("of other queriers only names and times are passed on", () => {
  const theirs = {name: "x", executionTime: "1s", peakSamples: 5, totalSamples: 5, children: [{name: "y"}, null]};
  const read = readAnalysis(theirs);
  const y = {name: "y", executionTime: "0s", children: null};
  assert.deepEqual(read, {name: "x", executionTime: "1s", children: [y, NO_ANALYSIS]});
  assert.deepEqual(mergeAnalyses([read, read], "times"), {
    ...{name: "x", executionTime: "2s"},
    children: [y, NO_ANALYSIS],
  });
});

test("what makes no sense costs nothing", () => {
  const odd = readAnalysis({name: "x", executionTime: "soon", peakBytes: "many", fanout: [1, null, {duration: 3}]});
  assert.deepEqual(mergeAnalyses([odd, odd], "shards"), {
    ...{name: "x", executionTime: "0s", peakSamples: 0, totalSamples: 0, series: 0, peakBytes: 0},
    ...{fanout: [{duration: "0s"}], children: null},
  });
  assert.equal(mergeAnalyses([undefined], "times"), undefined);
});
