import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {execute, type FloatHistogram, histogramText} from "@strata/engine";
import {MemoryStore, type StoredSample} from "@strata/engine/testing";
import {formatRfc3339, Labels} from "@strata/model";
import {mergeBatches, type Queryable} from "@strata/series";
import {BlockReader} from "@strata/tsdb";
import type {Alert} from "./alert.ts";
import {vectorOf} from "./engine-vector.ts";
import {generatorPath} from "./generator-path.ts";
import {Group, type GroupContext} from "./group.ts";
import {parseRuleFile} from "./rule-file.ts";
import {NOTHING_REFUSED, type Refused, type RuleSamples} from "./rule-io.ts";
import type {AlertingSpec} from "./rule-spec.ts";
import {seriesKey} from "./series-memory.ts";

const rulesDir = goldenDir("query", "rules");
const blocksDir = goldenDir("query", "results", "blocks");
const EXTERNAL_URL = "http://prom.example:9090/base";

type Tick = {
  readonly ts: number;
  readonly group: string;
  readonly appended: readonly Record<string, unknown>[] | null;
  readonly rules: readonly Record<string, unknown>[];
  readonly sent: readonly Record<string, unknown>[] | null;
};

/** The golden blocks with what the rules stored on top. */
class RuleStore {
  readonly #blocks: readonly BlockReader[];
  readonly #series = new Map<string, {labels: Labels; samples: StoredSample[]}>();
  #own: MemoryStore | undefined;
  appended: Record<string, unknown>[] = [];

  constructor(blocks: readonly BlockReader[]) {
    this.#blocks = blocks;
  }

  async append({t, labels, values, histograms}: RuleSamples): Promise<Refused> {
    const bits = new BigUint64Array(values.slice().buffer);
    labels.forEach((each, i) => {
      const h = histograms?.get(i);
      const key = seriesKey(each);
      let series = this.#series.get(key);
      if (series === undefined) {
        series = {labels: each, samples: []};
        this.#series.set(key, series);
      }
      series.samples.push({t, v: h ?? (bits[i] as bigint)});
      this.appended.push(appendedLine(each, t, bits[i] as bigint, h));
    });
    this.#own = undefined;
    return NOTHING_REFUSED;
  }

  get source(): {queryable: Queryable; own: MemoryStore} {
    this.#own ??= new MemoryStore(this.#series.values());
    const own = this.#own;
    const none = () => Promise.reject(new Error("not asked for"));
    return {
      own,
      queryable: {
        select: (q, signal) => mergeBatches([...this.#blocks.map((b) => b.select(q, signal)), own.select(q)]),
        labelNames: none,
        labelValues: none,
      },
    };
  }
}

function appendedLine(labels: Labels, t: number, bits: bigint, h: FloatHistogram | undefined): Record<string, unknown> {
  const line = {labels: labels.toObject(), t};
  return h === undefined ? {...line, v: hex(bits)} : {...line, histogram: rounded(histogramText(h))};
}

/**
 * A histogram's text with 14 digits a number: sums of buckets are added in the order in which series come, which in
 * Prometheus is that of its storage. Floats are compared bit by bit.
 */
const rounded = (text: string): string =>
  text.replace(/(?<=:)[0-9.e+-]+/g, (number) => String(Number(Number(number).toPrecision(14))));

const hex = (bits: bigint): string => bits.toString(16).padStart(16, "0");
function hexFloat(v: number): string {
  const word = new BigUint64Array(new Float64Array([v]).buffer)[0] as bigint;
  // NaNs of arithmetic differ in a bit that says nothing.
  return Number.isNaN(v) ? "7ff8000000000001" : hex(word);
}

const NAN_VALUES = new Set(["7ff8000000000000", "7ff8000000000001"]);
const plainNaN = (v: unknown): unknown => (NAN_VALUES.has(v as string) ? "NaN" : v);

const sampleLine = ({labels, t, v, histogram}: Record<string, unknown>): Record<string, unknown> =>
  histogram === undefined ? {labels, t, v: plainNaN(v)} : {labels, t, histogram: rounded(histogram as string)};

function ruleLine(rule: Group["rules"][number]): Record<string, unknown> {
  const line: Record<string, unknown> = {health: rule.health, name: rule.spec.name};
  if (rule.lastError !== "") line.lastError = rule.lastError;
  if (rule.alerting !== undefined) {
    line.state = rule.alerting.state;
    line.alerts = sorted(rule.alerting.alerts.map(alertLine));
  }
  return line;
}

const alertLine = (alert: Alert): Record<string, unknown> => ({
  activeAt: alert.activeAt,
  annotations: alert.annotations.toObject(),
  firedAt: alert.firedAt ?? null,
  keepFiringSince: alert.keepFiringSince ?? null,
  labels: alert.labels.toObject(),
  lastSentAt: alert.lastSentAt ?? null,
  resolvedAt: alert.resolvedAt ?? null,
  state: alert.state,
  validUntil: alert.validUntil ?? null,
  value: hexFloat(alert.value),
});

const sentLine = (rule: AlertingSpec, alert: Alert): Record<string, unknown> => ({
  annotations: alert.annotations.toObject(),
  endsAt: formatRfc3339((alert.resolvedAt ?? alert.validUntil) as number),
  generatorURL: EXTERNAL_URL + generatorPath("/graph?g0.expr={{.Expr}}&g0.tab=1", rule.query),
  labels: alert.labels.toObject(),
  startsAt: formatRfc3339(alert.firedAt as number),
});

/** In an order of its own: maps have none. */
const sorted = (items: readonly unknown[]): unknown[] =>
  [...items].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));

/** JSON with sorted keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );

const sets = readdirSync(rulesDir).filter((name) => name.endsWith("-ticks.jsonl.gz"));
assert.ok(sets.length > 0);

for (const name of sets) {
  test(`every tick of ${name} stores, shows and sends what Prometheus does`, async () => {
    const rules = readFileSync(join(rulesDir, name.replace("-ticks.jsonl.gz", "-rules.yml")), "utf8");
    const blocks = await Promise.all(readdirSync(blocksDir).map((dir) => BlockReader.open(join(blocksDir, dir))));
    const store = new RuleStore(blocks);
    const signal = new AbortController().signal;
    let sent: Record<string, unknown>[] = [];
    const context: GroupContext = {
      storage: store,
      query: async ({expr, t}) => {
        const {queryable, own} = store.source;
        const options = {decodeChunk: own.decodeChunk};
        return vectorOf(await execute(expr, {start: t, end: t, step: 0}, queryable, options, signal));
      },
      notify: (rule, alerts) => void sent.push(...alerts.map((alert) => sentLine(rule, alert))),
      externalLabels: Labels.fromObject({ext: "e1", replica: "r0"}),
      externalUrl: EXTERNAL_URL,
      functionUrl: EXTERNAL_URL,
      defaultIntervalMs: 60_000,
      defaultQueryOffsetMs: 0,
      resendDelayMs: 60_000,
      now: () => 0,
    };
    const file = parseRuleFile("rules.yml", rules);
    assert.deepEqual(file.errors, []);
    const groups = new Map(file.groups.map((spec) => [spec.name, new Group(spec, context)]));
    const lines = gunzipSync(readFileSync(join(rulesDir, name)))
      .toString()
      .trim()
      .split("\n");
    for (const line of lines) {
      const tick = JSON.parse(line) as Tick;
      const group = groups.get(tick.group) as Group;
      store.appended = [];
      sent = [];
      await group.evaluate(tick.ts * 1000, signal);
      const where = `${tick.group} at ${tick.ts}`;
      assert.deepEqual(sorted(store.appended.map(sampleLine)), sorted((tick.appended ?? []).map(sampleLine)), where);
      const wantRules = tick.rules.map((rule) =>
        "alerts" in rule ? {...rule, alerts: sorted(rule.alerts as unknown[])} : rule,
      );
      assert.deepEqual(group.rules.map(ruleLine), wantRules, where);
      assert.deepEqual(sorted(sent), sorted(tick.sent ?? []), where);
    }
    await Promise.all(blocks.map((block) => block.close()));
  });
}
