import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {random} from "@strata/base/testing";
import {writeWindow} from "@strata/kernels";
import {prompb} from "@strata/proto";
import {newRegistry} from "@strata/telemetry";
import {Hashrings} from "./hashrings.ts";
import {PLACED} from "./peer-request.ts";
import {type Placement, placeSeries} from "./placement.ts";
import {parseRings} from "./ring-config.ts";
import {shuffleMetrics} from "./shuffle-ring.ts";
import {HARD_LIMITS} from "./write-handler.ts";

const rand = random();
const SERIES = 200;
const body = prompb.WriteRequest.encode({
  timeseries: Array.from({length: SERIES}, (_, i) => ({
    labels: [
      {name: "__name__", value: `m${Math.floor(rand() * 1e6)}`},
      {name: "i", value: String(i)},
    ],
    samples: [{value: i, timestamp: i}],
  })),
});

/** Groups of a request to a ring of so many nodes, three copies. */
function placed(algorithm: string, nodes: number, joins: (address: string) => boolean, list?: Uint32Array) {
  const endpoints = Array.from({length: nodes}, (_, i) => `node-${i}:10901`);
  const {rings: config} = parseRings(JSON.stringify([{endpoints, algorithm}]), "hashmod");
  const rings = Hashrings.create(config, 3, shuffleMetrics(newRegistry()));
  try {
    using window = writeWindow();
    window.load(body);
    window.walk(HARD_LIMITS);
    return placeSeries(window, [{tenant: "a", list}], [0, 1, 2], rings, ({address}) => joins(address));
  } finally {
    rings.close();
  }
}

/** Series of each endpoint over all its groups, each once. */
function byEndpoint(groups: readonly Placement[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const {endpoint, parts} of groups) {
    const numbers = parts.flatMap(({list}) => (list === undefined ? [...Array(SERIES).keys()] : [...list]));
    found.set(
      endpoint.address,
      [...(found.get(endpoint.address) ?? []), ...numbers].sort((a, b) => a - b),
    );
  }
  return found;
}

describe("placing series", () => {
  for (const algorithm of ["ketama", "hashmod"]) {
    for (const nodes of [3, 7]) {
      test(`of ${nodes} nodes by ${algorithm} gives each endpoint the same, joined or not`, () => {
        const apart = placed(algorithm, nodes, () => false);
        const want = byEndpoint(apart.groups);
        const total = [...want.values()].reduce((n, list) => n + list.length, 0);
        assert.equal(total, 3 * SERIES);
        for (const joins of [() => true, (address: string) => address !== "node-1:10901"]) {
          const {groups, classes} = placed(algorithm, nodes, joins);
          assert.deepEqual(new Map([...byEndpoint(groups)].sort()), new Map([...want].sort()));
          for (const {endpoint, replica} of groups) assert.equal(replica === PLACED, joins(endpoint.address));
          // A class has its three copies.
          for (let c = 0; c < classes; c++) assert.equal(groups.filter((g) => g.classes.has(c)).length, 3);
        }
      });
    }
  }

  test("gives each endpoint its part of the listed series, in their order", () => {
    const list = Uint32Array.from({length: 50}, (_, i) => 3 * i + 1);
    for (const {parts} of placed("ketama", 5, () => true, list).groups) {
      const numbers = [...(parts[0]?.list ?? [])];
      assert.ok(numbers.every((n, i) => list.includes(n) && (i === 0 || n > (numbers[i - 1] as number))));
    }
  });
});
