import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {Labels, matcher} from "@strata/model";
import {thanos} from "@strata/proto";
import {mergeExemplars} from "./merge-exemplars.ts";
import {mergeMetadata} from "./merge-metadata.ts";
import {labelSet, labelsOf, mergeRules, type RulesFilter} from "./merge-rules.ts";
import {mergeStatistics, totalStatistics} from "./merge-statistics.ts";
import {mergeTargets} from "./merge-targets.ts";

const set = (labels: Record<string, string>) => labelSet(Labels.fromObject(labels));
const whole = <T>(codec: {encode(m: never): Buffer; decode(b: Uint8Array): T}, init: unknown): T =>
  codec.decode(codec.encode(init as never));

const ALL: RulesFilter = {matcherSets: [], names: [], groups: [], files: []};
const alert = (name: string, labels: Record<string, string>, state: number, seconds = 0) => ({
  alert: {name, labels: set(labels), state, lastEvaluation: {seconds}},
});
const record = (name: string, labels: Record<string, string> = {}, seconds = 0) => ({
  recording: {name, labels: set(labels), lastEvaluation: {seconds}},
});
const group = (name: string, rules: unknown[], seconds = 0) =>
  whole(thanos.RuleGroup, {name, file: "f", rules, lastEvaluation: {seconds}, interval: seconds});

const shown = (groups: readonly thanos.RuleGroup[]) =>
  groups.map((g) => [
    g.name,
    ...g.rules.map(({alert: a, recording: r}) =>
      a
        ? `${a.name}${labelsOf(a.labels)} ${a.state} @${a.lastEvaluation?.seconds ?? 0}`
        : `${r?.name}${labelsOf(r?.labels)}`,
    ),
  ]);

describe("rules of many sources", () => {
  test("replicas are one rule: the most severe state, then the latest evaluation", () => {
    const merged = mergeRules(
      [
        group("g", [record("r", {replica: "a"}), alert("A", {replica: "a", x: "1"}, 1, 9)], 1),
        group("g", [alert("A", {replica: "b", x: "1"}, 3, 5), alert("A", {replica: "c", x: "1"}, 3, 7)], 2),
        group("a", [record("only", {replica: "b"})]),
      ],
      ALL,
      ["replica"],
    );
    assert.deepEqual(shown(merged), [
      ["a", "only{}"],
      ["g", 'A{x="1"} 3 @7', "r{}"],
    ]);
    assert.equal(merged[1]?.interval, 2);
  });

  test("without replica labels all rules stay", () => {
    const merged = mergeRules([group("g", [record("r", {replica: "b"}), record("r", {replica: "a"})])], ALL, []);
    assert.deepEqual(shown(merged), [["g", 'r{replica="a"}', 'r{replica="b"}']]);
  });

  test("filters by name, group, file and labels, and drops groups that are left empty", () => {
    const groups = [
      group("g", [alert("A", {severity: "page"}, 1), alert("B", {severity: "{{ $value }}"}, 1)]),
      group("h", [record("C")]),
    ];
    const f = (filter: Partial<RulesFilter>, want: string[][]) =>
      assert.deepEqual(shown(mergeRules(groups, {...ALL, ...filter}, [])), want);
    const page = 'A{severity="page"} 1 @0';
    const templated = 'B{severity="{{ $value }}"} 1 @0';
    f({names: ["A"]}, [["g", page]]);
    f({groups: ["h"]}, [["h", "C{}"]]);
    f({files: ["nosuch"]}, []);
    f({matcherSets: [[matcher("severity", "=", "page")]]}, [["g", page]]);
    // A label that is made when the alert fires counts as absent.
    f({matcherSets: [[matcher("severity", "=", "")]]}, [
      ["g", templated],
      ["h", "C{}"],
    ]);
    f({matcherSets: [[matcher("severity", "=", "page")], [matcher("severity", "=", "other")]]}, []);
  });
});

test("targets that differ in their replica are one: the one that is down, then the one scraped last", () => {
  const target = (replica: string, health: number, seconds: number, z = "") => ({
    discoveredLabels: set({replica, z}),
    labels: set({replica}),
    scrapeUrl: "u",
    health,
    lastScrape: {seconds},
  });
  const {TARGET_DOWN, TARGET_UP} = thanos.TargetHealth;
  const {activeTargets, droppedTargets} = mergeTargets(
    [
      whole(thanos.TargetDiscovery, {
        activeTargets: [target("a", TARGET_UP, 9), target("a", TARGET_UP, 1, "2"), target("b", TARGET_DOWN, 3)],
        droppedTargets: [{discoveredLabels: set({replica: "a", d: "1"})}],
      }),
      whole(thanos.TargetDiscovery, {
        activeTargets: [target("c", TARGET_DOWN, 5)],
        droppedTargets: [{discoveredLabels: set({replica: "b", d: "1"})}],
      }),
    ],
    ["replica"],
  );
  assert.deepEqual(
    activeTargets.map((t) => [String(labelsOf(t.discoveredLabels)), t.health, t.lastScrape?.seconds]),
    [
      ["{}", TARGET_DOWN, 5],
      ['{z="2"}', TARGET_UP, 1],
    ],
  );
  assert.deepEqual(
    droppedTargets.map((t) => String(labelsOf(t.discoveredLabels))),
    ['{d="1"}'],
  );
});

test("metadata has each entry once, and no more metrics than asked for", () => {
  const of = (metrics: Record<string, string[]>) =>
    whole(thanos.MetricMetadata, {
      metadata: new Map(
        Object.entries(metrics).map(([name, helps]) => [name, {metas: helps.map((help) => ({type: "gauge", help}))}]),
      ),
    });
  const f = (limit: number, want: Record<string, string[]>) => {
    const merged = mergeMetadata([of({b: ["x"], a: ["x"]}), of({a: ["x", "y"]})], limit);
    assert.deepEqual(Object.fromEntries([...merged].map(([name, metas]) => [name, metas.map((m) => m.help)])), want);
  };
  f(-1, {a: ["x", "y"], b: ["x"]});
  f(1, {a: ["x", "y"]});
  f(0, {});
});

test("exemplars of replicas are joined, in order of time, each once", () => {
  const of = (replica: string, ...exemplars: [number, number][]) =>
    whole(thanos.ExemplarData, {
      seriesLabels: set({s: "1", replica}),
      exemplars: exemplars.map(([ts, value]) => ({ts, value, labels: set({trace: "t"})})),
    });
  const nan = Number.NaN;
  const merged = mergeExemplars([of("a", [2, 1], [1, nan]), of("b", [1, nan], [3, 1]), of("c")], ["replica"]);
  assert.deepEqual(
    merged.map((d) => [String(labelsOf(d.seriesLabels)), d.exemplars.map((e) => [e.ts, e.value])]),
    [
      [
        '{s="1"}',
        [
          [1, nan],
          [2, 1],
          [3, 1],
        ],
      ],
    ],
  );
});

test("statistics add up by tenant; label values take the larger count", () => {
  const of = (tenant: string, n: number, minTime: number) =>
    whole(thanos.TSDBStatistics, {
      statistics: new Map([
        [
          tenant,
          {
            headStatistics: {numSeries: n, minTime, maxTime: minTime + n},
            seriesCountByMetricName: [{name: "up", value: n}],
            labelValueCountByLabelName: [{name: "job", value: n}],
          },
        ],
      ]),
    });
  const tenants = mergeStatistics([of("a", 1, 100), of("a", 5, 50), of("b", 2, 0)]);
  assert.deepEqual(tenants.get("a")?.headStatistics, {
    numSeries: 6,
    numLabelPairs: 0,
    chunkCount: 0,
    minTime: 50,
    maxTime: 101,
  });
  assert.deepEqual(tenants.get("a")?.seriesCountByMetricName, [{name: "up", value: 6}]);
  assert.deepEqual(tenants.get("a")?.labelValueCountByLabelName, [{name: "job", value: 5}]);
  assert.equal(totalStatistics(tenants).headStatistics?.numSeries, 8);
});
