import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import type {RuleQuery, RuleVector} from "@strata/rules";
import {CollectingStorage} from "@strata/rules/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import type {OutgoingAlert} from "./alert-payload.ts";
import type {Clock} from "./clock.ts";
import {Ruler, type RulerOptions} from "./ruler.ts";

const STALE = 0x7ff0000000000002n;
const MINUTE = 60_000;

/** A clock that stands still until it is told to go on; sleepers wake in the order of their times. */
class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  #sleepers: {readonly t: number; readonly wake: () => void}[] = [];

  now(): number {
    return this.#now;
  }

  sleepUntil(t: number, signal: AbortSignal): Promise<void> {
    if (t <= this.#now || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#sleepers.push({t, wake: resolve});
      signal.addEventListener("abort", () => resolve(), {once: true});
    });
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.filter(({t}) => t <= end).sort((a, b) => a.t - b.t)[0];
      if (next === undefined) break;
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.t);
      next.wake();
    }
    this.#now = end;
  }
}

/** Lets everything run that waits for nothing but its turn. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

function newFixture(t: TestContext, rules: string, changes: Partial<RulerOptions> = {}) {
  const path = join(tempDir(t), "rules.yml");
  const write = (text: string, name = path): void => writeFileSync(name, text);
  write(rules);
  const clock = new ManualClock();
  const storage = new CollectingStorage();
  const sent: OutgoingAlert[] = [];
  const asked: RuleQuery[] = [];
  const registry = newRegistry();
  const ruler = new Ruler({
    ruleFiles: [path.replace("rules.yml", "*.yml")],
    externalLabels: Labels.EMPTY,
    query: async (query): Promise<RuleVector> => {
      asked.push(query);
      return {labels: [Labels.fromObject({a: "1"})], values: Float64Array.of(1), histograms: undefined};
    },
    storage,
    forState: async () => [],
    send: (alerts) => void sent.push(...alerts),
    alerts: {dropLabels: [], relabel: [], queryUrl: "", queryTemplate: ""},
    parse: {},
    evalIntervalMs: MINUTE,
    queryOffsetMs: 0,
    resendDelayMs: MINUTE,
    outageToleranceMs: 60 * MINUTE,
    graceMs: 0,
    concurrentEvaluation: 1,
    registry,
    logger: nullLogger(),
    clock,
    ...changes,
  });
  t.after(() => ruler.close(0));
  const metric = async (name: string): Promise<number> => {
    const family = (await registry.gather()).find((each) => each.name === name);
    return (family?.samples ?? []).reduce((sum, {value}) => sum + value, 0);
  };
  return {ruler, clock, storage, sent, asked, write, path, metric};
}

const group = (name: string, rules: string, more = ""): string =>
  `groups:\n- name: ${name}\n  ${more}\n  rules:\n${rules}`;
const RECORD = "  - {record: r, expr: up}\n";
const ALERT = "  - {alert: A, expr: up, for: 3m}\n";

test("groups run at their slots, one interval apart", async (t) => {
  const {ruler, clock, asked} = newFixture(t, group("g", RECORD));
  await ruler.start();
  await clock.advance(5 * MINUTE);
  const times = asked.map((query) => query.t);
  assert.equal(times.length, 5);
  assert.deepEqual(
    times.slice(1).map((at, i) => at - (times[i] as number)),
    [MINUTE, MINUTE, MINUTE, MINUTE],
  );
});

test("an evaluation that takes too long leaves out iterations and counts them", async (t) => {
  let clock: ManualClock | undefined;
  const times: number[] = [];
  const fixture = newFixture(t, group("g", RECORD), {
    query: async ({t: at}) => {
      times.push(at);
      if (times.length === 1) await clock?.sleepUntil(clock.now() + 3.5 * MINUTE, new AbortController().signal);
      return {labels: [], values: new Float64Array(0), histograms: undefined};
    },
  });
  clock = fixture.clock;
  await fixture.ruler.start();
  await clock.advance(6 * MINUTE);
  const [first, second] = times as [number, number];
  assert.equal(second - first, 3 * MINUTE);
  assert.equal(await fixture.metric("prometheus_rule_group_iterations_missed_total"), 2);
});

test("files with errors change nothing, and all errors are told", async (t) => {
  const {ruler, clock, asked, write, metric} = newFixture(t, group("g", RECORD));
  await ruler.start();
  write(group("g", "  - {record: r, expr: sum(}\n  - {alert: A, record: b, expr: up}\n"));
  await assert.rejects(ruler.reload(), (err: Error) => {
    assert.match(err.message, /^reloading rules failed: /);
    assert.match(err.message, /group "g", rule 1, "r": could not parse expression/);
    assert.match(err.message, /group "g", rule 2, "A": only one of/);
    return true;
  });
  assert.equal(await metric("thanos_rule_config_last_reload_successful"), 0);
  await clock.advance(2 * MINUTE);
  assert.equal(asked.length, 2);
  assert.equal(ruler.groups[0]?.rules[0]?.health, "ok");
});

test("at the start a bad file is fatal", async (t) => {
  const {ruler} = newFixture(t, group("g", "  - {record: r, expr: sum(}\n"));
  await assert.rejects(ruler.start(), /could not parse expression/);
});

test("a change of the files is noticed", async (t) => {
  const {ruler, clock, write, path} = newFixture(t, group("g", RECORD));
  await ruler.start();
  const abort = new AbortController();
  const running = ruler.run(abort.signal);
  write(group("h", RECORD), path.replace("rules", "more"));
  await clock.advance(10_000);
  assert.deepEqual(ruler.groups.map(({spec}) => spec.name).sort(), ["g", "h"]);
  abort.abort();
  await running;
});

test("a reload leaves an unchanged group alone, and hands alerts on to a changed or a new one", async (t) => {
  const {ruler, clock, write, path} = newFixture(t, group("g", ALERT));
  await ruler.start();
  await clock.advance(2 * MINUTE);
  const before = ruler.groups[0];
  const since = before?.rules[0]?.alerting?.alerts[0]?.activeAt;
  assert.ok(since);
  await ruler.reload();
  assert.equal(ruler.groups[0], before);
  write(group("g", ALERT, "limit: 7"));
  await ruler.reload();
  assert.notEqual(ruler.groups[0], before);
  assert.equal(ruler.groups[0]?.rules[0]?.alerting?.alerts[0]?.activeAt, since);
  write("groups: []");
  write(group("moved", ALERT), path.replace("rules", "other"));
  await ruler.reload();
  assert.deepEqual(
    ruler.groups.map(({spec}) => spec.name),
    ["moved"],
  );
  assert.equal(ruler.groups[0]?.rules[0]?.alerting?.alerts[0]?.activeAt, since);
  await clock.advance(3 * MINUTE);
  assert.equal(ruler.groups[0]?.rules[0]?.alerting?.state, "firing");
});

test("series of a rule that is gone are ended: at once in a group that stays, later with the group", async (t) => {
  const {ruler, clock, storage, write} = newFixture(t, group("g", `${RECORD}  - {record: s, expr: up}\n`));
  await ruler.start();
  await clock.advance(MINUTE);
  const ended = (): string[] => storage.samples.filter((s) => s.bits === STALE).map((s) => s.labels.get("__name__"));
  write(group("g", RECORD));
  await ruler.reload();
  await clock.advance(MINUTE);
  assert.deepEqual(ended(), ["s"]);
  write("groups: []");
  await ruler.reload();
  await clock.advance(MINUTE);
  assert.deepEqual(ended(), ["s"]);
  await clock.advance(2 * MINUTE);
  assert.deepEqual(ended(), ["s", "r"]);
});

test("alerts from before a restart get their age back after two rounds, and are stored from then on", async (t) => {
  const start = 1_700_000_000_000;
  const labels = Labels.fromObject({__name__: "ALERTS_FOR_STATE", alertname: "A", a: "1"});
  const fixture = newFixture(t, group("g", "  - {alert: A, expr: up, for: 30m}\n"), {
    forState: async () => [{labels, t: start - 2 * MINUTE, v: (start - 60 * MINUTE) / 1000}],
  });
  await fixture.ruler.start();
  await fixture.clock.advance(2 * MINUTE);
  assert.equal(fixture.storage.samples.length, 0);
  await fixture.clock.advance(MINUTE);
  assert.equal(fixture.sent.length, 1);
  const stored = fixture.storage.samples.map((s) => s.labels.get("__name__"));
  assert.deepEqual(stored, ["ALERTS", "ALERTS_FOR_STATE"]);
});
