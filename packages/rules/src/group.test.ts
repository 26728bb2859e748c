import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import type {Alert} from "./alert.ts";
import {carryOver} from "./carry-over.ts";
import {evaluationBatches} from "./dependencies.ts";
import {Group, type GroupContext} from "./group.ts";
import {parseRuleFile} from "./rule-file.ts";
import type {RuleVector} from "./rule-io.ts";
import {groupOffset, lastSlot, nextEvaluation} from "./schedule.ts";
import {type CollectedSample, CollectingStorage} from "./testing/collecting-storage.ts";

const signal = new AbortController().signal;
const STALE = 0x7ff0000000000002n;
const MINUTE = 60_000;

function vector(entries: Record<string, number>): RuleVector {
  const names = Object.keys(entries);
  return {
    labels: names.map((instance) => Labels.fromObject({__name__: "up", instance})),
    values: Float64Array.from(Object.values(entries)),
    histograms: undefined,
  };
}

type Fixture = {group: Group; storage: CollectingStorage; sent: Alert[]; answers: Map<string, RuleVector | Error>};

function newFixture(rules: string, storage = new CollectingStorage()): Fixture {
  const {groups, errors} = parseRuleFile("r.yml", `groups:\n- name: g\n  interval: 1m\n${rules}`);
  assert.deepEqual(errors, []);
  const sent: Alert[] = [];
  const answers = new Map<string, RuleVector | Error>();
  const context: GroupContext = {
    storage,
    query: async ({query}) => {
      const answer = answers.get(query) ?? vector({});
      if (answer instanceof Error) throw answer;
      return answer;
    },
    notify: (_, alerts) => void sent.push(...alerts),
    externalLabels: Labels.EMPTY,
    externalUrl: "",
    functionUrl: undefined,
    defaultIntervalMs: MINUTE,
    defaultQueryOffsetMs: 0,
    resendDelayMs: MINUTE,
    now: () => 0,
  };
  const group = new Group(groups[0] as never, context);
  group.setRestored();
  return {group, storage, sent, answers};
}

const text = (s: CollectedSample): string =>
  `${s.labels} ${s.bits === STALE ? "stale" : new Float64Array(new BigUint64Array([s.bits]).buffer)[0]}@${s.t / MINUTE}`;

test("a series that a rule gives no more is ended once, also over a failed query", async () => {
  const {group, storage, answers} = newFixture("  rules: [{record: r, expr: up}]");
  const at = async (t: number, answer: RuleVector | Error): Promise<string[]> => {
    answers.set("up", answer);
    storage.samples.length = 0;
    await group.evaluate(t * MINUTE, signal);
    return storage.samples.map(text);
  };
  assert.equal((await at(1, vector({a: 1, b: 2}))).length, 2);
  assert.deepEqual(await at(2, new StrataError("unavailable", "down")), []);
  assert.deepEqual([group.rules[0]?.health, group.rules[0]?.lastError], ["err", "down"]);
  assert.deepEqual(await at(3, vector({b: 3})), [
    '{__name__="r", instance="b"} 3@3',
    '{__name__="r", instance="a"} stale@3',
  ]);
  assert.deepEqual(await at(4, vector({})), ['{__name__="r", instance="b"} stale@4']);
  assert.deepEqual(await at(5, vector({})), []);
});

test("series that could not be stored are ended later", async () => {
  const {group, storage, answers} = newFixture("  rules: [{record: r, expr: up}]");
  answers.set("up", vector({a: 1}));
  await group.evaluate(MINUTE, signal);
  answers.set("up", vector({b: 1}));
  const append = storage.append.bind(storage);
  storage.append = () => Promise.reject(new StrataError("unavailable", "disk full"));
  await group.evaluate(2 * MINUTE, signal);
  assert.equal(group.rules[0]?.lastError, "disk full");
  storage.append = append;
  storage.samples.length = 0;
  await group.evaluate(3 * MINUTE, signal);
  assert.deepEqual(storage.samples.map(text).sort(), [
    '{__name__="r", instance="a"} stale@3',
    '{__name__="r", instance="b"} 1@3',
  ]);
});

test("an alert is pending, fires, is sent again, resolves and is forgotten", async () => {
  const {group, storage, sent, answers} = newFixture("  rules: [{alert: A, expr: up, for: 2m}]");
  const states: string[] = [];
  for (let t = 1; t <= 24; t++) {
    answers.set("up", t < 6 ? vector({a: t}) : vector({}));
    sent.length = 0;
    await group.evaluate(t * MINUTE, signal);
    states.push(`${group.rules[0]?.alerting?.state} ${sent.map((alert) => alert.state).join()}`);
  }
  assert.deepEqual(states.slice(0, 8), [
    "pending ",
    "pending ",
    "firing firing",
    "firing ",
    "firing firing",
    "inactive inactive",
    "inactive ",
    "inactive inactive",
  ]);
  assert.equal(group.rules[0]?.alerting?.alerts.length, 0);
  const series = new Set(storage.samples.map((s) => text(s).replace(/@.*/, "")));
  assert.ok(series.has('{__name__="ALERTS", alertname="A", alertstate="pending", instance="a"} stale'));
  assert.ok(series.has('{__name__="ALERTS", alertname="A", alertstate="firing", instance="a"} 1'));
  assert.ok(series.has('{__name__="ALERTS_FOR_STATE", alertname="A", instance="a"} 60'));
});

test("a longer `for` after a reload sends an alert back to pending", async () => {
  const before = newFixture("  rules: [{alert: A, expr: up, for: 1m}]");
  before.answers.set("up", vector({a: 1}));
  for (let t = 1; t <= 2; t++) await before.group.evaluate(t * MINUTE, signal);
  assert.equal(before.group.rules[0]?.alerting?.state, "firing");
  const after = newFixture("  rules: [{alert: A, expr: up, for: 10m}]");
  after.answers.set("up", vector({a: 1}));
  carryOver([before.group], [after.group]);
  await after.group.evaluate(3 * MINUTE, signal);
  assert.equal(after.group.rules[0]?.alerting?.state, "pending");
  assert.equal(after.group.rules[0]?.alerting?.alerts[0]?.activeAt, MINUTE);
});

test("a rule that moves to another group keeps its alerts and its series", async () => {
  const before = newFixture(
    "  rules: [{alert: A, expr: up, for: 5m}, {record: r, expr: up}, {record: gone, expr: up}]",
  );
  before.answers.set("up", vector({a: 1}));
  await before.group.evaluate(MINUTE, signal);
  const {groups} = parseRuleFile(
    "other.yml",
    "groups: [{name: h, rules: [{record: r, expr: up}, {alert: A, expr: up, for: 5m}]}]",
  );
  const context = {...contextOf(before)};
  const moved = new Group(groups[0] as never, context);
  const left = carryOver([before.group], [moved]);
  assert.deepEqual(
    left.get(before.group)?.map((rule) => rule.spec.name),
    ["gone"],
  );
  assert.equal(moved.rules[1]?.alerting?.alerts[0]?.activeAt, MINUTE);
  before.storage.samples.length = 0;
  before.answers.set("up", vector({}));
  await moved.evaluate(2 * MINUTE, signal);
  assert.ok(before.storage.samples.map(text).includes('{__name__="r", instance="a"} stale@2'));
});

const contextOf = ({storage, answers}: Fixture): GroupContext => ({
  storage,
  query: async ({query}) => answers.get(query) as RuleVector,
  notify: () => undefined,
  externalLabels: Labels.EMPTY,
  externalUrl: "",
  functionUrl: undefined,
  defaultIntervalMs: MINUTE,
  defaultQueryOffsetMs: 0,
  resendDelayMs: MINUTE,
  now: () => 0,
});

test("restore gives an alert its age back, without the time that the ruler was down", async () => {
  const f = async (stored: {t: number; v: number} | undefined, want: number): Promise<void> => {
    const {group, answers} = newFixture("  rules: [{alert: A, expr: up, for: 30m}]");
    const alerting = group.rules[0]?.alerting;
    assert.ok(alerting);
    alerting.restored = false;
    answers.set("up", vector({a: 1}));
    await group.evaluate(100 * MINUTE, signal);
    const labels = Labels.fromObject({__name__: "ALERTS_FOR_STATE", alertname: "A", instance: "a"});
    const asked: string[] = [];
    const source = async (selector: Labels, mint: number, maxt: number) => {
      asked.push(`${selector} ${mint / MINUTE} ${maxt / MINUTE}`);
      if (stored === undefined) return [];
      // Another ruler's is of no interest, whatever it says.
      const other = labels.extend(Labels.fromObject({ruler: "r2"}));
      return [
        {labels: labels.extend(Labels.fromObject({ruler: "r1"})), ...stored},
        {labels: other, t: 1, v: 1},
      ];
    };
    const externalLabels = Labels.fromObject({ruler: "r1"});
    const options = {source, outageToleranceMs: 60 * MINUTE, graceMs: 10 * MINUTE, externalLabels};
    await group.restore(101 * MINUTE, options, signal, (err) => assert.fail(String(err)));
    assert.deepEqual(asked, ['{__name__="ALERTS_FOR_STATE", alertname="A"} 41 101']);
    assert.ok(alerting.restored);
    assert.equal((alerting.alerts[0] as Alert).activeAt / MINUTE, want);
  };
  await f(undefined, 100);
  // Down for a minute after 35 minutes: fires at once.
  await f({t: 100 * MINUTE, v: 65 * 60}, 65);
  // Five minutes were left: the grace period counts.
  await f({t: 95 * MINUTE, v: 70 * 60}, 101 + 10 - 30);
  // Twenty were left: the six minutes of outage are no part of its age.
  await f({t: 95 * MINUTE, v: 85 * 60}, 85 + 6);
});

test("rules that depend on each other are evaluated in order, others together", () => {
  const f = (rules: string, want: number[][]): void => {
    const {groups, errors} = parseRuleFile("r.yml", `groups: [{name: g, rules: [${rules}]}]`);
    assert.deepEqual(errors, []);
    assert.deepEqual(evaluationBatches(groups[0]?.rules ?? []), want);
  };
  f("{record: a, expr: x}, {record: b, expr: y}", [[0, 1]]);
  f("{record: a, expr: x}, {record: b, expr: a}, {record: c, expr: b}, {record: d, expr: sum(a)}", [[0], [1], [2, 3]]);
  f("{record: a, expr: x}, {record: b, expr: '{job=\"x\"}'}", [[0], [1]]);
  f("{alert: A, expr: x}, {record: b, expr: 'ALERTS{alertname=\"A\"}'}, {record: c, expr: z}", [[0, 2], [1]]);
  f("{alert: A, expr: x}, {record: b, expr: 'ALERTS{alertname=\"B\"}'}", [[0, 1]]);
  f("{alert: A, expr: x}, {record: b, expr: ALERTS}", [[0], [1]]);
});

test("slots keep their place in the interval, and missed iterations are counted", () => {
  const offset = groupOffset("r.yml", "g", MINUTE);
  assert.ok(offset >= 0n && offset < BigInt(MINUTE) * 1_000_000n);
  const slot = lastSlot(1_700_000_000_000, offset, MINUTE);
  assert.ok(slot <= 1_700_000_000_000 && slot > 1_700_000_000_000 - MINUTE);
  assert.equal(lastSlot(slot, offset, MINUTE), slot);
  assert.equal(lastSlot(slot + MINUTE - 1, offset, MINUTE), slot);
  assert.equal(lastSlot(slot + MINUTE, offset, MINUTE), slot + MINUTE);
  assert.deepEqual(nextEvaluation(1000, 1000 + MINUTE, MINUTE), {t: 1000 + MINUTE, missed: 0});
  assert.deepEqual(nextEvaluation(1000, 1000 + 3.5 * MINUTE, MINUTE), {t: 1000 + 3 * MINUTE, missed: 2});
});

test("independent rules run at once while there are slots, dependent ones after what they read", async () => {
  const {groups} = parseRuleFile(
    "r.yml",
    "groups: [{name: g, rules: [{record: a, expr: x}, {record: b, expr: y}, {record: c, expr: a + b}]}]",
  );
  const log: string[] = [];
  let taken = 0;
  let most = 0;
  const storage = new CollectingStorage();
  const context = {
    ...contextOf({storage, answers: new Map()} as unknown as Fixture),
    slots: {tryTake: () => ++taken <= 2 || --taken < 0, give: () => void taken--},
    query: async ({query}: {query: string}) => {
      log.push(`begin ${query}`);
      most = Math.max(
        most,
        log.filter((line) => line.startsWith("begin")).length - log.filter((l) => l.startsWith("end")).length,
      );
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${query}`);
      return vector({});
    },
  };
  const group = new Group(groups[0] as never, context);
  await group.evaluate(MINUTE, signal);
  assert.equal(most, 2);
  assert.deepEqual(log.slice(4), ["begin a + b", "end a + b"]);
  assert.equal(taken, 0);
  assert.deepEqual(
    group.rules.map(({health}) => health),
    ["ok", "ok", "ok"],
  );
});
